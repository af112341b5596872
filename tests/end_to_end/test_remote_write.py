"""From the exporter into long-term storage: by a Prometheus in agent mode, and by vmagent.

The store is VictoriaMetrics. The witness is a Prometheus that never stops and gets the same
samples from the same two writers; it evaluates our rules and writes what they record to the store.
So the store must hold what the witness holds, and give the same answers. vmalert evaluates the
rules on the store, and writes elsewhere.

The store is away for three seconds; `make storage-test` makes it a minute.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from exporter.simulator.exchange import Exchange
from exporter.simulator.scenarios import CALM, Keyframe, Scenario
from exporter.simulator.server import serve
from tests.dashboards.conftest import TARGETS
from tests.dashboards.test_queries import as_grafana_asks
from tests.end_to_end.conftest import PATIENCE, Clock, module, running, until
from tests.end_to_end.monitoring import Server, address, all_running, write
from tests.end_to_end.storage import (
    WRITERS,
    Answer,
    Labels,
    agent_at,
    agree,
    another_scrape,
    now,
    rules,
    same,
    scrapes,
    series,
    victoria_metrics_at,
    vmagent_at,
    vmalert_at,
    witness_at,
)

AWAY_SECONDS = int(os.environ.get("STORE_AWAY", "3"))
RECORDED = '{__name__=~".+:.+"}'
RAISED = {"BTC": 5}
EVENTS = Scenario(
    "BTC's haircuts rise, then FDUSD leaves the list",
    {
        0: CALM,
        60: Keyframe(haircut_points=RAISED),
        120: Keyframe(haircut_points=RAISED, unlisted=frozenset({"FDUSD"})),
    },
)


@dataclass(frozen=True)
class Servers:
    store: Server
    witness: Server
    vmagent: Server
    results: Server
    """Where vmalert writes."""


@pytest.fixture(scope="module")
def servers(tool, tmp_path_factory, exporter) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("remote_write")
    rule_files = [write(folder / name, rules(name)) for name in ("recording.yaml", "alerts.yaml")]
    store, results = (
        victoria_metrics_at(address(), tool, folder / name) for name in ("store", "results")
    )
    witness = witness_at(address(), tool, folder, rule_files, store)
    urls = [f"{each.url}/api/v1/write" for each in (store, witness)]
    agent = agent_at(address(), tool, folder, exporter, urls)
    vmagent = vmagent_at(address(), tool, folder, exporter, urls)
    vmalert = vmalert_at(address(), tool, rule_files, store, results)
    with all_running(store, results, witness, agent, vmagent, vmalert):
        yield Servers(store, witness, vmagent, results)


@pytest.fixture(scope="module")
def exchange() -> Iterator[tuple[Clock, str, ExitStack]]:
    """The simulator's clock and base URL, and what stops it."""
    clock = Clock()
    with ExitStack() as stack:
        yield clock, stack.enter_context(serve(Exchange(EVENTS, clock=clock))), stack


@pytest.fixture(scope="module")
def exporter(exchange, tmp_path_factory) -> Iterator[str]:
    _, base_url, _ = exchange
    default = module(base_url, margin_assets={"enabled": True})
    file = write(tmp_path_factory.mktemp("exporter") / "c.yaml", {"modules": {"default": default}})
    with running(f"--config.file={file}") as exporter:
        yield exporter.url


@dataclass(frozen=True)
class Story:
    """What has happened. The processes still run; tests ask for moments of the past.

    Attributes:
        recorded: The series that the witness had recorded before anything happened.
        calm: When the store was stopped, as Unix time. While it was away, BTC's haircuts rose.
        back: When it was started again, and vmagent with it.
        delisted: After FDUSD had left the list.
        down: After the exchange had stopped.
    """

    recorded: set[Labels]
    calm: float
    back: float
    delisted: float
    down: float


@pytest.fixture(scope="module")
def story(servers, exchange) -> Story:
    clock, _, stop_exchange = exchange
    store, witness = servers.store.url, servers.witness.url
    until(lambda: scrapes(witness) >= 6)  # changes() counts a first sample in VictoriaMetrics
    until(lambda: series(store, RECORDED) == series(witness, RECORDED))
    recorded, calm = series(witness, RECORDED), time.time()
    servers.store.stop()
    clock.ahead = 70
    for _ in range(AWAY_SECONDS):
        another_scrape(witness)
    servers.vmagent.stop()
    servers.vmagent.start()
    another_scrape(witness)
    servers.store.start()
    servers.store.wait_until_ready()
    back = time.time()
    clock.ahead = 130
    until(lambda: not now(witness, 'binance_asset_index_price_usd{symbol="FDUSDUSD"}'))
    delisted = time.time()
    stop_exchange.close()
    until(lambda: not now(witness, "binance_asset_index_up == 1"))
    return Story(recorded, calm, back, delisted, time.time())


