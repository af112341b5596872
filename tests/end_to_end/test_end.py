"""SIGTERM ends the process with status 0 within five seconds, whatever blocks."""

import contextlib
import os
import signal
import socket
import subprocess

import bcrypt
import pytest
import requests

from tests.end_to_end.conftest import COMMAND, PATIENCE, free_port, module, running, until

PYTHON = str(COMMAND.parent / "python")
HANGING_BCRYPT = """
import bcrypt, sys, threading
from exporter.__main__ import main

bcrypt.checkpw = lambda *_: threading.Event().wait()
sys.exit(main())
"""
HANGING_FILE = """
import sys, threading
from exporter.__main__ import main
from exporter.web.access import Access

Access.reload = lambda _: threading.Event().wait()
sys.exit(main())
"""


@pytest.fixture
def program(tmp_path):
    """Writes a program that runs the exporter with something replaced."""

    def write(text):
        file = tmp_path / "program.py"
        file.write_text(text)
        return PYTHON, str(file)

    return write


@pytest.fixture
def flags(config_file):
    return config_file(default=module("http://exchange.invalid"))


def ends(process) -> bool:
    process.send_signal(signal.SIGTERM)
    return process.wait(5) == 0


def test_a_password_check_that_hangs(flags, program, tmp_path):
    web_config = tmp_path / "web.yaml"
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    web_config.write_text(f"basic_auth_users: {{alice: {hashed}}}")
    web_flag = f"--web.config.file={web_config}"
    with running(flags, web_flag, command=program(HANGING_BCRYPT)) as exporter:
        url = exporter.url + "/-/healthy"
        with pytest.raises(requests.Timeout):
            requests.get(url, auth=("alice", "secret"), timeout=0.5)
        assert ends(exporter.process)


def test_a_configuration_file_that_hangs(flags, program):
    with running(flags, command=program(HANGING_FILE)) as exporter:
        exporter.process.send_signal(signal.SIGHUP)
        until(lambda: any("configuration loaded" in line for line in exporter.log))
        assert exporter.get("/-/healthy").ok
        assert ends(exporter.process)


def test_a_stderr_that_nobody_reads(flags):
    reader, stderr = os.pipe()
    port = free_port()
    flag = f"--web.listen-address=127.0.0.1:{port}"
    with subprocess.Popen([COMMAND, flag, flags, "--log.level=debug"], stderr=stderr) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            until(lambda: requests.get(f"{url}/-/healthy", timeout=PATIENCE).ok)
            os.set_blocking(stderr, False)  # fill the pipe; then let the exporter block on it
            with contextlib.suppress(BlockingIOError):
                while os.write(stderr, b"x" * 65536):
                    pass
            os.set_blocking(stderr, True)
            for _ in range(3):
                assert requests.post(f"{url}/-/reload", timeout=PATIENCE).ok
            assert ends(process)
        finally:
            process.kill()
            os.close(reader)
            os.close(stderr)


def test_standard_streams_that_are_closed(flags):
    port = free_port()
    command = [COMMAND, f"--web.listen-address=127.0.0.1:{port}", flags]
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command]
    with subprocess.Popen(closed) as process:
        try:
            url = f"http://127.0.0.1:{port}/metrics"
            page = until(lambda: requests.get(url, timeout=PATIENCE))
            assert "binance_asset_index_up 0" in page.text
            assert ends(process)
        finally:
            process.kill()


def test_a_client_in_the_middle_of_a_request(flags):
    with running(flags) as exporter:
        host, port = exporter.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            assert exporter.get("/-/healthy").ok
            assert ends(exporter.process)


def test_a_second_signal(flags):
    with running(flags) as exporter:
        for _ in range(2):
            exporter.process.send_signal(signal.SIGTERM)
        assert exporter.process.wait(5) == 0


def test_help_is_written_in_any_locale():
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    run = subprocess.run(
        [COMMAND, "--help"], env=locale, capture_output=True, timeout=PATIENCE, check=True
    )
    assert b"--config.file" in run.stdout


def test_a_configuration_from_a_pipe_that_has_no_writer_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for flag in ("--config.file", "--web.config.file"):
        run = subprocess.run(
            [COMMAND, f"{flag}={tmp_path}/pipe", "--config.check"],
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert run.returncode == 1
        assert b"pipe: empty" in run.stderr


def test_passwords_from_a_pipe_are_asked_for(flags):
    reader, writer = os.pipe()
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    os.write(writer, f"basic_auth_users: {{alice: {hashed}}}".encode())
    os.close(writer)
    port = free_port()
    command = [COMMAND, f"--web.listen-address=127.0.0.1:{port}", flags]
    command.append(f"--web.config.file=/dev/fd/{reader}")
    with subprocess.Popen(command, pass_fds=[reader], stderr=subprocess.PIPE) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            status = until(lambda: requests.get(f"{url}/config", timeout=PATIENCE).status_code)
            assert status == 401
            me = ("alice", "secret")
            reload = requests.post(f"{url}/-/reload", auth=me, timeout=PATIENCE)
            assert (reload.status_code, "a pipe can be read only once" in reload.text) == (
                500,
                True,
            )
            assert requests.get(f"{url}/config", timeout=PATIENCE).status_code == 401
            assert ends(process)
        finally:
            process.kill()
            os.close(reader)


def test_a_reload_renews_the_web_configuration_at_once(flags, tmp_path):
    web_config = tmp_path / "web.yaml"
    header = "http_server_config: {headers: {X-Frame-Options: %s}}"
    web_config.write_text(header % "deny")
    with running(flags, f"--web.config.file={web_config}") as exporter:
        web_config.write_text(header % "sameorigin")
        requests.post(exporter.url + "/-/reload", timeout=PATIENCE)
        assert exporter.get("/-/healthy").headers["X-Frame-Options"] == "sameorigin"
