"""What the rules cost: a real Prometheus that scrapes, with the history they look at."""

import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.contenders import OURS, Contender, Line
from benchmarks.measure import first_page
from benchmarks.processes import running
from benchmarks.scaling import history
from benchmarks.scaling.exchange import assets
from exporter.config import duration
from exporter.history import load

_SCRAPE_INTERVAL = "10s"
_INTERVALS = {"15s": "10s"}
_SLOW_INTERVAL = "20s"
"""Shorter than those of the rules: what an evaluation takes does not depend on them."""
_SECONDS = 20
"""How long evaluations are watched: each group has one or two."""
_PATIENCE = 60  # seconds


@dataclass(frozen=True)
class Case:
    """What is scraped.

    Attributes:
        assets: How many.
        exporters: How many instances of one job show them.
        margin: Whether all coins of the list are margin assets.
    """

    assets: int
    exporters: int
    margin: bool = False

    @property
    def margin_assets(self) -> int:
        """How many of the assets are margin assets."""
        listed = assets(self.assets, margin=self.margin)
        return sum(asset.threshold is not None for asset in listed)


@dataclass
class Cost:
    """What the rules made of it.

    Attributes:
        scraped: Series, with those of the scrapes themselves.
        recorded: Series of all groups with recording rules.
        seconds: Of an evaluation, by group in the order of the files: the quickest, because the
            groups are in each other's way more often here than at the intervals of the files.
    """

    scraped: int
    recorded: int
    seconds: dict[str, float]

    @property
    def share(self) -> float:
        """Of the time in which rules are evaluated, at the intervals that the files have."""
        return sum(
            self.seconds[group] / interval for group, interval in _intervals(*load.RULES).items()
        )


async def measure(line: Line, folder: Path, case: Case) -> Cost:
    """Run a Prometheus with the rules until each group has been evaluated often enough."""
    data = folder / f"{case.assets}-{case.exporters}-{case.margin}"
    data.mkdir()
    instances = [str(number) for number in range(case.exporters)]
    history.load(data, assets(case.assets, margin=case.margin), instances, int(time.time()))
    exchange = [sys.executable, "-m", "benchmarks.scaling.exchange", str(case.assets)]
    with running([*exchange, *(["margin"] if case.margin else [])]) as upstream:
        assert upstream.stdout
        with line.start(OURS, upstream.stdout.readline().strip()) as exporter:
            await first_page(exporter, case.assets)
            with load.running(data, _configuration(folder, exporter, instances)) as url:
                return _watch(url, case)


def _configuration(folder: Path, exporter: Contender, instances: Sequence[str]) -> str:
    """The rules, evaluated more often; each instance is a target of its own of one process."""
    rules = folder / "rules.yaml"
    groups = [each for file in load.RULES for each in yaml.safe_load(file.read_text())["groups"]]
    quick = [
        {**group, "interval": _INTERVALS.get(group["interval"], _SLOW_INTERVAL)} for group in groups
    ]
    rules.write_text(yaml.safe_dump({"groups": quick}))
    target = exporter.url.split("/")[2]
    targets = [{"targets": [target], "labels": {"instance": each}} for each in instances]
    return yaml.safe_dump(
        {
            "global": dict.fromkeys(("scrape_interval", "scrape_timeout"), _SCRAPE_INTERVAL),
            "rule_files": [str(rules)],
            "scrape_configs": [{"job_name": history.JOB, "static_configs": targets}],
        }
    )


def _watch(url: str, case: Case) -> Cost:
    """The evaluations of each group after all instances have been scraped."""
    _wait_for(url, f"sum(up) == {case.exporters}")
    begun_at = time.time()
    seconds: dict[str, dict[float, float]] = defaultdict(dict)
    recorded: dict[str, int] = {}
    groups = set(_intervals(*load.RULES))
    while time.time() < begun_at + _SECONDS or set(seconds) < groups:
        if time.time() > begun_at + _SECONDS + _PATIENCE:
            raise SystemExit(f"{groups - set(seconds)} were not evaluated, with {case}")
        time.sleep(1)
        for group, at, took, samples in _last_evaluations(url):
            if at > begun_at:
                seconds[group][at] = took
                recorded[group] = samples
    scraped = load.ask(url, "query", query="sum(scrape_samples_post_metric_relabeling)")
    return Cost(
        int(scraped[0]["value"][1]),
        sum(recorded[group] for group in _intervals(load.RULES[0])),
        {group: min(seconds[group].values()) for group in _intervals(*load.RULES)},
    )


def _intervals(*files: Path) -> dict[str, float]:
    """Of the groups, in seconds."""
    groups = (each for file in files for each in yaml.safe_load(file.read_text())["groups"])
    return {group["name"]: duration.parse(group["interval"]) for group in groups}


def _last_evaluations(url: str) -> Iterator[tuple[str, float, float, int]]:
    """Of each group: when, how many seconds it took, how many series it gave."""
    page = requests.get(f"{url}/metrics", timeout=_PATIENCE).text
    values: dict[str, dict[str, float]] = defaultdict(dict)
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if "rule_group" in sample.labels:
                values[sample.labels["rule_group"].rpartition(";")[2]][sample.name] = sample.value
    last = "prometheus_rule_group_last"
    for group, of_group in values.items():
        yield (
            group,
            of_group[f"{last}_evaluation_timestamp_seconds"],
            of_group[f"{last}_duration_seconds"],
            int(of_group[f"{last}_evaluation_samples"]),
        )


def _wait_for(url: str, condition: str) -> None:
    give_up = time.monotonic() + _PATIENCE
    while not load.ask(url, "query", query=condition):
        if time.monotonic() > give_up:
            raise SystemExit(f"Prometheus did not see {condition} within {_PATIENCE} s")
        time.sleep(0.2)
