"""Text 0.0.4 and OpenMetrics 1.0, byte for byte as prometheus_client writes them.

Rendering is what an exporter does most. prometheus_client makes an object of each sample, sorts
each one's labels and looks at each character of a name, which takes it ten times as long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from prometheus_client import Metric
from prometheus_client.utils import floatToGoString

from exporter.collector import Table
from exporter.metrics.catalogue import Spec

_PLAIN = 1e6  # from here on a number has an exponent; below, it is written as by repr()
_HEADERS = 256  # kept as text, more than there are families in both formats
_SERIES = 1024  # of registries, whose labels are all known beforehand
_NUMBERS = 64  # the rows of a list have one `time`


@dataclass(frozen=True, eq=False)
class Writer:
    """Writes families in one of the two formats, which differ in their headers only."""

    openmetrics: bool

    @property
    def end(self) -> str:
        """What follows the last family of a page."""
        return "# EOF\n" if self.openmetrics else ""

    def gauge(self, spec: Spec, value: float) -> str:
        """A gauge without labels."""
        return f"{self._spec_header(spec)}{spec.name} {_number(value)}\n"

    def table(self, table: Table) -> str:
        """A gauge for each column that has a value, a series for each value."""
        labels = [f'{{symbol="{_escaped(symbol)}"}}' for symbol in table.symbols]
        return "".join(self._gauge_of(spec, labels, column) for spec, column in table.columns)

    def family(self, family: Metric) -> str:
        """A gauge, counter, histogram or summary, without exemplars and timestamps."""
        munged = family.type == "counter" and not self.openmetrics
        name = f"{family.name}_total" if munged else family.name
        lines = [
            f"{_series(sample.name, *sample.labels.items())} {_number(sample.value)}\n"
            for sample in family.samples
        ]
        return self._header(name, family.documentation, family.type, family.unit) + "".join(lines)

    def _gauge_of(self, spec: Spec, labels: list[str], column: Sequence[float | None]) -> str:
        name = spec.name
        lines = [
            f"{name}{label} {value!r}\n"
            if value.__class__ is float and -_PLAIN < value < _PLAIN
            else f"{name}{label} {_number(value)}\n"
            for label, value in zip(labels, column, strict=True)
            if value is not None
        ]
        return self._spec_header(spec) + "".join(lines) if lines else ""

    def _spec_header(self, spec: Spec) -> str:
        return self._header(spec.name, spec.help, spec.type, spec.unit)

    @lru_cache(_HEADERS)  # noqa: B019 - there are two writers, for good
    def _header(self, name: str, help_text: str, kind: str, unit: str) -> str:
        help_text = help_text.replace("\\", r"\\").replace("\n", r"\n")
        if self.openmetrics:
            help_text = help_text.replace('"', r"\"")
        header = f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n"
        return f"{header}# UNIT {name} {unit}\n" if unit and self.openmetrics else header


@lru_cache(_SERIES)
def _series(name: str, *labels: tuple[str, str]) -> str:
    if not labels:
        return name
    return name + "{" + ",".join(f'{key}="{_escaped(text)}"' for key, text in sorted(labels)) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    if value.__class__ is float and -_PLAIN < value < _PLAIN:
        return repr(value)
    return _other_number(value)


@lru_cache(_NUMBERS, typed=True)
def _other_number(value: float) -> str:
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]
