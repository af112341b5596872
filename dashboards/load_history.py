"""Make a Prometheus data folder with a day of history: `python -m dashboards.load_history FOLDER`.

It holds the scrapes that `python -m exporter.history` writes, and what the recording rules make of
them. Of promtool's two commands for that, the one for rules is not used: it shows a rule nothing of
what the others have just recorded. Here they are asked in the order in which they rest on each
other.
"""

import argparse
import contextlib
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
import yaml

from exporter import duration

RULES = Path(__file__).parents[1] / "rules" / "recording.yaml"

_PATIENCE = 60
"""Seconds for a server to be ready, and for an answer."""

Rule = dict[str, Any]


def load(folder: Path, seconds: int, step: int, end: int) -> None:
    """Fill a folder that no Prometheus uses.

    Args:
        folder: takes the blocks.
        seconds: how long the history is.
        step: seconds from one scrape to the next.
        end: Unix time of the last one, a multiple of `step`.
    """
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "history.om"
        with file.open("w") as output:
            command = [sys.executable, "-m", "exporter.history", f"--step={step}s"]
            moment = datetime.fromtimestamp(end, UTC).isoformat()
            span = [f"--duration={seconds}s", f"--end={moment}"]
            subprocess.run([*command, *span], check=True, stdout=output)
        _add_blocks(folder, file)
        groups = yaml.safe_load(RULES.read_text())["groups"]
        for rules in _rounds([rule for group in groups for rule in group["rules"]]):
            params = {"start": end - seconds, "end": end, "step": step}
            with running(folder) as url:
                answers = [ask(url, "query_range", query=rule["expr"], **params) for rule in rules]
            with file.open("w") as output:
                output.writelines(_openmetrics(rules, answers))
            _add_blocks(folder, file)


@contextlib.contextmanager
def running(folder: Path, configuration: str = "") -> Iterator[str]:
    """Run a Prometheus on a folder; without a configuration it scrapes nothing. Yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as config:
        config.write(configuration)
        config.flush()
        command = ["prometheus", f"--config.file={config.name}", f"--storage.tsdb.path={folder}"]
        server = subprocess.Popen(
            [*command, f"--web.listen-address={address}"], stderr=subprocess.DEVNULL
        )
        try:
            _wait_until_ready(f"http://{address}", server)
            yield f"http://{address}"
        finally:
            server.terminate()
            server.wait(_PATIENCE)


def ask(url: str, path: str, **params: str | int) -> list[Any]:
    """Ask the HTTP API of Prometheus for series.

    Raises:
        RuntimeError: Prometheus refuses the query.
    """
    answer = requests.post(f"{url}/api/v1/{path}", params, timeout=_PATIENCE).json()
    if answer["status"] != "success":
        raise RuntimeError(f"{answer['error']}, in {params}")
    result: list[Any] = answer["data"]["result"]
    return result


def _wait_until_ready(url: str, server: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < give_up:
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"{url}/-/ready", timeout=_PATIENCE).ok:
                return
        time.sleep(0.05)
    raise RuntimeError("prometheus does not start; is another one using the folder?")


def _add_blocks(folder: Path, file: Path) -> None:
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(file), str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _rounds(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """The rules in rounds, each of which rests only on what those before it have recorded.

    A rule that asks for its own record rests on those above it that record the same.
    """
    waiting = list(rules)
    while waiting:
        records = [rule["record"] for rule in waiting]
        ready = []
        for number, rule in enumerate(waiting):
            others = {each for each in records if each != rule["record"]}
            if not {*others, *records[:number]} & set(_recorded_names(rule["expr"])):
                ready.append(rule)
        yield ready
        waiting = [rule for rule in waiting if rule not in ready]


def _recorded_names(expr: str) -> list[str]:
    return re.findall(r"[a-z_]+:[a-z0-9_:]+", expr)


def _openmetrics(rules: Sequence[Rule], answers: Sequence[list[Any]]) -> Iterator[str]:
    points: dict[str, dict[str, dict[float, str]]] = {}
    for rule, answer in zip(rules, answers, strict=True):
        record = points.setdefault(rule["record"], {})
        for series in answer:
            labels = {**series["metric"], **rule.get("labels", {})}
            text = ",".join(f'{name}="{value}"' for name, value in labels.items() if name[0] != "_")
            # what differs only by __name__, as either side of an `or` may, is one series
            record.setdefault(text, {}).update(series["values"])
    for name, each in points.items():
        yield f"# TYPE {name} gauge\n"
        for text, values in each.items():
            yield from (
                f"{name}{{{text}}} {values[moment]} {moment}\n" for moment in sorted(values)
            )
    yield "# EOF\n"


def main() -> None:
    """Read the flags and fill the folder."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.load_history")
    parser.add_argument("folder", type=Path, help="storage.tsdb.path of the Prometheus to be")
    parser.add_argument("--duration", default="24h", help="default %(default)s")
    parser.add_argument("--step", default="60s", help="scrape interval, default %(default)s")
    flags = parser.parse_args()
    step = int(duration.parse(flags.step))
    load(flags.folder, int(duration.parse(flags.duration)), step, int(time.time()) // step * step)


if __name__ == "__main__":
    main()
