"""The installed command as a process, over real sockets."""

import concurrent.futures
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from exporter import __version__
from tests.end_to_end.conftest import COMMAND, PATIENCE, free_port, module, running, until
from tests.raw_server import raw_server, read_request

PRICE = 'binance_asset_index_price_usd{symbol="BTCUSD"}'


def run(*flags: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [COMMAND, *flags], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_the_page_holds_the_exchanges_values(exchange, config_file):
    _, base_url = exchange()
    with running(config_file(default=module(base_url))) as exporter:
        rows = until(lambda: requests.get(f"{base_url}/fapi/v1/assetIndex", timeout=5).json())
        page = exporter.get("/metrics").text
    for row in rows:
        assert f'binance_asset_index_bid_buffer_ratio{{symbol="{row["symbol"]}"}}' in page
    assert len(rows) >= 20


def test_two_scrapes_are_two_requests(exchange, config_file):
    embedded, base_url = exchange()
    with running(config_file(default=module(base_url))) as exporter:
        exporter.get("/metrics")
        exporter.get("/metrics")
    assert sum(embedded.requests.values()) == 2


def test_32_scrapes_over_a_slow_answer_are_one_request(config_file):
    asked = []
    body = b'[{"symbol":"BTCUSD","index":"61475.02720330"}]'

    with concurrent.futures.ThreadPoolExecutor(33) as pool:
        pages: list[concurrent.futures.Future[requests.Response]] = []

        def script(connection: socket.socket) -> None:
            while request := read_request(connection):
                asked.append(request)
                until(lambda: len(pages) == 32 and exporter.get("/-/healthy"))
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                )

        with (
            raw_server(script) as base_url,
            running(config_file(default=module(base_url, timeout="30s"))) as exporter,
        ):
            for _ in range(32):
                pages.append(pool.submit(exporter.get, "/metrics"))  # noqa: PERF401
            assert all(PRICE in page.result().text for page in pages)
    assert len(asked) == 1


def test_a_delisted_symbol_is_gone_from_the_next_page(exchange, config_file, clock):
    _, base_url = exchange("delisting")
    with running(config_file(default=module(base_url))) as exporter:
        assert 'symbol="FDUSDUSD"' in exporter.get("/metrics").text
        clock.ahead = 190
        assert 'symbol="FDUSDUSD"' not in exporter.get("/metrics").text


def test_ten_scrapes_during_a_ban_send_one_request(exchange, config_file, clock):
    embedded, base_url = exchange("ban")
    with running(config_file(default=module(base_url))) as exporter:
        clock.ahead = 200
        for _ in range(10):
            assert exporter.sample("binance_asset_index_up") == 0
        assert exporter.sample("binance_api_blocked_until_timestamp_seconds") > 0
    assert sum(embedded.requests.values()) == 1


def test_margin_assets_are_joined_in_the_background(exchange, config_file):
    _, base_url = exchange()
    with running(config_file(default={"base_url": base_url})) as exporter:
        name = 'binance_asset_index_margin_available{symbol="BTCUSD"}'
        assert until(lambda: exporter.sample(name)) == 1
        threshold = 'binance_asset_index_auto_exchange_threshold{symbol="BTCUSD"}'
        assert exporter.sample(threshold) == -0.1


def test_healthy_and_ready_ask_nothing(config_file):
    with running(config_file(default=module(f"http://127.0.0.1:{free_port()}"))) as exporter:
        assert exporter.get("/-/healthy").status_code == 200
        assert exporter.get("/-/ready").status_code == 200
        assert not any("fetch" in line for line in exporter.log)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_status_0(exchange, config_file, number):
    _, base_url = exchange()
    with running(config_file(default=module(base_url))) as exporter:
        exporter.process.send_signal(number)
        assert exporter.process.wait(5) == 0


