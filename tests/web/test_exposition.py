import gzip
import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.binance.rows import Row
from exporter.scrape.flight import Fetch
from exporter.web.exposition import Renderer, Scrape, compress
from exporter.web.negotiation import OPENMETRICS, TEXT


def test_a_compressed_page_reads_back():
    assert gzip.decompress(compress(b"page")) == b"page"


ROW = Row("BTCUSD", index=61475.0272033, time=1719554624.5)
FETCH = Fetch(1719554625.0, (ROW,))


@pytest.mark.parametrize("output", [TEXT, OPENMETRICS])
def test_a_page_holds_index_scrape_and_registry(output):
    registry = CollectorRegistry()
    Counter("requests", "Requests.", registry=registry)
    page = Renderer().page(Scrape(FETCH, 0.25), output, registry=registry).decode()
    parse = parse_text if output is TEXT else parse_openmetrics
    samples = {sample.name: sample.value for family in parse(page) for sample in family.samples}
    assert samples["binance_asset_index_price_usd"] == 61475.0272033
    assert samples["binance_asset_index_update_timestamp_seconds"] == 1719554624.5
    assert samples["binance_asset_index_up"] == 1
    assert samples["binance_asset_index_scrape_duration_seconds"] == 0.25
    assert samples["requests_total"] == 0
    assert page.count("# EOF") == (output is OPENMETRICS)


def body(page: bytes, compressed: bool) -> str:
    return (gzip.decompress(page) if compressed else page).decode()


@pytest.mark.parametrize("output", [TEXT, OPENMETRICS])
@pytest.mark.parametrize("compressed", [False, True])
def test_scrapes_that_share_a_fetch_differ_in_their_duration_only(output, compressed):
    renderer = Renderer()
    first = body(renderer.page(Scrape(FETCH, 0.25), output, compressed=compressed), compressed)
    second = body(renderer.page(Scrape(FETCH, 0.5), output, compressed=compressed), compressed)
    assert first.replace("_duration_seconds 0.25", "_duration_seconds 0.5") == second


def test_a_compressed_page_is_one_gzip_member_as_not_every_client_reads_on():
    page = Renderer().page(Scrape(FETCH, 0.25), TEXT, compressed=True)
    member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    assert member.decompress(page) == Renderer().page(Scrape(FETCH, 0.25), TEXT)
    assert member.eof
    assert member.unused_data == b""


@pytest.mark.parametrize(("waited", "collections"), [(True, 1), (False, 2)])
def test_the_process_is_shown_as_at_the_fetch_or_for_a_reused_fetch_as_now(waited, collections):
    registry, renderer = CollectorRegistry(), Renderer()
    counted = itertools.count()
    Gauge("collections", "Collections.", registry=registry).set_function(lambda: next(counted))
    for _ in range(2):
        page = renderer.page(Scrape(FETCH, 0.1, waited), TEXT, registry=registry)
    assert f"\ncollections {collections - 1}.0\n" in page.decode()


def test_a_probe_has_nothing_of_the_registry_of_another_scrape():
    registry, renderer = CollectorRegistry(), Renderer()
    Gauge("own", "The process's own.", registry=registry)
    renderer.page(Scrape(FETCH, 0.1), TEXT, registry=registry)
    assert b"own" not in renderer.page(Scrape(FETCH, 0.1), TEXT)


def test_a_rendering_is_forgotten_with_its_fetch():
    renderer = Renderer()
    renderer.page(Scrape(Fetch(1.0, (ROW,)), 0.1), TEXT)
    assert len(renderer._starts) == 0


symbols = st.text(min_size=1, max_size=64).filter(str.isprintable)
prices = st.floats(min_value=1e-8, max_value=1e15)


@pytest.mark.fuzz
@given(st.dictionaries(symbols, prices, min_size=1))
@pytest.mark.parametrize(
    ("output", "parse"), [(TEXT, parse_text), (OPENMETRICS, parse_openmetrics)]
)
def test_any_symbol_and_price_reads_back_from_the_page(output, parse, index):
    fetch = Fetch(1.0, [Row(symbol, index=price) for symbol, price in index.items()])
    page = Renderer().page(Scrape(fetch, 0.1), output).decode()
    samples = {
        sample.labels["symbol"]: sample.value
        for family in parse(page)
        for sample in family.samples
        if sample.name == "binance_asset_index_price_usd"
    }
    assert samples == index
