"""What others do to the exporter costs a scrape its values at most, and never the process."""

import concurrent.futures
import contextlib
import re
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.end_to_end.conftest import COMMAND, PATIENCE, Running, module, running, until
from tests.raw_server import ok, raw_server, read_request
from tests.wrong_answers import MIB, ROWS, WRONG_ANSWERS

UP = "\nbinance_asset_index_up 1.0\n"
DOWN = "\nbinance_asset_index_up 0.0\n"


class Held:
    """An exchange that answers when the test lets it."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.may_answer = threading.Event()

    def script(self, connection: socket.socket) -> None:
        while read_request(connection):
            self.asked.release()
            self.may_answer.wait(PATIENCE)
            connection.sendall(ok(ROWS))


@pytest.fixture
def held() -> Held:
    return Held()


def plays(name: str) -> Callable[[socket.socket], None]:
    """The script of a wrong answer."""

    def script(connection: socket.socket) -> None:
        while read_request(connection):
            WRONG_ANSWERS[name].play(connection)

    return script


def connect(exporter: Running) -> socket.socket:
    host, port = exporter.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), PATIENCE)


def test_a_client_that_disconnects_does_not_spoil_the_fetch_for_those_who_share_it(
    held, config_file
):
    with (
        raw_server(held.script) as base_url,
        running(config_file(default=module(base_url, timeout="30s"))) as exporter,
        concurrent.futures.ThreadPoolExecutor(1) as pool,
    ):
        with connect(exporter) as leaving:
            leaving.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            assert held.asked.acquire(timeout=PATIENCE)
            staying = pool.submit(exporter.get, "/metrics")
        assert exporter.get("/-/healthy").ok
        held.may_answer.set()
        assert UP in staying.result().text
        assert not [line for line in exporter.log if "level=info" not in line]


def test_of_41_scrapes_at_once_40_get_the_page_and_one_is_turned_away(held, config_file):
    with (
        raw_server(held.script) as base_url,
        running(
            config_file(default=module(base_url, timeout="30s")), "--web.max-requests=40"
        ) as exporter,
        concurrent.futures.ThreadPoolExecutor(41) as pool,
    ):
        scrapes = [pool.submit(exporter.get, "/metrics") for _ in range(41)]
        first = next(concurrent.futures.as_completed(scrapes, timeout=PATIENCE)).result()
        assert first.status_code == 503
        held.may_answer.set()
        pages = [scrape.result() for scrape in scrapes]
        assert sorted(page.status_code for page in pages) == [200] * 40 + [503]
        assert sum(UP in page.text for page in pages) == 40


def test_64_scrapes_at_once_all_get_the_page(held, config_file):
    with (
        raw_server(held.script) as base_url,
        running(config_file(default=module(base_url, timeout="30s"))) as exporter,
        concurrent.futures.ThreadPoolExecutor(64) as pool,
    ):
        scrapes = [pool.submit(exporter.get, "/metrics") for _ in range(64)]
        assert held.asked.acquire(timeout=PATIENCE)
        held.may_answer.set()
        assert all(UP in scrape.result().text for scrape in scrapes)


def test_a_frozen_exchange_is_shown_with_its_old_time(exchange, config_file, clock):
    _, base_url = exchange("frozen")
    with running(config_file(default=module(base_url))) as exporter:
        clock.ahead = 70
        name = 'binance_asset_index_update_timestamp_seconds{symbol="BTCUSD"}'
        before = exporter.sample(name)
        clock.ahead = 270
        assert exporter.sample(name) == before
        assert exporter.sample("binance_asset_index_up") == 1


def test_bodies_without_end_side_by_side_cost_no_more_memory_than_their_caps(config_file):
    modules = {f"m{number}": module("http://127.0.0.1", max_body_bytes=MIB) for number in range(20)}
    with raw_server(plays("200_80_mib_unannounced")) as base_url:
        modules = {name: settings | {"base_url": base_url} for name, settings in modules.items()}
        with (
            running(config_file(default=module(base_url), **modules)) as exporter,
            concurrent.futures.ThreadPoolExecutor(20) as pool,
        ):
            before = peak_memory(exporter)
            for _ in range(3):
                pages = list(pool.map(lambda name: exporter.get(f"/probe?module={name}"), modules))
                assert all(DOWN in page.text for page in pages)
            assert peak_memory(exporter) < before + 3 * len(modules) * MIB


def peak_memory(exporter: Running) -> int:
    status = Path(f"/proc/{exporter.process.pid}/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])


def test_a_name_that_does_not_resolve_is_a_failed_connection(config_file):
    with running(config_file(default=module("http://exchange.invalid"))) as exporter:
        assert DOWN in exporter.get("/metrics").text
        until(lambda: any("reason=connection" in line for line in exporter.log))


SLOW_RESOLVER = """
import socket, sys, threading
from exporter.__main__ import main

