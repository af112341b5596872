import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.binance.rows import Row
from exporter.scrape.fetch import Fetch
from exporter.web.exposition import (
    OPENMETRICS,
    TEXT,
    Renderer,
    accepts_gzip,
    choose_format,
    compress,
)

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;"
    "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", TEXT),
        ("text/plain", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("application/openmetrics-text", OPENMETRICS),
        ("application/openmetrics-text; version=1.0.0", OPENMETRICS),
        ('application/openmetrics-text; version="1.0.0"', OPENMETRICS),
        ("Application/OpenMetrics-Text; Version=1.0.0", OPENMETRICS),
        ("application/*", OPENMETRICS),
        (PROMETHEUS_2, OPENMETRICS),
        (PROMETHEUS_3, OPENMETRICS),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.7", TEXT),
        ("application/openmetrics-text;q=0.7,text/plain;q=0.2", OPENMETRICS),
        ("application/openmetrics-text;q=0,*/*", TEXT),
        ("text/plain;q=0,*/*;q=0.1", OPENMETRICS),
        ("application/openmetrics-text;version=2.0.0", TEXT),
        ("application/openmetrics-text;version=0.0.1", TEXT),
        ("application/openmetrics-text;version=one", TEXT),
        ("application/openmetrics-text;q=high,text/plain;q=0.1", TEXT),
        ("application/openmetrics-text;q=2,text/plain;q=0.1", TEXT),
        ("image/png", TEXT),
        (";;;,,,=", TEXT),
    ],
)
def test_the_accept_header_chooses_the_format(accept, expected):
    assert choose_format(accept) is expected


@pytest.mark.fuzz
@given(st.text() | st.from_regex(r"(text/plain|\*/\*|application/openmetrics-text)(;[a-z]+=.*)*"))
def test_no_accept_header_raises(accept):
    assert choose_format(accept) in {TEXT, OPENMETRICS}
    assert accepts_gzip(accept) in {True, False}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", False),
        ("identity", False),
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("identity;q=1, gzip;q=0.5", False),
        ("identity;q=0.5, gzip", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("br", False),
        ("gzip;q=x", False),
    ],
)
def test_the_accept_encoding_header_decides_on_gzip(header, expected):
    assert accepts_gzip(header) is expected


def test_a_compressed_page_reads_back():
    assert gzip.decompress(compress(b"page")) == b"page"


ROW = Row("BTCUSD", index=61475.0272033, time=1719554624.5)
FETCH = Fetch(1719554625.0, (ROW,))


@pytest.mark.parametrize("output", [TEXT, OPENMETRICS])
def test_a_page_holds_index_scrape_and_registry(output):
    registry = CollectorRegistry()
    Counter("requests", "Requests.", registry=registry)
    page = Renderer().page(FETCH, 0.25, output, registry).decode()
    parse = parse_text if output is TEXT else parse_openmetrics
    samples = {sample.name: sample.value for family in parse(page) for sample in family.samples}
    assert samples["binance_asset_index_price_usd"] == 61475.0272033
    assert samples["binance_asset_index_update_timestamp_seconds"] == 1719554624.5
    assert samples["binance_asset_index_up"] == 1
    assert samples["binance_asset_index_scrape_duration_seconds"] == 0.25
    assert samples["requests_total"] == 0
    assert page.count("# EOF") == (output is OPENMETRICS)


def test_scrapes_that_share_a_fetch_differ_in_their_duration_only():
    renderer = Renderer()
    first = renderer.page(FETCH, 0.25, TEXT).decode()
    second = renderer.page(FETCH, 0.5, TEXT).decode()
    assert first.replace("_duration_seconds 0.25", "_duration_seconds 0.5") == second


def test_a_rendering_is_forgotten_with_its_fetch():
    renderer = Renderer()
    renderer.page(Fetch(1.0, (ROW,)), 0.1, TEXT)
    assert len(renderer._rendered) == 0


symbols = st.text(min_size=1, max_size=64).filter(str.isprintable)
prices = st.floats(min_value=1e-8, max_value=1e15)


@pytest.mark.fuzz
@given(st.dictionaries(symbols, prices, min_size=1))
@pytest.mark.parametrize(
    ("output", "parse"), [(TEXT, parse_text), (OPENMETRICS, parse_openmetrics)]
)
def test_any_symbol_and_price_reads_back_from_the_page(output, parse, index):
    fetch = Fetch(1.0, [Row(symbol, index=price) for symbol, price in index.items()])
    page = Renderer().page(fetch, 0.1, output).decode()
    samples = {
        sample.labels["symbol"]: sample.value
        for family in parse(page)
        for sample in family.samples
        if sample.name == "binance_asset_index_price_usd"
    }
    assert samples == index
