"""deploy/sharding/ with real processes: two shards, and what they have in common."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.deploy.conftest import accepts
from tests.end_to_end.conftest import PATIENCE, running, until
from tests.end_to_end.monitoring import Server, address, all_running, prometheus_at

FOLDER = Path(__file__).parents[2] / "deploy" / "sharding"
HOSTS = [f"127.0.0.{number}" for number in range(1, 17)]
"""All of them are this machine, so that one exporter is sixteen targets."""
WEIGHT = "instance:binance_api_used_weight:ratio"


@pytest.mark.parametrize("file", ["shard.yml", "global.yml"])
def test_promtool_accepts_the_file(tool: Callable[[str, str], str], file: str) -> None:
    accepts(tool("promtool", "prometheus"), "check", "config", FOLDER / file)


def test_the_docs_quote_the_files() -> None:
    page = (FOLDER.parents[1] / "docs" / "scaling.md").read_text()
    quoted = re.findall(r"```yaml\n( .*?)```", page, re.DOTALL)
    assert len(quoted) == 2
    assert all(each in (FOLDER / "shard.yml").read_text() for each in quoted)


def load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    document["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
    return document


def shard(number: int, targets: Path, store: str) -> dict[str, Any]:
    """The file as the shard with this number has it, with the addresses of the test."""
    text = re.sub(r'"0"', f'"{number}"', (FOLDER / "shard.yml").read_text())
    document: dict[str, Any] = load("shard.yml") | {
        key: value for key, value in yaml.safe_load(text).items() if key != "global"
    }
    document["global"]["external_labels"] = {"shard": str(number)}
    document["rule_files"] = [str((FOLDER / each).resolve()) for each in document["rule_files"]]
    document["alerting"]["alertmanagers"] = []
    document["scrape_configs"][0]["file_sd_configs"] = [{"files": [str(targets)]}]
    document["remote_write"][0]["url"] = f"http://{store}/api/v1/write"
    return document


class Stack:
    """Two shards, a Prometheus that federates, and one that they write to."""

    def __init__(self, shards: list[Server], federating: Server, store: Server) -> None:
        self.shards, self.federating, self.store = shards, federating, store


@pytest.fixture(scope="module")
def stack(
    tool: Callable[[str, str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("sharding")
    addresses = [address() for _ in range(4)]
    with running("--demo", "--web.listen-address=0.0.0.0:0") as exporter:
        port = exporter.url.rpartition(":")[2]
        targets = folder / "targets.yaml"
        targets.write_text(yaml.safe_dump([{"targets": [f"{host}:{port}" for host in HOSTS]}]))
        configurations = [shard(number, targets, addresses[3]) for number in range(2)]
        common = load("global.yml")
        common["scrape_configs"][0]["static_configs"] = [{"targets": addresses[:2]}]
        servers = []
        for place, document in zip(addresses, [*configurations, common, {}], strict=True):
            own = folder / place.rpartition(":")[2]
            own.mkdir()
            servers.append(prometheus_at(place, tool, own, document))
        servers[3].command.append("--web.enable-remote-write-receiver")
        with all_running(*servers):
            yield Stack(servers[:2], servers[2], servers[3])


def ask(server: Server, query: str) -> list[Any]:
    answer = requests.get(f"{server.url}/api/v1/query", {"query": query}, timeout=PATIENCE)
    found: list[Any] = answer.json()["data"]["result"]
    return found


def labels(server: Server, query: str, label: str) -> set[str]:
    return {each["metric"].get(label, "") for each in ask(server, f"count by ({label}) ({query})")}


def hosts(server: Server, query: str) -> set[str]:
    return {each.rpartition(":")[0] for each in labels(server, query, "instance")}


def test_each_target_is_scraped_by_exactly_one_shard(stack: Stack) -> None:
    until(lambda: set().union(*(hosts(each, "up == 1") for each in stack.shards)) == set(HOSTS))
    first, second = (hosts(each, "up") for each in stack.shards)
    assert first
    assert second
    assert first & second == set()


def test_of_each_target_the_address_is_watched_and_the_index_dropped(stack: Stack) -> None:
    def of_all(query: str) -> set[str]:
        return set().union(*(hosts(each, query) for each in stack.shards))

    until(lambda: of_all("binance_asset_index_up == 1") == set(HOSTS))
    assert of_all("binance_api_used_weight") == set(HOSTS)
    assert of_all('{__name__=~"binance_.+", symbol!=""}') == set()


def test_federation_brings_what_the_rules_recorded_and_little_else(stack: Stack) -> None:
    until(lambda: hosts(stack.federating, WEIGHT) == set(HOSTS))
    assert labels(stack.federating, WEIGHT, "shard") == {"0", "1"}
    names = labels(stack.federating, '{job="binance_asset_index_addresses"}', "__name__")
    others = {name for name in names if ":" not in name}
    assert others <= {"ALERTS", "binance_asset_index_up"}


def test_the_store_gets_what_the_rules_recorded_and_little_else(stack: Stack) -> None:
    until(lambda: hosts(stack.store, WEIGHT) == set(HOSTS))
    names = labels(stack.store, '{__name__!=""}', "__name__")
    others = {name for name in names if ":" not in name}
    own = {"up", "binance_asset_index_up", "binance_api_blocked_until_timestamp_seconds"}
    assert others <= {"ALERTS", *own}
