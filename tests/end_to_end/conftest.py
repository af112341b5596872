import contextlib
import http.server
import json
import queue
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
import yaml

from exporter.simulator.exchange import Exchange
from exporter.simulator.server import serve

COMMAND = Path(sys.executable).parent / "binance-asset-index-exporter"
PATIENCE = 30
"""Seconds after which what should have happened is taken as never to happen."""

T = TypeVar("T")


def until(ask: Callable[[], T], patience: float = PATIENCE) -> T:
    """Ask again until the answer is true; a failed request counts as no answer."""
    give_up = time.monotonic() + patience
    while True:
        with contextlib.suppress(requests.RequestException):
            if answer := ask():
                return answer
        assert time.monotonic() < give_up, "it never happened"
        threading.Event().wait(0.05)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@dataclass
class Running:
    """A process of the installed command."""

    process: "subprocess.Popen[bytes]"
    url: str
    log_file: Path

    @property
    def log(self) -> list[str]:
        return self.log_file.read_text().splitlines()

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=PATIENCE, **kwargs)

    def sample(self, name: str, path: str = "/metrics") -> float | None:
        """The value of one sample, labels as on the page."""
        match = re.search(rf"^{re.escape(name)} (\S+)$", self.get(path).text, re.MULTILINE)
        return float(match[1]) if match else None


@contextlib.contextmanager
def running(
    *flags: str, command: tuple[str, ...] = (str(COMMAND),), scheme: str = "http"
) -> Iterator[Running]:
    """Run the command on a free port until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        log_file = Path(folder) / "log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [*command, "--web.listen-address=127.0.0.1:0", *flags],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        try:
            port = until(
                lambda: (
                    re.search(r"msg=listening addresses=\S+:(\d+)", log_file.read_text())
                    or process.poll() is not None
                )
            )
            assert not isinstance(port, bool), log_file.read_text()
            yield Running(process, f"{scheme}://127.0.0.1:{port[1]}", log_file)
        finally:
            process.terminate()
            process.wait(PATIENCE)


@pytest.fixture(scope="session")
def demo() -> Iterator[Running]:
    """One exporter of the demo, with its margin assets, for all tests that only read from it."""
    with running("--demo") as exporter:
        until(lambda: "binance_asset_index_margin_available" in exporter.get("/metrics").text)
        yield exporter


def module(base_url: str, **settings: Any) -> dict[str, Any]:
    return {"base_url": base_url, "margin_assets": {"enabled": False}} | settings


@pytest.fixture
def config_file(tmp_path) -> Callable[..., str]:
    """Writes the modules into a configuration file, and gives the flag that names it."""

    def write(**modules: dict[str, Any]) -> str:
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump({"modules": modules}))
        return f"--config.file={file}"

    return write


class Clock:
    """The simulator's clock: the real time, plus as many seconds as the test sets."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def exchange(clock) -> Callable[..., Any]:
    """Serves the simulator; gives the exchange and its base URL."""
    with contextlib.ExitStack() as stack:

        def start(scenario: str = "calm", **kwargs: Any) -> tuple[Exchange, str]:
            exchange = Exchange(scenario, clock=clock, **kwargs)
            return exchange, stack.enter_context(serve(exchange))

        yield start


@dataclass(frozen=True)
class Message:
    """What Alertmanager sends to a receiver.

    Attributes:
        path: Of the URL it was sent to, without slashes.
        alerts: Those in the message.
    """

    path: str
    alerts: list[dict[str, Any]]

    @property
    def instances(self) -> list[str]:
        return sorted(alert["labels"]["instance"] for alert in self.alerts)


@pytest.fixture
def receiver() -> Iterator[tuple[str, "queue.Queue[Message]"]]:
    """A webhook that keeps the messages it is sent; gives its URL and their queue."""
    with receiving() as hook:
        yield hook


@contextlib.contextmanager
def receiving() -> Iterator[tuple[str, "queue.Queue[Message]"]]:
    """Serve such a webhook until the block ends."""
    messages: queue.Queue[Message] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            messages.put(Message(self.path.strip("/"), body["alerts"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", messages
        server.shutdown()


@pytest.fixture
def background() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Processes that end with the test."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in reversed(processes):
        process.terminate()
        process.wait(PATIENCE)


def start(processes: list["subprocess.Popen[bytes]"], *command: str) -> None:
    processes.append(
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    )
