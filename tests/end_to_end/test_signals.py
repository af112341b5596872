"""Reloads and the end, whatever else is going on."""

import concurrent.futures
import contextlib
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

from tests.end_to_end.conftest import COMMAND, PATIENCE, module, running, until
from tests.raw_server import raw_server, read_request


def test_scrapes_in_flight_get_their_page_at_the_end_though_the_exchange_hangs(config_file):
    asked = threading.Event()

    def hang(connection: socket.socket) -> None:
        read_request(connection)
        asked.set()
        read_request(connection)

    with (
        raw_server(hang) as base_url,
        running(config_file(default=module(base_url, timeout="60s"))) as exporter,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        scrape = pool.submit(exporter.get, "/metrics")
        assert asked.wait(PATIENCE)
        exporter.process.terminate()
        assert exporter.process.wait(5) == 0
        assert "binance_asset_index_up 0.0" in scrape.result().text
        _, *events = (line.split()[2] for line in exporter.log)
        assert events == ["msg=listening", "msg=stopping"]


def test_hang_ups_in_a_loop_lose_no_scrape(exchange, config_file):
    _, base_url = exchange(weight_limit=10**9)
    with running(config_file(default=module(base_url))) as exporter, hanging_up(exporter.process):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            pages = list(pool.map(exporter.get, ["/metrics"] * 100))
        assert all("binance_asset_index_up 1.0" in page.text for page in pages)
        until(lambda: sum("configuration loaded" in line for line in exporter.log) > 1)


def test_a_hang_up_during_the_imports_is_survived(config_file):
    flag = config_file(default=module("http://exchange.invalid"))
    command = [str(COMMAND), "--web.listen-address=127.0.0.1:0", flag]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            libraries = Path(f"/proc/{process.pid}/maps")
            until(lambda: "pydantic_core" in libraries.read_text())
            process.send_signal(signal.SIGHUP)
            waited_for = {"msg=starting", "msg=listening", 'msg="configuration loaded"'}
            while waited_for and (line := process.stderr.readline()):
                waited_for -= {each for each in waited_for if each in line}
            assert not waited_for
        finally:
            process.terminate()


def test_hang_ups_in_a_loop_do_not_spoil_the_end(exchange, config_file):
    _, base_url = exchange()
    with running(config_file(default=module(base_url))) as exporter, hanging_up(exporter.process):
        exporter.process.terminate()
        assert exporter.process.wait(5) == 0


@contextlib.contextmanager
def hanging_up(process):
    """Send SIGHUP all the time."""
    stop = threading.Event()

    def loop() -> None:
        with contextlib.suppress(ProcessLookupError):
            while not stop.wait(0.001):
                os.kill(process.pid, signal.SIGHUP)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
