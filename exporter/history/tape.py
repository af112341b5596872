"""Samples of many scrapes, in the order of OpenMetrics: family by family, series by series."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from prometheus_client import Metric

_Labels = tuple[tuple[str, str], ...]


class _Series(NamedTuple):
    times: "array[float]"
    values: "array[float]"


class Tape:
    """Keeps samples, 16 bytes each, until the last scrape: the text is in the order of the series.

    Args:
        labels: Labels that Prometheus adds to each sample: job and instance.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels
        self._heads: dict[str, str] = {}
        self._series: dict[str, dict[tuple[str, _Labels], _Series]] = {}

    def record(self, families: Iterable[Metric], moment: float) -> None:
        """Keep the samples of one scrape, taken at this Unix time, later than those before."""
        for family in families:
            if family.name not in self._heads:
                self._heads[family.name] = _head(family)
                self._series[family.name] = {}
            kept = self._series[family.name]
            for sample in family.samples:
                key = (sample.name, tuple(sample.labels.items()))
                series = kept.get(key)
                if series is None:
                    series = kept[key] = _Series(array("d"), array("d"))
                series.times.append(moment)
                series.values.append(sample.value)

    def lines(self) -> Iterator[str]:
        """Yield the text, line by line."""
        for name, head in self._heads.items():
            yield head
            # the series of one histogram go together, all of them at one time, then at the next
            together: dict[_Labels, list[Iterator[str]]] = {}
            for (sample, labels), series in self._series[name].items():
                metric = tuple(label for label in labels if label[0] != "le")
                text = _text({**self._labels, **dict(labels)})
                together.setdefault(metric, []).append(_lines(f"{sample}{{{text}}}", series))
            for each in together.values():
                yield from chain.from_iterable(zip(*each, strict=True))
        yield "# EOF\n"


def _lines(name: str, series: _Series) -> Iterator[str]:
    return (
        f"{name} {value!r} {time:.3f}\n"
        for time, value in zip(series.times, series.values, strict=True)
    )


def _head(family: Metric) -> str:
    unit = f"# UNIT {family.name} {family.unit}\n" if family.unit else ""
    return (
        f"# HELP {family.name} {_escaped(family.documentation)}\n"
        f"# TYPE {family.name} {family.type}\n{unit}"
    )


def _text(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
