import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from prometheus_client import CollectorRegistry

from exporter.binance.errors import Banned, Held, RateLimited, ServerError
from exporter.binance.exchange_info import MarginAsset
from exporter.binance.rows import Reject, Row
from exporter.config.modules import Settings
from exporter.scrape.flight import Fetch
from exporter.service import Module, Service
from exporter.web.status import StatusPage
from tests.stand_ins import module as without_margin

NOW = 1784571968.0  # 2026-07-20 18:26:08 UTC
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
GOOD = Fetch(NOW, (BTC, SOL), margin_assets=MARGIN)


@pytest.fixture
def module() -> Module:
    return Service(Settings, CollectorRegistry()).modules["default"]


@pytest.fixture
def render(module):
    """The page after these fetches."""

    def render(*fetches: Fetch, now: float = NOW, page: StatusPage | None = None) -> str:
        for fetch in fetches:
            module.watch.note((), fetch)
        watch = module.watch
        return (page or StatusPage("/metrics")).render(module, watch.state, watch.changes(now), now)

    return render


def failed(error: Exception, at: float = NOW) -> Fetch:
    return Fetch(at, error=error)


class Cells(HTMLParser):
    """The tables' text, row by row."""

    def __init__(self, page: str):
        super().__init__()
        self.rows: list[list[str]] = []
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        self._open = tag in {"td", "th"} or (self._open and tag in {"br", "small"})
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        elif self._open:
            self.rows[-1][-1] += " "

    def handle_endtag(self, tag):
        self._open = self._open and tag not in {"td", "th"}

    def handle_data(self, data):
        if self._open:
            self.rows[-1][-1] += data.strip()

    def __getitem__(self, symbol: str) -> list[str]:
        return next(row[1:] for row in self.rows if row[0] == symbol)


def text(page: str) -> str:
    """What a reader sees, with single blanks."""
    body = page[page.index("<body>") :]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split()).replace(" .", ".").replace(" ,", ",")


def changes(page: str) -> list[str]:
    return [text("<body>" + each) for each in re.findall(r"<li>(.*?)</li>", page, re.DOTALL)]


def test_an_assets_row_has_its_haircuts_right_after_its_index(render):
    assert Cells(render(GOOD))["BTCUSD"] == [
        "61,475.03",
        "5.00 %",
        "5.00 %",
        "2.50 %",
        "2.50 %",
        "58,401.28",
        "64,548.78",
        "10.00 %",
        "3 s",
    ]


def test_a_missing_field_is_a_dash(render):
    assert Cells(render(Fetch(NOW, (Row("XUSD"),))))["XUSD"] == ["–"] * 9


def test_assets_that_are_no_margin_are_folded_below_the_others(render):
    page = render(GOOD)
    folded = page[page.index('<details id="others">') :]
    assert Cells(folded)["SOLUSD"]
    assert "1 assets that do not count as margin" not in folded
    assert "1 asset that does not count as margin" in folded
    assert "BTCUSD" not in folded


def test_if_margin_assets_are_unknown_none_is_called_no_margin(render):
    page = render(Fetch(NOW, (SOL, BTC)))
    assert "margin assets not known yet" in page
    assert "<details" not in page


def test_margin_assets_that_are_switched_off_are_not_awaited():
    settings = Settings(modules={"default": without_margin()})
    module = Service(lambda: settings, CollectorRegistry()).modules["default"]
    module.watch.note((), Fetch(NOW, (BTC,)))
    page = StatusPage("/metrics").render(module, module.watch.state, [], NOW)
    assert "margin assets switched off" in page


def test_before_the_first_fetch_it_waits_for_one(render):
    page = text(render())
    assert "Last fetch None yet waiting for the first scrape" in page
    assert "Down" not in page


# What changed


def test_a_haircut_that_changed_shows_what_it_was(render):
    page = render(GOOD, Fetch(NOW, (replace(BTC, bid_buffer=0.1),), margin_assets=MARGIN))
    assert Cells(page)["BTCUSD"][1:3] == ["10.00 % was 5.00 %", "5.00 %"]


