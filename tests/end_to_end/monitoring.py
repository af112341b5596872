"""Prometheus and Alertmanager for tests: faster than in production, killed and started again."""

import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.end_to_end.conftest import COMMAND, PATIENCE, free_port, until

FASTER = int(os.environ.get("FASTER", "15"))
"""How much faster than in production rules and Alertmanager run: 15 seconds are one."""

LONG = 2 * PATIENCE * max(15 / FASTER, 1)
"""Seconds after which an alert is taken as never to fire."""

ROOT = Path(__file__).parents[2]
RULES = (ROOT / "rules" / "recording.yaml", ROOT / "rules" / "alerts.yaml")

Tool = Callable[[str, str], str]

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:^|(?<=[\[:])|(?<=offset ))(\d+)([smhd])(?=[\]:]|$|\s|\))")


def faster(value: Any) -> Any:
    """A configuration or rules with shorter durations, in expressions too."""
    if isinstance(value, dict):
        return {key: faster(each) for key, each in value.items()}
    if isinstance(value, list):
        return [faster(each) for each in value]
    if isinstance(value, str):
        return _DURATION.sub(
            lambda found: f"{int(found[1]) * _SECONDS[found[2]] * 1000 // FASTER}ms", value
        )
    return value


def ask(url: str, query: str) -> list[dict[str, Any]]:
    """The result of an instant query."""
    answer = requests.get(f"{url}/api/v1/query", {"query": query}, timeout=PATIENCE).json()
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


def write(file: Path, document: Any) -> Path:
    """Write a YAML file."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(document))
    return file


def write_faster(folder: Path, *rule_files: Path) -> None:
    """Write rule files that are evaluated faster, under their names."""
    for file in rule_files:
        write(folder / file.name, faster(yaml.safe_load(file.read_text())))


def alertmanager_configuration(hook: str) -> dict[str, Any]:
    """That of deploy/, but faster, and with each receiver's name as its path of the webhook."""
    file = ROOT / "deploy" / "alertmanager.yml"
    document: dict[str, Any] = faster(yaml.safe_load(file.read_text()))
    for receiver in document["receivers"]:
        receiver["webhook_configs"][0]["url"] = f"{hook}/{receiver['name']}"
    return document


@dataclass
class Server:
    """A server that can be killed, and started again at the same address.

    Attributes:
        address: HOST:PORT.
        command: Runs it.
    """

    address: str
    command: list[str]
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def wait_until_ready(self) -> None:
        until(lambda: requests.get(f"{self.url}/-/ready", timeout=PATIENCE).ok)

    def stop(self) -> None:
        """End it as its administrator does."""
        if self._process:
            self._process.terminate()
            self._process.wait(PATIENCE)
            self._process = None

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None


@contextlib.contextmanager
def all_running(*servers: Server) -> Iterator[None]:
    """Run them until the block ends; they start side by side."""
    try:
        for server in servers:
            server.start()
        for server in servers:
            server.wait_until_ready()
        yield
    finally:
        for server in servers:
            server.kill()


def address() -> str:
    """One that nobody listens on."""
    return f"127.0.0.1:{free_port()}"


def exporter_at(address: str, config: Path, *flags: str) -> Server:
    """An exporter; a scrape may take most of its second."""
    command = [str(COMMAND), f"--config.file={config}", f"--web.listen-address={address}"]
    return Server(address, [*command, "--timeout-offset=0.1", *flags])


def prometheus_at(address: str, tool: Tool, folder: Path, configuration: dict[str, Any]) -> Server:
    """A Prometheus that keeps its configuration and data in the folder."""
    return Server(
        address,
        [
            tool("prometheus", "prometheus"),
            f"--config.file={write(folder / 'prometheus.yml', configuration)}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            f"--rules.alert.resend-delay={faster('1m')}",
        ],
    )


def alertmanager_at(
    address: str, tool: Tool, folder: Path, configuration: dict[str, Any], *flags: str
) -> Server:
    """An Alertmanager likewise."""
    return Server(
        address,
        [
            tool("prometheus-alertmanager", "prometheus-alertmanager"),
            f"--config.file={write(folder / 'alertmanager.yml', configuration)}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address={address}",
            *flags,
        ],
    )
