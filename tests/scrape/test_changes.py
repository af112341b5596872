import logging
from dataclasses import replace

import pytest

from exporter.binance.errors import ServerError
from exporter.binance.exchange_info import MarginAsset
from exporter.binance.rows import Row
from exporter.scrape.changes import Changes, HaircutChange, MarginChange
from exporter.scrape.flight import Fetch

ALL = ()
NOW = 1784571968.0
DAY = 86400.0
BTC = Row(
    "BTCUSD",
    time=NOW,
    bid_buffer=0.05,
    ask_buffer=0.05,
    auto_exchange_bid_buffer=0.025,
    auto_exchange_ask_buffer=0.025,
)
YES, NO = MarginAsset(True, 0.0), MarginAsset(False, 0.0)


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO)
    return lambda: [each.msg for each in caplog.records]


def bid(ratio: float, **fields) -> Row:
    return replace(BTC, bid_buffer=ratio, **fields)


def margin(**assets: MarginAsset) -> Fetch:
    rows = [Row(symbol) for symbol in assets]
    return Fetch(NOW, rows, margin_assets=assets)


def test_the_first_values_are_no_change(changes, lines):
    changes.note(ALL, Fetch(NOW, [BTC], margin_assets={"BTCUSD": YES}))
    assert changes.of_the_day(NOW) == []
    assert lines() == []


def test_a_haircut_that_changes_is_kept_with_both_values(changes):
    changes.note(ALL, Fetch(NOW, [BTC]))
    changes.note(ALL, Fetch(NOW + 15, [bid(0.1)]))
    assert changes.of_the_day(NOW + 15) == [HaircutChange(NOW + 15, "BTCUSD", "bid", 0.05, 0.1)]


def test_a_haircut_that_changes_is_one_line(changes, caplog):
    caplog.set_level(logging.INFO)
    for row in (BTC, bid(0.1), bid(0.1)):
        changes.note(ALL, Fetch(NOW, [row]))
    (line,) = caplog.records
    assert (line.levelname, line.msg) == ("INFO", "haircut changed")
    values = vars(line)
    assert [values[key] for key in ("symbol", "buffer", "from", "to")] == [
        "BTCUSD",
        "bid",
        0.05,
        0.1,
    ]


def test_each_of_the_four_haircuts_is_told_apart(changes):
    changes.note(ALL, Fetch(NOW, [BTC]))
    risen = Row("BTCUSD", NOW, None, None, None, 0.1, 0.11, None, None, 0.12, 0.13)
    changes.note(ALL, Fetch(NOW, [risen]))
    assert [(c.buffer, c.new) for c in changes.of_the_day(NOW)] == [
        ("bid", 0.1),
        ("ask", 0.11),
        ("auto_exchange_bid", 0.12),
        ("auto_exchange_ask", 0.13),
    ]


def test_a_failed_fetch_in_between_hides_no_change(changes):
    changes.note(ALL, Fetch(NOW, [BTC]))
    changes.note(ALL, Fetch(NOW, error=ServerError("503")))
    changes.note(ALL, Fetch(NOW, [bid(0.1)]))
    assert len(changes.of_the_day(NOW)) == 1


def test_a_field_or_row_that_is_missing_for_a_while_is_no_change(changes):
    changes.note(ALL, Fetch(NOW, [BTC]))
    changes.note(ALL, Fetch(NOW, [Row("BTCUSD", time=NOW)]))
    changes.note(ALL, Fetch(NOW, [Row("ETHUSD", time=NOW)]))
    changes.note(ALL, Fetch(NOW, [BTC]))
    assert changes.of_the_day(NOW) == []


def test_a_row_that_comes_back_with_another_haircut_has_changed(changes):
    for rows in ([BTC], [], [bid(0.1)]):
        changes.note(ALL, Fetch(NOW, rows))
    assert len(changes.of_the_day(NOW)) == 1


def test_an_older_row_from_a_slower_fetch_is_no_change_back(changes):
    for row in (BTC, bid(0.1, time=NOW + 2), bid(0.05, time=NOW + 1), bid(0.1, time=NOW + 3)):
        changes.note(ALL, Fetch(NOW, [row]))
    assert [c.new for c in changes.of_the_day(NOW)] == [0.1]


