"""Long-term storage for tests: VictoriaMetrics, what writes into it, and what it answers."""

import math
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.end_to_end.conftest import PATIENCE, until
from tests.end_to_end.monitoring import Server, Tool, faster, prometheus_at, write

ROOT = Path(__file__).parents[2]
WRITERS = ("agent", "vmagent")
PRECISION = 2e-12
"""VictoriaMetrics keeps 12 digits of a number."""
DISTANCE = 1e-7
"""What that may make of a difference of two prices, multiplied by 10,000 USD."""

Labels = frozenset[tuple[str, str]]
Answer = dict[Labels, list[float]]
"""For each series, by its labels, time and value of each sample."""


def scraping(file: str, target: str) -> dict[str, Any]:
    """A file of deploy/remote-write that scrapes this target each second."""
    document = yaml.safe_load((ROOT / "deploy" / "remote-write" / file).read_text())
    document["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
    (job,) = document["scrape_configs"]
    job["static_configs"] = [{"targets": [target.removeprefix("http://")]}]
    return document


def rules(name: str) -> dict[str, Any]:
    """A file of our rules, faster. vmalert knows keep_firing_for since 1.92; Debian's is older."""
    document = faster(yaml.safe_load((ROOT / "rules" / name).read_text()))
    for group in document["groups"]:
        for rule in group["rules"]:
            rule.pop("keep_firing_for", None)
    return document


def victoria_metrics_at(at: str, tool: Tool, folder: Path) -> Server:
    return Server(
        at,
        [
            tool("victoria-metrics", "victoria-metrics"),
            f"-httpListenAddr={at}",
            f"-storageDataPath={folder}",
            "-search.latencyOffset=0s",  # a test does not wait until a sample is 30 s old
            "-search.disableCache",
        ],
    )


QUICK = {"batch_send_deadline": "200ms"}


def witness_at(at: str, tool: Tool, folder: Path, rule_files: list[Path], store: Server) -> Server:
    recorded = {"source_labels": ["__name__"], "regex": ".+:.+", "action": "keep"}
    to_the_store = {"url": f"{store.url}/api/v1/write", "queue_config": QUICK}
    configuration = {
        "rule_files": list(map(str, rule_files)),
        "remote_write": [to_the_store | {"write_relabel_configs": [recorded]}],
    }
    server = prometheus_at(at, tool, folder / "witness", configuration)
    server.command.append("--web.enable-remote-write-receiver")
    return server


def agent_at(at: str, tool: Tool, folder: Path, target: str, urls: list[str]) -> Server:
    configuration = scraping("victoriametrics.yml", target)
    configuration["global"]["external_labels"]["writer"] = "agent"
    configuration["remote_write"] = [
        {**each, "url": url, "queue_config": each["queue_config"] | QUICK}
        for each in configuration["remote_write"]
        for url in urls
    ]
    return Server(
        at,
        [
            tool("prometheus", "prometheus"),
            "--enable-feature=agent",
            f"--config.file={write(folder / 'agent.yml', configuration)}",
            f"--storage.agent.path={folder / 'agent'}",
            f"--web.listen-address={at}",
        ],
    )


def vmagent_at(at: str, tool: Tool, folder: Path, target: str, urls: list[str]) -> Server:
    configuration = scraping("vmagent.yml", target)
    configuration["global"]["external_labels"]["writer"] = "vmagent"
    return Server(
        at,
        [
            tool("vmagent", "victoria-metrics"),
            f"-httpListenAddr={at}",
            f"-promscrape.config={write(folder / 'vmagent.yml', configuration)}",
            f"-remoteWrite.tmpDataPath={folder / 'vmagent'}",
            "-remoteWrite.queues=1",  # the witness takes samples in order only
            *(f"-remoteWrite.url={url}" for url in urls),
        ],
    )


def vmalert_at(
    at: str, tool: Tool, rule_files: list[Path], store: Server, results: Server
) -> Server:
    return Server(
        at,
        [
            tool("vmalert", "victoria-metrics"),
            f"-httpListenAddr={at}",
            *(f"-rule={file}" for file in rule_files),
            f"-datasource.url={store.url}",
            f"-remoteWrite.url={results.url}",
            "-remoteWrite.flushInterval=200ms",
            "-notifier.url=http://127.0.0.1:1",
        ],
    )


def scrapes(url: str) -> int:
    """How many scrapes of each writer have arrived, at least."""
    counts = [count for _, count in now(url, "count_over_time(up[1h])").values()]
    return int(min(counts)) if len(counts) == len(WRITERS) else 0


def another_scrape(url: str) -> None:
    known = scrapes(url)
    until(lambda: scrapes(url) > known)


def series(url: str, selector: str) -> set[Labels]:
    answer = requests.get(f"{url}/api/v1/series", {"match[]": selector}, timeout=PATIENCE).json()
    return {frozenset(labels.items()) for labels in answer["data"]}


def now(url: str, query: str, moment: float | None = None) -> Answer:
    """The answer to a query, without the stale markers that VictoriaMetrics returns as NaN."""
    params = {"query": query} | ({"time": moment} if moment else {})
    answer = requests.get(f"{url}/api/v1/query", params, timeout=PATIENCE).json()
    found = {}
    for each in answer["data"]["result"]:
        pairs = each.get("values") or [each["value"]]
        samples = [(float(at), float(value)) for at, value in pairs if value != "NaN"]
        found[frozenset(each["metric"].items())] = [number for pair in samples for number in pair]
    return found


def agree(one: Answer, other: Answer) -> bool:
    return one.keys() == other.keys() and all(same(one[each], other[each]) for each in one)


def same(one: list[float], other: list[float]) -> bool:
    return len(one) == len(other) and all(
        math.isclose(a, b, rel_tol=PRECISION, abs_tol=DISTANCE)
        for a, b in zip(one, other, strict=True)
    )
