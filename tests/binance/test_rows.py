import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.binance.rows import Row, parse_rows

CAPTURES = (
    "asset_index_list_2024-06-28",
    "asset_index_list_2026-07-20_coin_m_rows",
    "asset_index_single_2021-11-01_doc_sample",
)
ROW = {"symbol": "BTCUSD", "time": 1719554624000, "index": "61475.02720330", "bidBuffer": "0.05"}
API_FIELDS = {
    "time": "time",
    "index": "index",
    "bid_rate": "bidRate",
    "ask_rate": "askRate",
    "bid_buffer": "bidBuffer",
    "ask_buffer": "askBuffer",
    "auto_exchange_bid_rate": "autoExchangeBidRate",
    "auto_exchange_ask_rate": "autoExchangeAskRate",
    "auto_exchange_bid_buffer": "autoExchangeBidBuffer",
    "auto_exchange_ask_buffer": "autoExchangeAskBuffer",
}


@pytest.mark.parametrize("name", CAPTURES)
def test_every_value_of_a_capture_is_read_exactly(capture, name):
    document = capture(name)
    rows, rejects = parse_rows(document)
    assert rejects == []
    for row, item in zip(rows, document if isinstance(document, list) else [document], strict=True):
        assert row.symbol == item["symbol"]
        assert row.time == item["time"] / 1000
        for attribute, field in API_FIELDS.items():
            if attribute != "time":
                assert getattr(row, attribute) == float(item[field])


def test_time_keeps_its_milliseconds():
    rows, _ = parse_rows({"symbol": "ADAUSD", "time": 1635740268004})
    assert rows[0].time == 1635740268.004


def test_a_missing_field_is_none():
    rows, _ = parse_rows([{"symbol": "BTCUSD"}])
    assert rows == [Row("BTCUSD")]


def test_unknown_fields_are_ignored():
    rows, rejects = parse_rows([ROW | {"colour": "blue"}])
    assert len(rows) == 1
    assert rejects == []


def test_a_json_number_is_taken_as_it_is():
    rows, _ = parse_rows([{"symbol": "BTCUSD", "index": 61475.5, "bidBuffer": 0}])
    assert (rows[0].index, rows[0].bid_buffer) == (61475.5, 0.0)


BAD_NUMBERS = [
    True,
    None,
    "",
    " ",
    " 1",
    "1 ",
    "1\n",
    "1_000",
    "+1",
    "-1",
    "1e5",
    "1e999",
    ".5",
    "5.",
    "0x10",
    "NaN",
    "Infinity",
    "١٢",
    "1,5",
    math.nan,
    math.inf,
    -1,
    -0.5,
    10**400,
    "9" * 400,
    [],
    {},
]


@pytest.mark.parametrize("value", BAD_NUMBERS, ids=repr)
@pytest.mark.parametrize("field", ["time", "index", "bidRate", "askBuffer"])
def test_a_row_with_a_malformed_number_is_refused_whole(field, value):
    rows, rejects = parse_rows([ROW | {field: value}, ROW | {"symbol": "ETHUSD"}])
    assert [row.symbol for row in rows] == ["ETHUSD"]
    assert [reject.reason for reject in rejects] == ["bad_value"]


@pytest.mark.parametrize("field", ["time", "index", "bidRate", "autoExchangeAskRate"])
@pytest.mark.parametrize("zero", [0, "0", "0.00000000", "0." + "0" * 400 + "1"], ids=repr)
def test_a_price_rate_or_time_of_zero_is_refused(field, zero):
    assert parse_rows([ROW | {field: zero}])[1][0].reason == "bad_value"


@pytest.mark.parametrize("value", ["1", "1.00000000", 1, "0.99999999999999999999"])
def test_a_buffer_of_one_is_refused(value):
    assert parse_rows([ROW | {"bidBuffer": value}])[1][0].reason == "bad_value"


def test_a_buffer_of_zero_stays():
    rows, _ = parse_rows([ROW | {"bidBuffer": "0.00000000"}])
    assert rows[0].bid_buffer == 0.0


@pytest.mark.parametrize(
    "symbol", ["", "A" * 65, "BTC\nUSD", "BTC\x00", "\ud800", 7, None, True, []]
)
def test_a_bad_symbol_is_refused(symbol):
    rows, rejects = parse_rows([ROW | {"symbol": symbol}])
    assert rows == []
    assert rejects[0].reason == "bad_symbol"


def test_a_row_without_symbol_is_refused():
    assert parse_rows([{"index": "1"}])[1][0].reason == "bad_symbol"


@pytest.mark.parametrize("item", [None, 1, "BTCUSD", [], [ROW], True])
def test_a_row_that_is_no_object_is_refused(item):
    rows, rejects = parse_rows([item, ROW])
    assert len(rows) == 1
    assert rejects[0].reason == "not_an_object"


def test_of_two_rows_with_one_symbol_the_first_stays():
    rows, rejects = parse_rows([ROW, ROW | {"index": "1.0"}])
    assert [row.index for row in rows] == [61475.0272033]
    assert rejects[0].reason == "duplicate"


def test_a_reject_does_not_repeat_the_value():
    assert "secret" not in parse_rows([ROW | {"index": "secret"}])[1][0].detail


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)
plausible = st.one_of(
    json_values,
    st.decimals(min_value=0, max_value=10**9, places=8).map(str),
    st.from_regex(r"[0-9]{1,20}(\.[0-9]{1,20})?", fullmatch=True),
    st.sampled_from(BAD_NUMBERS),
)
rows_like = st.lists(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(API_FIELDS.values(), plausible)
        | {"symbol": st.sampled_from(["BTCUSD", "ETHUSD"]) | plausible},
    )
)


def numbers_in(document: Any) -> Iterator[float]:
    """Every number the document holds, read without the parser under test."""
    if isinstance(document, dict):
        for value in document.values():
            yield from numbers_in(value)
    elif isinstance(document, list):
        for value in document:
            yield from numbers_in(value)
    elif not isinstance(document, bool) and isinstance(document, int | float | str):
        try:
            yield float(document)
        except (ValueError, OverflowError):
            return


@pytest.mark.fuzz
@given(json_values | rows_like)
def test_no_document_raises_or_yields_a_value_that_was_not_in_it(document):
    rows, rejects = parse_rows(document)
    known = set(numbers_in(document))
    assert len(rows) + len(rejects) == (len(document) if isinstance(document, list) else 1)
    for row in rows:
        for field in fields(row)[1:]:
            value = getattr(row, field.name)
            if value is not None:
                original = {number / 1000 for number in known} if field.name == "time" else known
                assert value in original
                assert math.isfinite(value)


@pytest.mark.fuzz
@given(st.decimals(min_value="0.00000001", max_value=10**9, places=8))
def test_a_price_reads_back_as_the_float_nearest_to_the_decimal(price):
    rows, _ = parse_rows([{"symbol": "BTCUSD", "index": f"{price:.8f}"}])
    assert rows[0].index == float(price)
