from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.simulator.assets import Buffers
from exporter.simulator.rows import index_row

FIELDS = [
    "symbol",
    "time",
    "index",
    "bidBuffer",
    "askBuffer",
    "bidRate",
    "askRate",
    "autoExchangeBidBuffer",
    "autoExchangeAskBuffer",
    "autoExchangeBidRate",
    "autoExchangeAskRate",
]

fractions = st.decimals(0, "0.99", places=8)
prices = st.decimals("0.00000001", 1_000_000, places=12)


def rates(row):
    return [row[field] for field in FIELDS if field.endswith("Rate")]


# (index, buffers, the four rates): what the exchange itself has published.
BTC_2024 = (
    "61475.02720330",
    Buffers.symmetric("0.05", "0.025"),
    ["58401.27584314", "64548.77856347", "59938.15152322", "63011.90288338"],
)
USDT_2024 = (
    "0.99884101",
    Buffers.symmetric("0.0001"),
    ["0.99874113", "0.99894089", "0.99874113", "0.99894089"],
)
SOL_2026 = ("78.00217964", Buffers.symmetric("0"), ["78.00217964"] * 4)
UNI_2026 = ("3.61187354", Buffers.symmetric("0"), ["3.61187354"] * 4)
TRX_2026 = ("0.32658538", Buffers.symmetric("0"), ["0.32658538"] * 4)


@pytest.mark.parametrize(
    ("index", "buffers", "published"), [BTC_2024, USDT_2024, SOL_2026, UNI_2026, TRX_2026]
)
def test_rates_are_those_the_exchange_published(index, buffers, published):
    assert rates(index_row("XUSD", Decimal(index), buffers, 0)) == published


def test_the_documentations_sample_truncates_where_we_round():
    row = index_row("ADAUSD", Decimal("1.92957370"), Buffers.symmetric("0.1", "0.05"), 0)
    documented = ["1.73661633", "2.12253107", "1.83309501", "2.02605238"]
    assert rates(row) == ["1.73661633", "2.12253107", "1.83309502", "2.02605239"]
    for ours, theirs in zip(rates(row), documented, strict=True):
        assert Decimal(0) <= Decimal(ours) - Decimal(theirs) <= Decimal("1e-8")


def test_a_half_rounds_up():
    row = index_row("XUSD", Decimal("0.000000005"), Buffers.symmetric("0"), 0)
    assert row["index"] == "0.00000001"


def test_fields_stand_in_the_exchanges_order():
    row = index_row("BTCUSD", Decimal("1.5"), Buffers.symmetric("0.05"), 1719554624000)
    assert list(row) == FIELDS
    assert (row["symbol"], row["time"]) == ("BTCUSD", 1719554624000)


@given(price=prices, buffers=st.builds(Buffers, fractions, fractions, fractions, fractions))
def test_rates_follow_from_the_printed_index_within_half_a_unit(price, buffers):
    row = index_row("XUSD", price, buffers, 0)
    index = Decimal(row["index"])
    exact = [
        index * (1 - buffers.bid),
        index * (1 + buffers.ask),
        index * (1 - buffers.auto_exchange_bid),
        index * (1 + buffers.auto_exchange_ask),
    ]
    for printed, rate in zip(rates(row), exact, strict=True):
        # Half-up: never more than half a unit above, always less than half below.
        assert Decimal("-5e-9") < Decimal(printed) - rate <= Decimal("5e-9")


@given(price=prices)
def test_every_decimal_has_eight_places(price):
    row = index_row("XUSD", price, Buffers.symmetric("0.05"), 0)
    decimals = [value for value in row.values() if isinstance(value, str) and value != "XUSD"]
    assert len(decimals) == 9
    assert all(len(text.partition(".")[2]) == 8 for text in decimals)