def test_after_several_changes_it_shows_the_last_one(render):
    rows = [replace(BTC, bid_buffer=each) for each in (0.05, 0.03, 0.05)]
    page = render(*(Fetch(NOW, (row,)) for row in rows))
    assert Cells(page)["BTCUSD"][1] == "5.00 % was 3.00 %"


def test_the_haircuts_of_a_symbol_that_change_at_once_are_one_line(render):
    risen = replace(BTC, bid_buffer=0.1, ask_buffer=0.1, auto_exchange_bid_buffer=0.075)
    assert changes(render(GOOD, Fetch(NOW, (risen,)))) == [
        (
            "18:26:08 UTC BTCUSD haircut bid and ask 5.00 % → 10.00 %,"
            " auto-exchange bid 2.50 % → 7.50 %"
        )
    ]


def test_the_list_has_margin_assets_and_outages_newest_first(render):
    none = {"BTCUSD": MarginAsset(available=False, auto_exchange_threshold=0.0)}
    page = render(
        replace(GOOD, finished_at=NOW - 86000),
        failed(ServerError("503"), NOW - 180),
        failed(Banned("418"), NOW - 120),
        Fetch(NOW, (BTC,), margin_assets=none),
    )
    assert changes(page) == [
        "18:26:08 UTC BTCUSD is no longer a margin asset",
        "18:26:08 UTC Up again, after 3 min",
        "18:24:08 UTC Banned by Binance (418)",
        "18:23:08 UTC Down http_5xx: 503",
    ]


def test_a_change_of_yesterday_has_its_date(render):
    page = render(failed(ServerError("503"), NOW - 80000), failed(ServerError("503"), NOW))
    assert changes(page)[0].startswith("2026-07-19 20:12:48 UTC Down")


def test_the_first_ten_changes_are_open_and_the_others_folded(render):
    page = render(*(Fetch(NOW - 15 + n, (replace(BTC, bid_buffer=n / 100),)) for n in range(13)))
    assert len(changes(page)) == 12
    assert "<summary>2 older</summary>" in page


def test_without_changes_it_says_so(render):
    assert "None that this process has seen" in render(GOOD)


# What is odd


def test_a_depegged_stable_asset_is_marked_and_the_rule_is_in_reach(render):
    rows = [
        Row(f"{name}USD", index=index, bid_buffer=0.0001)
        for name, index in {"USDT": 0.999, "USDC": 0.97, "FDUSD": 0.998}.items()
    ]
    page = render(Fetch(NOW, rows))
    assert Cells(page)["USDCUSD"][0] == "0.970000 depegged −2.81 %"
    assert "1 depegged" in page
    assert 'title="Depegged: the index is more than 1 % below the median' in page


def test_a_frozen_index_is_one_notice_not_a_mark_on_each_row(render):
    page = render(Fetch(NOW, (replace(BTC, time=NOW - 180), replace(SOL, time=NOW - 180))))
    assert "The index is frozen: Binance responds, but" in text(page)
    assert "has not updated any value since 18:23:08 UTC" in text(page)
    assert Cells(page)["BTCUSD"][-1] == "3 min"


def test_a_single_frozen_row_is_marked(render):
    page = render(Fetch(NOW, (replace(BTC, time=NOW - 180), SOL)))
    assert Cells(page)["BTCUSD"][-1] == "3 min frozen"
    assert Cells(page)["SOLUSD"][-1] == "3 s"
    assert "some are frozen" in page
    assert "The index is frozen" not in page


def test_an_index_is_not_frozen_because_nobody_has_scraped_since(render):
    page = text(render(GOOD, now=NOW + 600))
    assert "frozen" not in page
    assert "No scrape for 10 min: this page shows what the last one fetched." in page


def test_refused_rows_are_counted(render):
    page = render(replace(GOOD, rejects=[Reject("bad_value", "no")]))
    assert "1 rows refused" not in text(page)
    assert "1 row refused" in text(page)


# When it is down


