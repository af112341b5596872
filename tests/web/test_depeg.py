import pytest

from exporter.binance.rows import Row
from exporter.scrape.changes import HaircutChange
from exporter.web.depeg import depegged


def asset(symbol: str, index: float | None, haircut: float = 0.0001) -> Row:
    return Row(symbol, index=index, bid_buffer=haircut, ask_buffer=haircut)


USDT, USDC = asset("USDTUSD", 0.9988), asset("USDCUSD", 0.9994)
FDUSD, BFUSD = asset("FDUSDUSD", 0.998, 0.011), asset("BFUSDUSD", 0.9989, 0.001)
LDUSDT, RWUSD = asset("LDUSDTUSD", 1.1345, 0.001), asset("RWUSDUSD", 1.0291, 0.001)
BTC = asset("BTCUSD", 61475.0, 0.05)
CALM = [USDT, USDC, FDUSD, BFUSD, LDUSDT, RWUSD, BTC]


def marked(*others: Row, previous=None) -> set[str]:
    changed = {row.symbol for row in others}
    rows = [*others, *(row for row in CALM if row.symbol not in changed)]
    return set(depegged(rows, previous or {}))


def test_a_calm_day_marks_nothing():
    assert marked() == set()


@pytest.mark.parametrize("price", [0.988, 0.97, 0.65])
def test_a_stable_asset_below_the_others_is_marked(price):
    assert marked(asset("USDCUSD", price)) == {"USDCUSD"}


def test_its_distance_is_from_the_median():
    distances = depegged([USDT, USDC, asset("FDUSDUSD", 0.9)], {})
    assert distances == {"FDUSDUSD": pytest.approx(1 - 0.9 / 0.9988)}


def test_an_asset_without_a_name_in_any_list_is_judged_as_well():
    assert marked(asset("UUSD", 0.97, 0.01)) == {"UUSD"}


def test_a_haircut_raised_because_of_the_depeg_does_not_hide_it():
    previous = {
        ("USDCUSD", buffer): HaircutChange(0.0, "USDCUSD", buffer, 0.0001, 0.1)
        for buffer in ("bid", "ask")
    }
    assert marked(asset("USDCUSD", 0.9, 0.1), previous=previous) == {"USDCUSD"}


def test_a_coin_that_costs_about_a_dollar_is_none():
    assert marked(asset("ADAUSD", 0.8, 0.1)) == set()


def test_a_row_without_haircuts_is_no_dollar():
    assert marked(asset("DOTUSD", 0.957, 0.0)) == set()


@pytest.mark.parametrize("row", [Row("USDCUSD"), Row("USDCUSD", index=0.9)])
def test_a_row_that_lacks_fields_is_not_judged(row):
    assert marked(row) == set()


def test_nothing_to_compare_with_is_no_depeg():
    assert depegged([], {}) == {}
    assert depegged([asset("USDCUSD", 0.9)], {}) == {}