def raw(writer: str) -> str:
    return f'{{writer="{writer}", __name__=~"up|scrape_.+|binance_.+"}}'


@pytest.mark.parametrize("selector", [*map(raw, WRITERS), RECORDED])
def test_nothing_is_lost_and_nothing_doubled(servers, story, selector):
    urls = servers.store.url, servers.witness.url
    until(lambda: agree(*(now(url, f"{selector}[1h]", story.down) for url in urls)))
    samples = next(iter(now(servers.store.url, f"{selector}[1h]", story.back).values()))
    meanwhile = [moment for moment in samples[::2] if story.calm < moment < story.back]
    assert len(meanwhile) >= AWAY_SECONDS


@pytest.mark.parametrize("writer", WRITERS)
def test_a_series_ends_in_the_store_with_the_scrape_that_lacks_it(servers, story, writer):
    def last_price() -> float | None:
        price = f'binance_asset_index_price_usd{{symbol="FDUSDUSD", writer="{writer}"}}'
        export = requests.get(
            f"{servers.store.url}/api/v1/export", {"match[]": price}, timeout=PATIENCE
        )
        return json.loads(export.text)["values"][-1]

    until(lambda: last_price() is None)  # a stale marker


def test_a_failed_fetch_leaves_no_prices_in_the_store(servers, story):
    def values(metric: str, moment: float) -> list[float]:
        return [value for _, value in now(servers.store.url, metric, moment).values()]

    until(lambda: values("binance_asset_index_up", story.down) == [0, 0])
    assert values("up", story.down) == [1, 1]
    assert values("binance_asset_index_price_usd", story.down) == []
    assert values("binance_asset_index_price_usd", story.delisted) != []


def queries() -> Iterator[Any]:
    for target in TARGETS:
        yield pytest.param(as_grafana_asks(target.expr, ".+"), id=str(target))
    for file in ("recording.yaml", "alerts.yaml"):
        groups = rules(file)["groups"]
        for number, rule in enumerate(rule for group in groups for rule in group["rules"]):
            name = rule.get("record") or rule["alert"]
            yield pytest.param(rule["expr"], id=f"{file} {number} {name}")


@pytest.mark.parametrize("query", list(queries()))
def test_a_query_has_the_answer_of_prometheus(servers, story, query):
    def answer(server: Server, moment: float) -> Answer:
        """Without names: those of computed values differ, and nobody reads them."""
        return {
            frozenset(pair for pair in labels if pair[0] != "__name__"): values
            for labels, values in now(server.url, query, moment).items()
        }

    def alike(moment: float) -> bool:
        store, witness = (answer(each, moment) for each in (servers.store, servers.witness))
        if "increase(" in query:  # in VictoriaMetrics a new counter has begun at 0
            return store.keys() >= witness.keys()
        if "rate(" in query:  # VictoriaMetrics does not extrapolate to the whole window
            return store.keys() == witness.keys()
        if query.startswith("topk(1,"):  # of equal ones either may be the first
            return len(store) == len(witness) and all(map(same, store.values(), witness.values()))
        return agree(store, witness)

    until(lambda: alike(story.calm))
    if "ALERTS" not in query:  # the store has none
        until(lambda: alike(story.delisted))


def test_vmalert_records_what_prometheus_records(servers, story):
    until(lambda: story.recorded <= series(servers.results.url, RECORDED))
    more = series(servers.results.url, RECORDED) - series(servers.witness.url, RECORDED)
    names = {dict(labels)["__name__"] for labels in more}
    assert names <= {
        "endpoint:binance_api_request_failures:ratio15m",  # increase() of new counters
        "instance:binance_asset_index_down:bool",  # of the moment before the first sample was there
    }


def test_vmalert_fires(servers, story):
    firing = 'ALERTS{alertstate="firing", alertname="BinanceAssetIndexDown", severity="warning"}'
    alerts = until(lambda: series(servers.results.url, firing))
    assert {dict(labels)["writer"] for labels in alerts} <= set(WRITERS)


def test_a_query_is_asked_that_has_an_answer(servers, story):
    answered = [param for param in queries() if now(servers.witness.url, *param.values, story.calm)]
    assert len(answered) > 90