resolve = socket.getaddrinfo

def slowly(host, *args, **kwargs):
    if host == "exchange.invalid":
        threading.Event().wait()
    return resolve(host, *args, **kwargs)

socket.getaddrinfo = slowly
sys.exit(main())
"""


def test_a_name_that_never_resolves_holds_up_neither_the_scrape_nor_the_end(config_file, tmp_path):
    program = tmp_path / "exporter_with_slow_resolver.py"
    program.write_text(SLOW_RESOLVER)
    python = str(COMMAND.parent / "python")
    flags = config_file(default=module("http://exchange.invalid"))
    with running(flags, command=(python, str(program))) as exporter:
        page = requests.get(
            exporter.url + "/metrics",
            headers={"X-Prometheus-Scrape-Timeout-Seconds": "1"},
            timeout=1,
        )
        assert DOWN in page.text
        exporter.process.terminate()
        assert exporter.process.wait(5) == 0


def test_a_proxy_that_dies_is_a_failed_connection_and_its_return_a_good_fetch(config_file):
    listener = socket.create_server(("127.0.0.1", 0))
    proxy_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with running(
        config_file(default=module("http://exchange.invalid", proxy_url=proxy_url))
    ) as exporter:
        listener.close()
        assert DOWN in exporter.get("/metrics").text
        with socket.create_server(listener_address(proxy_url)) as again:
            threading.Thread(target=answer_once, args=(again,), daemon=True).start()
            assert UP in exporter.get("/metrics").text
        until(lambda: len(exporter.log) == 4)
        messages = [line.partition("msg=")[2].split(" module_name")[0] for line in exporter.log]
        assert messages[2:] == ['"fetch failed"', '"fetch recovered"']


def listener_address(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)


def answer_once(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        read_request(connection)
        connection.sendall(ok(ROWS))
        read_request(connection)


@pytest.mark.parametrize(
    "name",
    ["silence", "one_byte_every_second", "endless_100_continue", "302", "200_80_mib", "reset"],
)
def test_sigterm_ends_it_with_status_0_whatever_the_exchange_does(config_file, name):
    with (
        raw_server(plays(name)) as base_url,
        running(config_file(default=module(base_url, timeout="60s"))) as exporter,
        concurrent.futures.ThreadPoolExecutor(1) as pool,
    ):
        scrape = pool.submit(exporter.get, "/metrics")
        until(lambda: exporter.get("/-/healthy").ok)
        exporter.process.send_signal(signal.SIGTERM)
        assert exporter.process.wait(5) == 0
        assert not [line for line in exporter.log if "Traceback" in line]
        assert scrape.exception() or DOWN in scrape.result().text


def test_idle_connections_at_the_limit_of_open_files_shut_no_scrape_out(config_file):
    flags = config_file(default=module("http://exchange.invalid"))
    limited = ("sh", "-c", 'ulimit -n 256; exec "$@"', "sh", str(COMMAND))
    with running(flags, command=limited) as exporter, contextlib.ExitStack() as stack:
        for _ in range(300):
            client = stack.enter_context(connect(exporter))
            client.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        assert DOWN in exporter.get("/metrics").text
        until(lambda: any("too many connections" in line for line in exporter.log))
        assert sum("too many connections" in line for line in exporter.log) == 1


HURRIED = """
import sys
from exporter.__main__ import main
from exporter.web import server

server.REQUEST_SECONDS = 0.2
sys.exit(main())
"""


def test_a_tls_handshake_that_does_not_end_is_not_waited_for(tmp_path, config_file, certificate):
    certificate("localhost").write(tmp_path)
    web_config, program = tmp_path / "web.yaml", tmp_path / "program.py"
    web_config.write_text("tls_server_config: {cert_file: cert.pem, key_file: key.pem}")
    program.write_text(HURRIED)
    flags = config_file(default=module("http://exchange.invalid"))
    command = (str(COMMAND.parent / "python"), str(program))
    web_flag = f"--web.config.file={web_config}"
    with running(flags, web_flag, command=command) as exporter, connect(exporter) as client:
        client.sendall(b"\x16\x03")
        assert client.recv(1) == b""
