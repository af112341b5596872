"""Every query of every dashboard and rule, on a real Prometheus with a day of history.

It goes on to scrape the demo, with our rules loaded.
"""

import math
import re
import time
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import yaml

from exporter.history.load import RULES, ask, load, running
from tests.dashboards.conftest import BOARDS, ROOT, TARGETS, Target, panels
from tests.end_to_end.conftest import running as running_exporter
from tests.end_to_end.conftest import until

DAY = 86400
STEP = 240

ACCOUNTS = (
    ROOT / "rules" / "collateral.yaml",
    ROOT / "rules" / "examples" / "constant.yaml",
    ROOT / "rules" / "examples" / "thresholds_vip_0_1.yaml",
)
"""An account that is long BTC and ETH, and short USDT."""


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
    "BinanceAssetIndexUnchanged": "prices stop together with the time",
    "BinanceStablecoinUnnamed": "the rules name all assets",
    "BinanceHaircutSpreadUnusual": "the changes are reported",
    "BinanceHaircutIncreased warning": "the rise is critical",
    "BinanceYieldTokenDrawdown": "no scenario moves a yield token",
    "BinanceIndexDropped": "no scenario moves a coin",
    "BinanceRateFormulaMismatch": "the simulator calculates correctly",
    "BinanceRowsRejected": "the simulator sends good rows",
    "BinanceExporterConfigReloadFailed": "nothing is reloaded",
}
"""Alerts that the day gives no reason for."""

QUIET_RECORDS = {
    "symbol:binance_asset_index_class:info": "that of assets without a name, as none is",
    "instance:binance_asset_index_unchanged:bool": "scrapes each four minutes are too few",
    "symbol_rate:binance_asset_index_rate_formula_distance:usd": "the simulator calculates right",
    "symbol_buffer:binance_asset_index_haircut:delisted": "an asset returns within 6 hours",
}
"""Recorded series that are there only if something is wrong, and which the day lacks."""

QUIET_RUNBOOKS = {
    "binance_asset_index_scrape_rejected_rows > 0": "the simulator sends good rows",
    "sum by (reason) (increase(binance_api_rejected_rows_total[1h])) > 0": "the same",
    'symbol:binance_asset_index_class:info{source="price"}': "the rules name all assets",
    "topk(5, symbol_rate:binance_asset_index_rate_formula_distance:usd)": "rates are right",
    'account_symbol:binance_collateral_auto_exchange_headroom:usd{account="main"} < 0': "no debt",
    'account_symbol:binance_collateral_without_price:bool{account="main"} == 1': "all have one",
    'account_symbol:binance_collateral_holding_lost:bool{account="main"}': "none is lost",
}
"""Queries of the runbooks that find nothing while all is well."""


def runbook_queries() -> list[str]:
    text = (ROOT / "docs" / "runbooks.md").read_text()
    code = {" ".join(span.split()) for span in re.findall("`([^`]+)`", text)}
    return sorted(each for each in code if re.search("binance_(?!asset_index$)", each))


@dataclass(frozen=True)
class Server:
    url: str
    end: int

    def now(self, expr: str) -> list[Any]:
        """The answer for the last moment of the day."""
        return self.at(expr, self.end)

    def at(self, expr: str, moment: int) -> list[Any]:
        """The answer for a moment of the day."""
        return ask(self.url, "query", query=expr, time=moment)

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
    load(data, DAY, STEP, end, rules=[*RULES, *ACCOUNTS])
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
            "rule_files": [str(file) for file in (*RULES, *ACCOUNTS)],
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
        "notional": "10000",
        "account": ".+",
        "moved": "BTCUSD|USDTUSD",
        "points": "10",
        "index": "-20",
    }
    return re.sub(r"\$([a-z_]+)", lambda match: values[match[1]], expr)


def answer(server: Server, target: Target, symbol: str) -> list[float]:
    expr = as_grafana_asks(target.expr, symbol)
    if target.instant:
        return [float(series["value"][1]) for series in server.now(expr)]
    return [float(value) for series in server.day(expr) for _, value in series["values"]]


def symbols_of(target: Target) -> str:
    """A repeated row is for one symbol: a coin or a dollar."""
    return "BTCUSD|USDCUSD" if "$symbol" in target.panel else ".+"


