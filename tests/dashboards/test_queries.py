"""Every query of every dashboard and rule, on a real Prometheus with a day of history.

It goes on to scrape the demo, with our rules in force.
"""

import math
import re
import time
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import yaml

from dashboards.load_history import ask, load, running
from tests.dashboards.conftest import BOARDS, ROOT, TARGETS, Target
from tests.end_to_end.conftest import running as running_exporter
from tests.end_to_end.conftest import until

DAY = 86400
STEP = 120


def rules(file: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((ROOT / "rules" / file).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


each_alert = pytest.mark.parametrize(
    "rule",
    [
        pytest.param(rule, id=f"{rule['alert']} {rule['labels']['severity']}")
        for rule in rules("alerts.yaml")
    ],
)
each_record = pytest.mark.parametrize(
    "rule",
    [
        pytest.param(rule, id=f"{number} {rule['record']}")
        for number, rule in enumerate(rules("recording.yaml"))
    ],
)
each_target = pytest.mark.parametrize("target", TARGETS, ids=str)

QUIET_ALERTS = {
    "BinanceUsdtOffParity": "no scenario moves USDT",
    "BinanceYieldTokenDrawdown": "no scenario moves a yield token",
    "BinanceIndexDropped": "no scenario moves a coin",
    "BinanceRateFormulaMismatch": "the embedded exchange calculates right",
    "BinanceRowsRejected": "the embedded exchange sends good rows",
    "BinanceExporterConfigReloadFailed": "nothing is reloaded",
}
"""Alerts that the day gives no reason for."""


@dataclass(frozen=True)
class Server:
    url: str
    end: int

    def now(self, expr: str) -> list[Any]:
        """The answer for the last moment of the day."""
        return ask(self.url, "query", query=expr, time=self.end)

    def day(self, expr: str) -> list[Any]:
        """The answer for the whole of it."""
        span = {"start": self.end - DAY, "end": self.end, "step": STEP}
        return ask(self.url, "query_range", query=expr, **span)

    def label_values(self, label: str, selector: str) -> list[str]:
        params = {"match[]": selector, "start": self.end - DAY, "end": self.end}
        return requests.get(f"{self.url}/api/v1/label/{label}/values", params).json()["data"]


@pytest.fixture(scope="module")
def server(tool, tmp_path_factory):
    for name in ("prometheus", "promtool"):
        tool(name, "prometheus")
    data = tmp_path_factory.mktemp("data")
    end = int(time.time()) // STEP * STEP
    load(data, DAY, STEP, end)
    with running_exporter("--demo") as exporter, running(data, scraping(exporter.url)) as url:
        yield Server(url, end)


def scraping(target: str) -> str:
    """A configuration that goes on where the history ends."""
    demo = {
        "targets": [target.removeprefix("http://")],
        "labels": {"instance": "localhost:10198"},
    }
    return yaml.safe_dump(
        {
            "global": {"scrape_interval": "1s"},
            "rule_files": [
                str(ROOT / "rules" / each) for each in ("recording.yaml", "alerts.yaml")
            ],
            "scrape_configs": [{"job_name": "binance_asset_index", "static_configs": [demo]}],
        }
    )


def as_grafana_asks(expr: str, symbol: str) -> str:
    """The query with the variables' values, for a picture of a day with a point a step."""
    values = {
        "job": "binance_asset_index",
        "instance": ".+",  # All
        "symbol": symbol,
        "__rate_interval": f"{4 * STEP}s",
        "__interval": f"{STEP}s",
        "__range": f"{DAY}s",
    }
    return re.sub(r"\$(\w+)", lambda match: values[match[1]], expr)


def answer(server: Server, target: Target, symbol: str) -> list[float]:
    expr = as_grafana_asks(target.expr, symbol)
    if target.instant:
        return [float(series["value"][1]) for series in server.now(expr)]
    return [float(value) for series in server.day(expr) for _, value in series["values"]]


@each_target
def test_a_dashboard_s_query_finds_data(server, target):
    symbol = "USDCUSD" if "$symbol" in target.panel else ".+"  # a repeated row has one symbol
    values = answer(server, target, symbol)
    assert values
    assert not any(math.isnan(value) for value in values)


@pytest.fixture(scope="module")
def live(server):
    """The same server, once it has scraped the demo and recorded what it saw."""
    begun = int(time.time())
    for series in ("binance_asset_index_price_usd", "symbol:binance_asset_index_class:info"):
        fresh = f"timestamp({series}) > {begun}"
        until(lambda expr=fresh: ask(server.url, "query", query=expr))
    return server


@each_target
def test_a_dashboard_s_query_finds_data_while_the_demo_is_scraped(live, target):
    symbol = "USDCUSD" if "$symbol" in target.panel else ".+"
    expr = as_grafana_asks(target.expr, symbol)
    now = int(time.time())
    if target.instant:
        assert ask(live.url, "query", query=expr, time=now)
    else:
        assert ask(live.url, "query_range", query=expr, start=now - DAY, end=now, step=STEP)


@each_target
def test_a_dashboard_s_query_takes_several_symbols(server, target):
    answer(server, target, "(BTCUSD|USDCUSD)")


@pytest.mark.parametrize("board", BOARDS)
def test_a_variable_s_query_finds_values(server, board):
    for variable in BOARDS[board]["templating"]["list"][1:]:
        query = as_grafana_asks(variable["query"]["query"], ".+")
        selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", query).groups()
        assert server.label_values(label, selector)


@each_record
def test_a_recording_rule_finds_data(server, rule):
    assert server.day(rule["expr"])


@each_alert
def test_an_alert_has_a_reason_in_the_day_or_is_listed_as_quiet(server, rule):
    assert bool(server.day(rule["expr"])) != (rule["alert"] in QUIET_ALERTS)


SPREAD = "Haircut spread by asset A"
HAIRCUTS = ("Bid and ask haircuts A", "Margin assets A", SPREAD, "Steps of the bid haircut A")


@pytest.mark.parametrize("panel", HAIRCUTS)
def test_coin_m_rows_are_kept_out_of_the_haircuts(server, panel):
    (target,) = (each for each in TARGETS if each.panel == panel)
    expr = as_grafana_asks(target.expr, "(SOLUSD|DOGEUSD)")
    assert not server.now(expr)


def test_coin_m_rows_are_kept_out_where_the_margin_list_is_switched_off(server):
    (target,) = (each for each in TARGETS if each.panel == SPREAD)
    expr = as_grafana_asks(target.expr, ".+").replace("margin_available", "no_such_metric")
    symbols = {series["metric"]["symbol"] for series in server.now(expr)}
    assert "BTCUSD" in symbols
    assert len(symbols) == 10
    assert not symbols & {"SOLUSD", "DOGEUSD"}


def test_the_scenarios_are_seen(server):
    """What the day holds is on the dashboards: steps, comings and goings, a lost peg, a ban."""

    def highest(panel: str, symbol: str = ".+") -> float:
        (target,) = (each for each in TARGETS if each.panel == panel)
        return max(answer(server, target, symbol))

    assert highest(SPREAD, "BTCUSD") == pytest.approx(0.2)
    assert highest("Largest haircut change in 24 hours A") == pytest.approx(0.05)
    assert highest("Deepest below its high A") < 0.001
    assert highest("Seconds until requests may leave A") > 300
    assert highest("$symbol: age of the index A", "BTCUSD") > 300


@pytest.mark.parametrize(
    ("annotation", "symbols"),
    [
        ("Haircut raised", {"BTCUSD", "ETHUSD"}),
        ("Haircut lowered", {"BTCUSD", "ETHUSD"}),
        ("Margin asset removed", {"FDUSDUSD"}),
        ("Margin asset added", {"FDUSDUSD"}),
    ],
)
def test_an_annotation_tells_what_happened(server, annotation, symbols):
    """RWUSD, which leaves without notice, is told by a rule that remembers what it said before.

    That takes rules that are evaluated as time goes by; tests/rules does it.
    """
    (target,) = (
        each for each in TARGETS if (each.board, each.panel) == ("haircut_spreads", annotation)
    )
    found = server.day(as_grafana_asks(target.expr, ".+"))
    assert {series["metric"]["symbol"] for series in found} == symbols
    for series in found:  # Grafana marks nothing else
        assert all(float(value) > 0 for _, value in series["values"])