def test_a_failure_says_why_since_when_and_what_was_last_good(render):
    page = text(
        render(
            replace(GOOD, finished_at=NOW - 75),
            failed(ServerError("Binance returned 503"), NOW - 60),
            failed(ServerError("Binance returned 503"), NOW),
        )
    )
    assert "The last fetch failed (http_5xx): Binance returned 503." in page
    assert "Down since 18:25:08 UTC." in page
    assert (
        "The values below are of the last good fetch, 18:24:53 UTC: they are not current." in page
    )
    assert "Last good fetch 75 s ago" in page


def test_during_an_outage_the_last_good_values_stay_with_their_age(render):
    page = render(GOOD, failed(ServerError("503"), NOW + 600), now=NOW + 600)
    assert '<div id="margin" class="scroll past">' in page
    assert Cells(page)["BTCUSD"][0] == "61,475.03"
    assert Cells(page)["BTCUSD"][-1] == "10 min"


def test_during_an_outage_the_margin_assets_are_still_known(render):
    page = text(render(GOOD, failed(ServerError("503"))))
    assert "Assets in the last good fetch 2 1 counts as margin" in page
    assert "not known yet" not in page


def test_a_failure_from_the_start_shows_no_values(render):
    page = render(failed(ServerError("503")))
    assert "No fetch has been good since this process started." in text(page)
    assert "<table" not in page


def test_a_ban_is_called_a_ban(render, module):
    module.gate.learn(418, {"Retry-After": "500"})
    page = text(render(failed(Banned("418"))))
    assert re.search(
        r"Banned by Binance \(418\) until [-0-9]* ?\d\d:\d\d:\d\d UTC;"
        r" every program on this address is affected\.",
        page,
    )


def test_a_hold_that_follows_a_ban_is_still_called_a_ban(render):
    page = text(render(failed(Banned("418")), failed(Held("blocked", NOW + 205.1, banned=True))))
    assert "Banned by Binance (418) until 18:29:34 UTC; every program" in page


def test_a_rate_limit_is_no_ban(render):
    page = text(render(failed(RateLimited("429")), failed(Held("blocked", NOW + 52))))
    assert "Rate limited by Binance (429) until 18:27:00 UTC; every program" in page


def test_the_weight_ceiling_is_explained(render):
    page = text(render(failed(Held("weight_ceiling", NOW + 52))))
    assert (
        "No request until 18:27:00 UTC: the programs on this address have used 80 % of the"
        " request weight of this minute." in page
    )


def test_a_hold_that_is_over_says_that_the_next_scrape_asks_again(render):
    page = text(render(failed(Held("blocked", NOW + 52)), now=NOW + 60))
    assert "That is over; the next scrape asks again." in page


# The page itself


def test_the_weight_is_shown_of_its_limit(render, module):
    module.gate.learn(200, {"X-MBX-USED-WEIGHT-1M": "1234"})
    assert "1234 / 2400" in text(render(GOOD))


def test_a_demo_says_that_it_is_one(render):
    page = render(GOOD, page=StatusPage("/metrics", scenario="haircut-change"))
    assert "Demo: a simulator plays the scenario haircut-change." in text(page)
    assert "No value on this page is from Binance." in text(page)


def test_what_is_no_demo_does_not_say_so(render):
    assert "demo" not in render(GOOD).lower()


def test_symbols_and_errors_are_escaped(render):
    evil = Row("<script>", bid_buffer=0.1)
    page = render(
        Fetch(NOW, (replace(evil, bid_buffer=0.2),)),
        Fetch(NOW, (evil,)),
        failed(ServerError("<script>")),
    )
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_every_link_is_relative_so_that_a_path_in_front_is_kept(render):
    page = render(GOOD, page=StatusPage("/very/own/metrics"))
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(links) >= 8
    assert "very/own/metrics" in links
    assert [link for link in links if link.startswith("/") or "//" in link] == []


def test_nothing_is_inline_that_a_content_security_policy_forbids(render):
    page = render(GOOD, failed(ServerError("503")))
    assert not re.search(r"<style|<script(?! src=)|\s(style|on[a-z]+)=", page)