@each_target
def test_a_dashboard_s_query_finds_data(server, target):
    values = answer(server, target, symbols_of(target))
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
    expr = as_grafana_asks(target.expr, symbols_of(target))
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
    for variable in BOARDS[board]["templating"]["list"]:
        if variable["type"] != "query":
            continue
        query = as_grafana_asks(variable["query"]["query"], ".+")
        selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", query).groups()
        assert server.label_values(label, selector)


@each_record
def test_a_recording_rule_finds_data(server, rule):
    assert server.day(rule["expr"]) or rule["record"] in QUIET_RECORDS


@each_alert
def test_an_alert_has_a_reason_in_the_day_or_is_listed_as_quiet(server, rule):
    names = {rule["alert"], f"{rule['alert']} {rule['labels']['severity']}"}
    assert bool(server.day(rule["expr"])) != bool(names & QUIET_ALERTS.keys())


@pytest.mark.parametrize("query", runbook_queries())
def test_a_query_of_the_runbooks_finds_data(server, query):
    expr = query.replace('account="main"', 'account="example"')
    expr = re.sub("(DOT|FDUSD)USD", "BTCUSD", expr)
    assert bool(server.day(expr)) != (query in QUIET_RUNBOOKS)


SPREAD = "Coins: haircut spread A"
HAIRCUTS = (SPREAD, "Margin assets A", "Margin assets D", "Steps of the bid haircut A")


def targets_of(panel: str) -> list[Target]:
    found = [each for each in TARGETS if each.panel == panel]
    assert found
    return found


@pytest.mark.parametrize("panel", HAIRCUTS)
def test_coin_m_rows_are_kept_out_of_the_haircuts(server, panel):
    for target in targets_of(panel):
        expr = as_grafana_asks(target.expr, "(SOLUSD|DOGEUSD)")
        assert not server.now(expr)


def highest(server, panel: str, symbol: str = ".+") -> float:
    return max(max(answer(server, target, symbol)) for target in targets_of(panel))


@pytest.mark.parametrize(
    ("panel", "symbol", "least"),
    [
        (SPREAD, "BTCUSD", 0.199),
        ("Coins: auto-exchange spread A", "BTCUSD", 0.149),
        ("Seconds until requests are sent again A", ".+", 300),
        ("$symbol: age of the index A", "BTCUSD", 300),
    ],
)
def test_the_scenarios_are_seen(server, panel, symbol, least):
    """What the day holds is on the dashboards: steps, a ban, an index that stops."""
    assert highest(server, panel, symbol) > least


@pytest.mark.parametrize("symbol", ["SOLUSD", "DOGEUSD"])
def test_an_asset_that_is_no_margin_asset_is_called_so(server, symbol):
    (target,) = targets_of("Counts as margin? A")
    assert answer(server, target, symbol) == [0]


def test_a_panel_that_is_empty_for_a_coin_m_row_says_why(server):
    """Not that Prometheus lacks rules, which it has loaded."""
    empty = [
        panel
        for panel in panels(BOARDS["asset"])
        if panel["type"] == "timeseries"
        and not any(
            answer(server, each, "SOLUSD")
            for target in panel["targets"]
            for each in targets_of(f"{panel['title']} {target['refId']}")
        )
    ]
    assert empty
    reasons = {panel["fieldConfig"]["defaults"]["noValue"] for panel in empty}
    assert reasons == {"not a margin asset, or no data"}


def test_a_coin_has_its_change_of_an_hour_where_a_dollar_has_its_distance(server):
    def lines(symbol):
        panel = "$symbol: distance from its peg, or change over 1 h"
        return [
            letter
            for letter in "ABCDEFG"
            for target in targets_of(f"{panel} {letter}")
            if answer(server, target, symbol)
        ]

    assert lines("BTCUSD") == ["C"]
    assert lines("USDCUSD") == list("ABDEFG")