def test_a_clock_of_the_exchange_that_is_set_back_stops_nothing(changes):
    changes.note(ALL, Fetch(NOW, [BTC]))
    changes.note(ALL, Fetch(NOW, [bid(0.1, time=NOW - 3600)]))
    assert len(changes.of_the_day(NOW)) == 1


def test_probes_of_one_symbol_count_as_well(changes):
    changes.note(ALL, Fetch(NOW, [BTC]))
    changes.note(("BTCUSD",), Fetch(NOW, [bid(0.1)]))
    changes.note(ALL, Fetch(NOW, [bid(0.1)]))
    assert len(changes.of_the_day(NOW)) == 1


def test_a_change_is_forgotten_after_a_day(changes):
    changes.note(ALL, Fetch(NOW, [BTC]))
    changes.note(ALL, Fetch(NOW, [bid(0.1)]))
    assert changes.of_the_day(NOW + DAY - 1)
    assert not changes.of_the_day(NOW + DAY)


def test_assets_that_join_and_leave_margin_are_told(changes, lines):
    changes.note(ALL, margin(FDUSDUSD=YES, RWUSDUSD=NO))
    changes.note(ALL, margin(FDUSDUSD=NO, RWUSDUSD=YES))
    assert changes.of_the_day(NOW) == [
        MarginChange(NOW, "FDUSDUSD", added=False),
        MarginChange(NOW, "RWUSDUSD", added=True),
    ]
    assert lines() == ["margin asset removed", "margin asset added"]


def test_an_asset_that_exchange_info_drops_has_left_margin(changes):
    changes.note(ALL, margin(BTCUSD=YES, FDUSDUSD=YES))
    changes.note(ALL, margin(BTCUSD=YES))
    assert changes.of_the_day(NOW) == [MarginChange(NOW, "FDUSDUSD", added=False)]


def test_margin_assets_that_are_unknown_for_a_while_have_not_left(changes):
    for fetch in (margin(BTCUSD=YES), Fetch(NOW, [BTC]), margin(BTCUSD=YES)):
        changes.note(ALL, fetch)
    assert changes.of_the_day(NOW) == []


def test_a_fetch_of_some_symbols_says_nothing_of_the_others(changes):
    changes.note(("BTCUSD",), margin(BTCUSD=YES))
    changes.note(ALL, margin(BTCUSD=YES, FDUSDUSD=YES))
    changes.note(("BTCUSD",), margin(BTCUSD=YES))
    changes.note(ALL, margin(BTCUSD=YES, FDUSDUSD=YES))
    assert changes.of_the_day(NOW) == []
    changes.note(("FDUSDUSD",), margin(FDUSDUSD=NO))
    assert changes.of_the_day(NOW) == [MarginChange(NOW, "FDUSDUSD", added=False)]


def test_haircuts_that_change_with_every_fetch_fill_neither_memory_nor_log(changes, lines):
    for number in range(10):
        rows = [bid(number / 10, symbol=f"S{each}USD") for each in range(1000)]
        changes.note(ALL, Fetch(NOW, rows))
    assert len(changes.of_the_day(NOW)) == 200
    assert len(lines()) == 9 * 101
    assert lines()[-1] == "further changes not logged"


def test_a_flood_of_haircuts_pushes_out_no_change_of_margin(changes):
    changes.note(ALL, margin(BTCUSD=YES))
    changes.note(ALL, margin(BTCUSD=NO))
    for number in range(9):
        rows = [bid(number / 10, symbol=f"S{each}USD") for each in range(1000)]
        changes.note(ALL, Fetch(NOW, rows))
    assert MarginChange(NOW, "BTCUSD", added=False) in changes.of_the_day(NOW)


def test_ever_new_symbols_do_not_fill_the_memory(changes):
    for number in range(20):
        rows = [replace(BTC, symbol=f"S{number}-{each}") for each in range(1000)]
        changes.note(ALL, Fetch(NOW, rows))
    assert len(changes._rows) == 5000