def test_as_pid_1_sigterm_ends_it_with_status_0(tool):
    unshare = tool("unshare", "util-linux")
    probe = [unshare, "--pid", "--fork", "--kill-child", "true"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("this user may not make a PID namespace")
    script = "import os, sys\nassert os.getpid() == 1\nos.execv(sys.argv[1], sys.argv[1:])\n"
    prefix = (unshare, "--pid", "--fork", "--kill-child", sys.executable, "-c", script)
    with running("--demo", command=(*prefix, str(COMMAND))) as exporter:
        pid = exporter.process.pid
        child = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        os.kill(int(child), signal.SIGTERM)
        assert exporter.process.wait(5) == 0


def test_a_hang_up_reloads_the_configuration(exchange, config_file):
    _, base_url = exchange()
    flag = config_file(default=module(base_url))
    with running(flag) as exporter:
        config_file(default=module(base_url), added=module(base_url))
        exporter.process.send_signal(signal.SIGHUP)
        until(lambda: "added:" in exporter.get("/config").text)


def test_a_refused_configuration_is_reported_and_the_old_one_stays(exchange, config_file, tmp_path):
    _, base_url = exchange()
    with running(config_file(default=module(base_url))) as exporter:
        config_file(default=module(base_url, timeout="soon"))
        answer = requests.post(exporter.url + "/-/reload", timeout=PATIENCE)
        assert answer.status_code == 500
        assert "modules.default.timeout: expected a duration" in answer.text
        assert exporter.sample("binance_asset_index_up") == 1


def test_an_outage_is_two_lines_in_the_log(exchange, config_file, clock):
    _, base_url = exchange("outage")
    with running(config_file(default=module(base_url))) as exporter:
        for ahead in (0, 70, 80, 90, 310):
            clock.ahead = ahead
            exporter.get("/metrics")
        until(lambda: any("recovered" in line for line in exporter.log))
        lines = [line for line in exporter.log if "fetch" in line]
    assert ["reason=http_5xx" in line for line in lines] == [True, False]
    assert "recovered" in lines[1]


def test_json_logs_are_json(config_file):
    process = subprocess.Popen(
        [COMMAND, "--web.listen-address=127.0.0.1:0", "--log.format=json"],
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        first = json.loads(process.stderr.readline())
        process.terminate()
    assert (first["level"], first["msg"]) == ("info", "starting")


def test_config_check_reports_every_error_of_both_files(tmp_path):
    config, web = tmp_path / "config.yaml", tmp_path / "web.yaml"
    config.write_text("modules:\n  default:\n    timeout: soon\n    colour: blue\n")
    web.write_text("basic_auth_users:\n  alice: secret\n")
    result = run("--config.check", f"--config.file={config}", f"--web.config.file={web}")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 3
    assert "secret" not in result.stderr


def test_config_check_says_in_one_line_that_all_is_well():
    result = run("--config.check", "--config.file=config.example.yaml")
    assert (result.returncode, result.stdout) == (0, "config.example.yaml: valid\n")


def test_a_refused_configuration_ends_it_with_status_1(tmp_path):
    result = run(f"--config.file={tmp_path / 'none.yaml'}")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1


def test_an_address_in_use_is_reported_in_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        result = run(f"--web.listen-address={address}")
    assert (result.returncode, result.stderr) == (
        1,
        f"cannot listen on {address}: Address already in use\n",
    )


def test_the_version_is_printed():
    assert __version__ in run("--version").stdout


def test_the_telemetry_path_can_be_moved():
    with running("--demo", "--web.telemetry-path=/telemetry") as exporter:
        assert exporter.sample("binance_asset_index_up", "/telemetry") == 1
        assert exporter.get("/metrics").status_code == 404


def test_the_processes_metrics_can_be_left_out():
    with running("--demo", "--web.disable-exporter-metrics") as exporter:
        page = exporter.get("/metrics").text
    assert "process_" not in page
    assert "python_info" not in page
    assert "binance_asset_index_exporter_build_info" in page


def test_there_are_no_created_series(demo):
    assert "_created" not in demo.get("/metrics").text


def test_half_open_clients_cost_a_scrape_nothing():
    with running("--demo") as exporter:
        address = exporter.url.removeprefix("http://").split(":")
        clients = [socket.create_connection((address[0], int(address[1]))) for _ in range(200)]
        for client in clients[:100]:
            client.sendall(b"GET /metrics HTTP/1.1\r\n")
        assert exporter.sample("binance_asset_index_up") == 1
        for client in clients:
            client.close()
