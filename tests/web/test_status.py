import re
from html.parser import HTMLParser

import pytest
from prometheus_client import CollectorRegistry

from exporter.binance.errors import Banned
from exporter.binance.exchange_info import MarginAsset
from exporter.binance.rows import Row
from exporter.config.modules import Settings
from exporter.scrape.flight import Fetch
from exporter.service import Module, Service
from exporter.web.status import StatusPage

NOW = 1784571968.0
BTC = Row(
    "BTCUSD",
    time=NOW - 3,
    index=61475.0272033,
    bid_rate=58401.27584314,
    ask_rate=64548.77856347,
    bid_buffer=0.05,
    ask_buffer=0.05,
    auto_exchange_bid_buffer=0.025,
    auto_exchange_ask_buffer=0.025,
)
SOL = Row("SOLUSD", time=NOW - 3, index=78.00217964, bid_rate=78.0, ask_rate=78.0, bid_buffer=0.0)
MARGIN = {"BTCUSD": MarginAsset(available=True, auto_exchange_threshold=-0.1)}


@pytest.fixture
def module() -> Module:
    return Service(Settings, CollectorRegistry()).modules["default"]


@pytest.fixture
def render(module):
    return lambda fetch: StatusPage("/metrics").render(fetch, module, NOW)


class Cells(HTMLParser):
    """The table's text, row by row."""

    def __init__(self, page: str):
        super().__init__()
        self.rows: list[list[str]] = []
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        self._open = tag in {"td", "th"} or (self._open and tag == "br")
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self._open = self._open and tag not in {"td", "th"}

    def handle_data(self, data):
        if self._open:
            self.rows[-1][-1] += data


def test_an_assets_row_tells_all_a_trader_asks_for(render):
    row = Cells(render(Fetch(NOW, (BTC,)))).rows[1]
    assert row == [
        "BTCUSD",
        "61,475.03",
        "58,401.28",
        "64,548.78",
        "5.00 %",
        "5.00 %",
        "2.50 %",
        "2.50 %",
        "10.00 %",
        "3 s",
    ]


def test_a_missing_field_is_a_dash(render):
    assert Cells(render(Fetch(NOW, (Row("XUSD"),)))).rows[1] == ["XUSD", *["–"] * 9]


def test_margin_assets_come_first_and_the_others_are_told_apart(render):
    rows = Cells(render(Fetch(NOW, (SOL, BTC), margin_assets=MARGIN))).rows
    assert [row[0] for row in rows[1:]] == [
        "BTCUSD",
        "Not margin assets: an index, but no collateral",
        "SOLUSD",
    ]


def test_where_margin_assets_are_unknown_none_is_called_no_margin(render):
    page = render(Fetch(NOW, (SOL, BTC)))
    assert "margin assets not known yet" in page
    assert "Not margin assets" not in page


def test_a_failure_says_why_and_shows_no_values(render):
    page = render(Fetch(NOW, error=Banned("Binance answered 418 (code -1003)")))
    assert "Down" in page
    assert "Binance answered 418 (code -1003)" in page
    assert "<table" not in page


def test_a_hold_says_until_when(render, module):
    module.gate.learn(418, {"Retry-After": "500"})
    page = render(Fetch(NOW, error=Banned("418")))
    assert re.search(r"No request leaves before \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", page)


def test_an_old_index_is_called_so(render):
    page = render(Fetch(NOW + 600, (Row("BTCUSD", time=NOW - 600, index=1.0),)))
    assert "older than it should be" in page
    assert "10 min" in page


def test_the_weight_is_shown_of_its_limit(render, module):
    module.gate.learn(200, {"X-MBX-USED-WEIGHT-1M": "1234"})
    assert re.search(r"1234 .*/ 2400", render(Fetch(NOW, (BTC,))))


def test_symbols_are_escaped(render):
    assert "<script>" not in render(Fetch(NOW, (Row("<script>"),)))


def test_the_page_needs_no_script_and_nothing_from_elsewhere(render):
    page = render(Fetch(NOW, (BTC,)))
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
