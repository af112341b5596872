"""prometheus_client's own writers are the reference, byte for byte."""

import math
import sys

import prometheus_client.exposition as text
import prometheus_client.openmetrics.exposition as openmetrics
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    Summary,
    disable_created_metrics,
    enable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from exporter.binance.exchange_info import MarginAsset
from exporter.binance.gate import Gate
from exporter.binance.rows import Row
from exporter.collector import Table, index_families, index_tables, scrape_families, scrape_gauges
from exporter.metrics.catalogue import Spec
from exporter.metrics.counters import ApiMetrics, GateCollector, register_build_info
from exporter.scrape.flight import Fetch
from exporter.web.writer import Writer

FORMATS = [
    pytest.param(Writer(openmetrics=False), text.generate_latest, id="text"),
    pytest.param(Writer(openmetrics=True), openmetrics.generate_latest, id="openmetrics"),
]
each_format = pytest.mark.parametrize(("writer", "reference"), FORMATS)


class Source:
    """Families as a registry gives them."""

    def __init__(self, families):
        self.families = list(families)

    def collect(self):
        return self.families


def encoded(writer: Writer, *parts: str) -> bytes:
    return ("".join(parts) + writer.end).encode()


anything = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.floats() | st.floats(1e5, 1e7) | st.integers(-(10**15), 10**15).map(float)
labels = st.dictionaries(st.from_regex(r"[a-z_]{1,5}", fullmatch=True), anything)


@pytest.mark.fuzz
@each_format
@given(st.dictionaries(anything, st.none() | numbers | st.booleans(), min_size=1), anything)
@example({"BTCUSD": 999999.9999999999, "B": 1e6, "C": 1000000.5, "D": 1e16, "E": 1e-7}, "")
@example({"zero": -0.0, "least": sys.float_info.min, "inf": math.inf, "nan": math.nan}, "")
@example({'"': 1.0, "\\": 2.0, "\n": 3.0, "\\n": 4.0, "ⓈUSD": 5.0}, 'a "b" \\ c\nd')
def test_a_table_of_any_symbols_and_numbers(writer, reference, values, help_text):
    spec = Spec("price_usd", help_text, unit="usd", labels=("symbol",))
    family = GaugeMetricFamily(spec.name, help_text, labels=spec.labels, unit="usd")
    for symbol, value in values.items():
        if value is not None:
            family.add_metric((symbol,), value)
    table = Table(list(values), [(spec, list(values.values()))])
    expected = reference(Source([family] if family.samples else []))
    assert encoded(writer, writer.table(table)) == expected


@pytest.mark.fuzz
@each_format
@given(numbers | st.booleans() | st.integers(0, 10**20), anything)
def test_a_gauge_of_any_number(writer, reference, value, help_text):
    spec = Spec("duration_seconds", help_text, unit="seconds")
    family = GaugeMetricFamily(spec.name, help_text, value=value, unit="seconds")
    assert encoded(writer, writer.gauge(spec, value)) == reference(Source([family]))


@pytest.mark.fuzz
@each_format
@given(labels, numbers, anything, st.sampled_from([CounterMetricFamily, GaugeMetricFamily]))
def test_a_family_with_any_labels(writer, reference, pairs, value, help_text, kind):
    family = kind("requests", help_text, labels=tuple(pairs))
    family.add_metric(tuple(pairs.values()), value)
    assert encoded(writer, writer.family(family)) == reference(Source([family]))


@pytest.fixture
def registry():
    """Without `_created` series, as the exporter runs."""
    disable_created_metrics()
    yield CollectorRegistry()
    enable_created_metrics()


@each_format
def test_every_type_of_a_registry(writer, reference, registry):
    Counter("requests", "Requests.", ["reason", "endpoint"], registry=registry).labels("a", "b")
    Gauge("weight", "Weight.", registry=registry).set(1e9)
    duration = Histogram("duration_seconds", "Duration.", unit="seconds", registry=registry)
    duration.observe(0.3)
    Summary("size_bytes", "Size.", registry=registry).observe(2)
    assert encoded(writer, *map(writer.family, registry.collect())) == reference(registry)


@each_format
def test_every_family_of_the_process(writer, reference, registry):
    register_build_info(registry)
    ApiMetrics(registry).requested("assetIndex", 0.02)
    registry.register(GateCollector(lambda: [Gate()]))
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    families = list(registry.collect())
    assert encoded(writer, *map(writer.family, families)) == reference(Source(families))


@each_format
def test_what_the_collector_gives(writer, reference):
    rows = [Row("BTCUSD", time=1784571967.0, index=61475.0272033), Row("XUSD", bid_buffer=0.0)]
    margin = {"BTCUSD": MarginAsset(True, -0.1), "OTHERUSD": MarginAsset(None, None)}
    fetch = Fetch(1784571968.25, rows, margin_assets=margin)
    families = [*index_families(fetch), *scrape_families(fetch, 0.25)]
    gauges = (writer.gauge(*gauge) for gauge in scrape_gauges(fetch, 0.25))
    page = encoded(writer, *map(writer.table, index_tables(fetch)), *gauges)
    assert page == reference(Source(families))
