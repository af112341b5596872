"""Counters and histograms that keep their samples from one page to the next.

Those of prometheus_client make every sample anew for every page. That took 8 % of the CPU time of a
scrape, though in most intervals only a few of them have changed.
"""

import math
import threading
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import Sample
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from exporter.metrics.catalogue import Spec

_Key = tuple[str | float, ...]


class _Kept(Collector):
    """A family with all its samples from the start; each is replaced when its value changes."""

    def __init__(
        self, spec: Spec, samples: Iterable[tuple[_Key, Sample]], registry: CollectorRegistry
    ) -> None:
        self._spec = spec
        self._lock = threading.Lock()
        self._samples = dict(samples)
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the family."""
        family = Metric(self._spec.name.removesuffix("_total"), self._spec.help, self._spec.type)
        with self._lock:
            family.samples = [*self._samples.values()]
        yield family

    describe = collect

    def _add(self, key: _Key, amount: float) -> None:
        before = self._samples[key]
        self._samples[key] = Sample(before.name, before.labels, before.value + amount)


class KeptCounter(_Kept):
    """A counter.

    Args:
        spec: Its name and labels.
        series: The values of the labels of each series.
        registry: Where to register it.
    """

    def __init__(
        self, spec: Spec, series: Iterable[tuple[str, ...]], registry: CollectorRegistry
    ) -> None:
        samples = ((each, Sample(spec.name, _labels(spec, each), 0.0)) for each in series)
        super().__init__(spec, samples, registry)

    def inc(self, *labels: str, amount: float = 1.0) -> None:
        """Count in the series of these label values."""
        with self._lock:
            self._add(labels, amount)


class KeptHistogram(_Kept):
    """A histogram.

    Args:
        spec: Its name and labels.
        series: The values of the labels of each series.
        bounds: The upper bounds of the buckets, but for the last one, which has none.
        registry: Where to register it.
    """

    def __init__(
        self,
        spec: Spec,
        series: Iterable[tuple[str, ...]],
        bounds: Sequence[float],
        registry: CollectorRegistry,
    ) -> None:
        self._bounds = (*bounds, math.inf)
        samples = (sample for each in series for sample in self._series(spec, each))
        super().__init__(spec, samples, registry)

    def observe(self, *labels: str, value: float) -> None:
        """Count a value in the series of these label values."""
        with self._lock:
            for bound in self._bounds:
                if value <= bound:
                    self._add((*labels, bound), 1)
            self._add((*labels, "count"), 1)
            self._add((*labels, "sum"), value)

    def _series(self, spec: Spec, values: tuple[str, ...]) -> Iterator[tuple[_Key, Sample]]:
        labels = _labels(spec, values)
        for bound in self._bounds:
            le = {"le": floatToGoString(bound)}  # type: ignore[no-untyped-call]
            yield (*values, bound), Sample(f"{spec.name}_bucket", labels | le, 0.0)
        for suffix in ("count", "sum"):
            yield (*values, suffix), Sample(f"{spec.name}_{suffix}", labels, 0.0)


def _labels(spec: Spec, values: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(spec.labels, values, strict=True))
