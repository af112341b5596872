"""Make a Prometheus data folder with a day of history: `python -m exporter.history.load FOLDER`.

It holds the scrapes that `python -m exporter.history` writes, what the recording rules make of
them, and the alerts that fire. promtool can evaluate rules too, but no rule then sees what another
one recorded, and alerts are left out. Here rules are evaluated in the order in which they depend
on each other.
"""

import argparse
import contextlib
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
import yaml

from exporter import files
from exporter.config import duration
from exporter.history import alerts as alert_history
from exporter.history.progress import shown

_FOLDER = files.root() / "rules"
RULES = (_FOLDER / "recording.yaml", _FOLDER / "alerts.yaml")

_PATIENCE = 60
"""Seconds for a server to be ready, and for an answer."""

Rule = dict[str, Any]


def load(
    folder: Path, seconds: int, step: int, end: int, *flags: str, rules: Sequence[Path] = RULES
) -> None:
    """Fill a folder that no Prometheus uses.

    Args:
        folder: Takes the blocks.
        seconds: How long the history is.
        step: Seconds from one scrape to the next.
        end: Unix time of the last one, a multiple of `step`.
        flags: Further flags of `python -m exporter.history`.
        rules: The files of rules.
    """
    span = {"start": end - seconds, "end": end, "step": step}
    with tempfile.TemporaryFile("w+") as output:
        command = [sys.executable, "-m", "exporter.history", f"--step={step}s"]
        moment = datetime.fromtimestamp(end, UTC).isoformat()
        command += [f"--duration={seconds}s", f"--end={moment}", *flags]
        subprocess.run(command, check=True, stdout=output)
        output.seek(0)
        add_blocks(folder, output)
    record(folder, span, rules)
    alerts = _rules(rules, "alert")
    fired = list(zip(alerts, _evaluated(folder, alerts, span), strict=True))
    add_blocks(folder, alert_history.openmetrics(fired, step, end))


def record(folder: Path, span: dict[str, int], rules: Sequence[Path] = RULES) -> None:
    """Add what recording rules make of the blocks in a folder.

    Args:
        folder: One that no Prometheus uses.
        span: `start`, `end` and `step` of a range query.
        rules: The files of rules.
    """
    rounds = list(_rounds(_rules(rules, "record")))
    for ready in shown(rounds, len(rounds), "history: recording rules"):
        add_blocks(folder, _openmetrics(ready, _evaluated(folder, ready, span)))


def add_blocks(folder: Path, lines: Iterable[str]) -> None:
    """Add blocks to a folder that no Prometheus uses.

    Args:
        folder: Takes the blocks.
        lines: OpenMetrics text with timestamps.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".om") as file:
        file.writelines(lines)
        file.flush()
        # of two hours otherwise: a dozen files to write now, and to compact later
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics"]
        command += ["--max-block-duration=24h", file.name, str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _rules(files: Sequence[Path], kind: str) -> list[Rule]:
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def _evaluated(folder: Path, rules: Sequence[Rule], span: dict[str, int]) -> list[list[Any]]:
    with running(folder) as url:
        return [ask(url, "query_range", query=rule["expr"], **span) for rule in rules]


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
    parser = argparse.ArgumentParser(prog="python -m exporter.history.load")
    parser.add_argument("folder", type=Path, help="storage.tsdb.path of the Prometheus to be")
    parser.add_argument("--duration", default="24h", help="default %(default)s")
    parser.add_argument("--step", default="60s", help="scrape interval, default %(default)s")
    parser.add_argument(
        "--end", type=datetime.fromisoformat, help="last scrape, RFC 3339 (default now)"
    )
    parser.add_argument("--instance", help="label of all series (default localhost:10198)")
    parser.add_argument("--seed", type=int, help="of prices and latencies (default 1)")
    parser.add_argument(
        "--rules",
        type=Path,
        action="append",
        default=list(RULES),
        metavar="FILE",
        help="rules beside those of this project, may be repeated",
    )
    parser.add_argument(
        "--if-empty", action="store_true", help="do nothing if the folder has anything in it"
    )
    flags = parser.parse_args()
    if flags.if_empty and flags.folder.is_dir() and any(flags.folder.iterdir()):
        return
    step = int(duration.parse(flags.step))
    end = flags.end.timestamp() if flags.end else time.time()
    given = {"instance": flags.instance, "seed": flags.seed}
    load(
        flags.folder,
        int(duration.parse(flags.duration)),
        step,
        int(end) // step * step,
        *(f"--{name}={value}" for name, value in given.items() if value is not None),
        rules=flags.rules,
    )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted; the folder's history is incomplete")
