"""What the command does instead of serving, and what it says when it starts."""

import socket
import subprocess

import pytest
import yaml

from exporter import __version__, healthcheck
from tests.end_to_end.conftest import COMMAND, PATIENCE, free_port, module, running, until
from tests.raw_server import raw_server


def run(*flags: str, **kwargs) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [COMMAND, *flags], capture_output=True, text=True, timeout=PATIENCE, check=False, **kwargs
    )


def healthy(url: str) -> "subprocess.CompletedProcess[str]":
    return run("--healthcheck", f"--web.listen-address={url.partition('://')[2]}")


def test_the_log_starts_with_what_runs(exchange, config_file):
    _, base_url = exchange()
    flag = config_file(default=module(base_url))
    with running(flag) as exporter:
        start, listening = exporter.log
    assert f"msg=starting version={__version__}" in start
    assert flag.replace("--config.file", " config_file") in start
    assert f"modules=default base_urls={base_url}" in start
    assert "msg=listening" in listening


def test_a_demo_says_that_it_is_one():
    with running("--demo=depeg") as exporter:
        assert exporter.sample('binance_asset_index_exporter_demo{scenario="depeg"}') == 1
        (warning,) = [line for line in exporter.log if "level=warning" in line]
    assert "simulator" in warning
    assert "scenario=depeg" in warning


def test_an_exporter_of_the_real_exchange_is_no_demo(exchange, config_file):
    _, base_url = exchange()
    with running(config_file(default=module(base_url))) as exporter:
        assert "exporter_demo" not in exporter.get("/metrics").text


def test_a_running_exporter_is_healthy(demo):
    result = healthy(demo.url)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_none_is_unhealthy():
    port = free_port()
    result = healthy(f"http://127.0.0.1:{port}")
    assert result.returncode == 1
    assert result.stderr.startswith(f"127.0.0.1:{port} does not answer: ")


@pytest.mark.parametrize(
    "client_auth",
    [{}, {"client_auth_type": "RequireAndVerifyClientCert", "client_ca_file": "cert.pem"}],
    ids=["any client", "clients with a certificate"],
)
@pytest.mark.parametrize("version", ["TLS12", "TLS13"])
def test_one_that_speaks_tls_is_healthy(certificate, tmp_path, client_auth, version):
    certificate("localhost").write(tmp_path)
    web = tmp_path / "web.yml"
    tls = {"cert_file": "cert.pem", "key_file": "key.pem", "max_version": version}
    web.write_text(yaml.safe_dump({"tls_server_config": tls | client_auth}))
    with running("--demo", f"--web.config.file={web}", scheme="https") as exporter:
        assert healthy(exporter.url).returncode == 0


def test_one_that_answers_500_is_unhealthy():
    def broken(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")

    with raw_server(broken) as url:
        assert healthcheck.problem(url.removeprefix("http://")) == "HTTP status 500"


def test_once_writes_a_page_with_margin_assets(exchange, config_file):
    _, base_url = exchange()
    result = run("--once", config_file(default={"base_url": base_url}))
    assert result.returncode == 0
    assert "\nbinance_asset_index_up 1.0\n" in result.stdout
    assert '\nbinance_asset_index_margin_available{symbol="BTCUSD"} 1.0\n' in result.stdout


def test_once_writes_nothing_that_node_exporter_has_itself(exchange, config_file):
    _, base_url = exchange()
    page = run("--once", config_file(default=module(base_url))).stdout
    names = {line.split("{")[0].split()[0] for line in page.splitlines() if line[0] != "#"}
    assert [name for name in names if not name.startswith("binance_asset_index_")] == []


def test_once_ends_with_1_if_the_fetch_failed(config_file):
    result = run("--once", config_file(default=module(f"http://127.0.0.1:{free_port()}")))
    assert result.returncode == 1
    assert "\nbinance_asset_index_up 0.0\n" in result.stdout
    assert "reason=connection" in result.stderr


def test_files_are_copied_and_named(tmp_path):
    result = run("--copy-files", str(tmp_path))
    assert result.returncode == 0
    assert str(tmp_path / "rules" / "alerts.yaml") in result.stdout.splitlines()


def test_a_changed_configuration_is_reloaded_without_a_signal(exchange, config_file):
    _, base_url = exchange()
    flag = config_file(default=module(base_url))
    with running(flag, "--config.auto-reload-interval=100ms") as exporter:
        config_file(default=module(base_url), added=module(base_url))
        until(lambda: "added:" in exporter.get("/config").text)
