"""A real Prometheus with a day of history, the recorded series of that day included."""

import contextlib
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
import yaml

from exporter.history.__main__ import main as write_history
from tests.dashboards.conftest import ROOT
from tests.end_to_end.conftest import PATIENCE, free_port, until

STEP = 120
DAY = 86400
RULES = yaml.safe_load((ROOT / "rules" / "recording.yaml").read_text())["groups"]


class HistoryServer:
    """Blocks in a folder, and a Prometheus on them that starts anew when blocks are added.

    Args:
        folder: takes the blocks.
        prometheus: the binary.
        promtool: the binary.
    """

    def __init__(self, folder: Path, prometheus: str, promtool: str) -> None:
        self._folder = folder
        self._prometheus = prometheus
        self._promtool = promtool
        self._url = ""
        self.end = int(time.time()) // STEP * STEP

    def load(self) -> None:
        """Write the scrapes of a day, and then what the recording rules make of them."""
        text: list[str] = []
        with contextlib.redirect_stdout(_Lines(text)):
            end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.end))
            write_history(["--step", f"{STEP}s", "--end", end])
        self._add("".join(text))
        for rules in _in_order([rule for group in RULES for rule in group["rules"]]):
            with self.running():
                self._add("".join(_openmetrics(rules, [self.day(rule["expr"]) for rule in rules])))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        config = self._folder / "prometheus.yml"
        config.write_text("{}")
        address = f"127.0.0.1:{free_port()}"
        self._url = f"http://{address}"
        command = [
            self._prometheus,
            f"--config.file={config}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address={address}",
            "--storage.tsdb.retention.time=3d",
        ]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            until(lambda: requests.get(f"{self._url}/-/ready", timeout=PATIENCE).ok)
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)

    def now(self, expr: str) -> list[Any]:
        """The answer for the last moment of the history."""
        return self._ask("query", query=expr, time=self.end)

    def day(self, expr: str, step: int = STEP) -> list[Any]:
        """The answer for the whole history."""
        return self._ask("query_range", query=expr, start=self.end - DAY, end=self.end, step=step)

    def label_values(self, label: str, selector: str) -> list[str]:
        answer = requests.get(
            f"{self._url}/api/v1/label/{label}/values",
            {"match[]": selector, "start": self.end - DAY, "end": self.end},
            timeout=PATIENCE,
        )
        values: list[str] = answer.json()["data"]
        return values

    def _ask(self, path: str, **params: str | int) -> list[Any]:
        answer = requests.post(f"{self._url}/api/v1/{path}", params, timeout=PATIENCE).json()
        assert answer["status"] == "success", answer
        result: list[Any] = answer["data"]["result"]
        return result

    def _add(self, text: str) -> None:
        file = self._folder / "history.om"
        file.write_text(text)
        command = [self._promtool, "tsdb", "create-blocks-from", "openmetrics", file]
        subprocess.run([*command, self._folder / "data"], check=True, stdout=subprocess.DEVNULL)


class _Lines:
    """The part of a text file that the history writes to."""

    def __init__(self, lines: list[str]) -> None:
        self.writelines = lines.extend


def _in_order(rules: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The rules in rounds: a round rests only on what those before it have recorded."""
    waiting = list(rules)
    while waiting:
        names = [rule["record"] for rule in waiting]
        ready = [
            rule
            for number, rule in enumerate(waiting)
            if not set(_recorded(rule["expr"]))
            & {name for i, name in enumerate(names) if name != rule["record"] or i < number}
        ]
        yield ready
        waiting = [rule for rule in waiting if rule not in ready]


def _recorded(expr: str) -> list[str]:
    return re.findall(r"[a-z_]+:[a-z0-9_:]+", expr)


def _openmetrics(rules: list[dict[str, Any]], answers: list[list[Any]]) -> Iterator[str]:
    families: dict[str, list[str]] = {}
    for rule, answer in zip(rules, answers, strict=True):
        lines = families.setdefault(rule["record"], [])
        for series in answer:
            labels = {**series["metric"], **rule.get("labels", {})}
            labels.pop("__name__", None)
            text = ",".join(f'{name}="{value}"' for name, value in labels.items())
            lines.extend(
                f"{rule['record']}{{{text}}} {value} {moment}\n"
                for moment, value in series["values"]
            )
    for name, lines in families.items():
        yield f"# TYPE {name} gauge\n"
        yield from lines
    yield "# EOF\n"
