import pytest
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    enable_created_metrics,
    generate_latest,
)

from exporter.metrics.catalogue import Spec
from exporter.metrics.kept import KeptCounter, KeptHistogram

COUNTER = Spec("x_total", "Some.", "counter", labels=("endpoint", "reason"))
HISTOGRAM = Spec("x_seconds", "Some.", "histogram", labels=("endpoint",))
SERIES = [("a", "timeout"), ("a", "banned"), ("b", "timeout")]
BOUNDS = (0.25, 1, 2.5)


@pytest.fixture(autouse=True)
def _without_created():
    disable_created_metrics()
    yield
    enable_created_metrics()


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def reference():
    return CollectorRegistry()


def test_a_counter_shows_what_that_of_prometheus_client_shows(registry, reference):
    kept = KeptCounter(COUNTER, SERIES, registry)
    counter = Counter(COUNTER.name, COUNTER.help, COUNTER.labels, registry=reference)
    for labels in SERIES:
        counter.labels(*labels)
    assert generate_latest(registry) == generate_latest(reference)
    for labels, amount in ((SERIES[0], 1), (SERIES[2], 3), (SERIES[0], 0.5)):
        kept.inc(*labels, amount=amount)
        counter.labels(*labels).inc(amount)
    assert generate_latest(registry) == generate_latest(reference)


def test_a_histogram_shows_what_that_of_prometheus_client_shows(registry, reference):
    kept = KeptHistogram(HISTOGRAM, [("a",), ("b",)], BOUNDS, registry)
    histogram = Histogram(
        HISTOGRAM.name, HISTOGRAM.help, HISTOGRAM.labels, buckets=BOUNDS, registry=reference
    )
    for endpoint in "ab":
        histogram.labels(endpoint)
    assert generate_latest(registry) == generate_latest(reference)
    for value in (0.0, 0.25, 0.3, 1, 2.5, 2.6, 100):
        kept.observe("a", value=value)
        histogram.labels("a").observe(value)
    assert generate_latest(registry) == generate_latest(reference)


def test_a_page_that_is_being_written_does_not_change(registry):
    kept = KeptCounter(COUNTER, SERIES, registry)
    [family] = registry.collect()
    kept.inc(*SERIES[0])
    assert [sample.value for sample in family.samples] == [0, 0, 0]


def test_a_series_that_is_not_known_from_the_start_is_refused(registry):
    with pytest.raises(KeyError):
        KeptCounter(COUNTER, SERIES, registry).inc("a", "new")


def test_a_name_is_registered_once(registry):
    KeptCounter(COUNTER, SERIES, registry)
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        KeptCounter(COUNTER, SERIES, registry)