def test_a_what_if_names_the_loss_and_the_order_in_which_assets_hurt(server):
    """1 BTC and -3000 USDT: 10 points and 20% less, of what is owned and of what is owed."""
    expected = {}
    for symbol, units, side, sign in (("BTCUSD", 1, "bid", -1), ("USDTUSD", -3000, "ask", 1)):
        price, haircut = (
            float(server.now(f'binance_asset_index_{field}{{symbol="{symbol}"}}')[0]["value"][1])
            for field in ("price_usd", f"{side}_buffer_ratio")
        )
        before = units * price * (1 + sign * haircut)
        after = 0.8 * units * price * (1 + sign * (haircut + 0.1))
        expected[symbol] = before - after
    (each,) = targets_of("In the order in which they hurt A")
    found = server.now(as_grafana_asks(each.expr, ".+"))
    assert {
        series["metric"]["symbol"]: float(series["value"][1]) for series in found
    } == pytest.approx(expected, rel=1e-6)
    (answered,) = answer(server, targets_of("Margin lost, USD A")[0], ".+")
    assert answered == pytest.approx(sum(expected.values()), rel=1e-6)


def test_a_haircut_above_100_percent_takes_what_there_is_and_no_more(server):
    (target,) = targets_of("In the order in which they hurt D")
    expr = as_grafana_asks(target.expr.replace("$points", "200"), ".+")
    left = {each["metric"]["symbol"]: float(each["value"][1]) for each in server.now(expr)}
    assert left["BTCUSD"] == 0
    assert left["USDTUSD"] < -6000


def moment_of(server, expr: str) -> int:
    """When an expression has its first value in the day."""
    return min(int(series["values"][0][0]) for series in server.day(expr))


def test_what_a_raised_haircut_costs_is_named(server):
    (target,) = targets_of("Lost in 24 h, per 10,000 USD A")
    haircut = 'binance_asset_index_bid_buffer_ratio{symbol="BTCUSD"}'
    raised = moment_of(server, f"{haircut} > 0.09")
    expr = as_grafana_asks(target.expr, ".+")
    before, after = (server.at(expr, raised + shift) for shift in (-2 * STEP, 2 * STEP))
    assert [(each["metric"], each["value"][1]) for each in before] == [
        ({"symbol": "no asset"}, "0")
    ]
    assert [(each["metric"], each["value"][1]) for each in after] == [({"symbol": "BTCUSD"}, "500")]


def test_an_asset_that_was_removed_from_margin_has_lost_all(server):
    (target,) = targets_of("Lost in 24 h, per 10,000 USD A")
    listed = 'binance_asset_index_margin_available{symbol="FDUSDUSD"}'
    gone = moment_of(server, f"{listed} == 0")
    later = gone + 3 * STEP  # the history has no stale markers: 5 minutes must pass
    (found,) = server.at(as_grafana_asks(target.expr, "FDUSDUSD"), later)
    assert float(found["value"][1]) > 9800


def test_firing_alerts_are_named_critical_ones_first(server):
    (target,) = (each for each in targets_of("Alerts firing A") if each.board == "haircut_spreads")
    expr = as_grafana_asks(target.expr, ".+")
    begin = moment_of(server, 'ALERTS{alertname="BinanceStablecoinDepegged", severity="critical"}')
    first, *others = server.at(expr, begin)
    assert first["metric"] == {"alertname": "StablecoinDepegged", "symbol": "USDCUSD"}
    assert first["value"][1] == "2"
    assert {each["value"][1] for each in others} == {"1"}
    calm = server.at(expr, begin - 2 * 3600)
    assert [each["metric"] for each in calm] == [{"alertname": "none"}]


@pytest.mark.parametrize(
    ("mark", "events"),
    [
        ("Haircut raised", {("BTCUSD", "5")}),
        ("Haircut lowered", {("BTCUSD", "-5")}),
        ("Margin asset removed", {("FDUSDUSD", None)}),
        ("Margin asset added", {("FDUSDUSD", None)}),
    ],
)
def test_a_mark_names_what_happened_once(server, mark, events):
    (target,) = (each for each in TARGETS if (each.board, each.panel) == ("haircut_spreads", mark))
    found = server.day(as_grafana_asks(target.expr, ".+"))
    assert {(each["metric"]["symbol"], each["metric"].get("points")) for each in found} == events
    for series in found:
        ((_, value),) = series["values"]
        assert float(value) > 0  # Grafana marks nothing else
