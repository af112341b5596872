"""A page in the format and encoding that the request asks for."""

import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from weakref import WeakKeyDictionary

import prometheus_client.exposition as text
import prometheus_client.openmetrics.exposition as openmetrics
from prometheus_client import CollectorRegistry, Metric

from exporter.collector import index_families, scrape_families
from exporter.scrape.fetch import Fetch

_GZIP_LEVEL = 1  # a page shrinks tenfold at the lowest level; higher ones cost more than they save
_EOF = b"# EOF\n"


class Source(Protocol):
    """Anything whose families can be rendered."""

    def collect(self) -> Iterable[Metric]:
        """Yield the families."""


@dataclass(frozen=True)
class Format:
    """An exposition format."""

    content_type: str
    media_type: str
    version: str
    render: Callable[[Source], bytes]


TEXT = Format(text.CONTENT_TYPE_PLAIN_0_0_4, "text/plain", "0.0.4", text.generate_latest)
OPENMETRICS = Format(
    openmetrics.CONTENT_TYPE_LATEST,
    "application/openmetrics-text",
    "1.0.0",
    openmetrics.generate_latest,
)


class _Range(NamedTuple):
    """One element of an Accept or Accept-Encoding header."""

    value: str
    params: dict[str, str]
    quality: float


def choose_format(accept: str) -> Format:
    """The format with the highest q-value; text where nothing fits, so that nobody gets a 406."""
    ranges = list(_ranges(accept))
    # on equal terms the first stays: text, which every client reads
    return max((TEXT, OPENMETRICS), key=lambda candidate: _quality(candidate, ranges))


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether gzip is named, or covered by `*`, and liked no less than a plain body."""
    qualities = {each.value: each.quality for each in _ranges(accept_encoding)}
    quality = qualities.get("gzip", qualities.get("*", 0))
    return quality > 0 and quality >= qualities.get("identity", 0)


def compress(body: bytes) -> bytes:
    """Gzip, reproducibly."""
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


class Renderer:
    """Renders pages; scrapes that share a fetch share the rendering of its index families."""

    def __init__(self) -> None:
        self._rendered: WeakKeyDictionary[Fetch, dict[Format, bytes]] = WeakKeyDictionary()

    def page(
        self,
        fetch: Fetch,
        duration: float,
        output: Format,
        registry: CollectorRegistry | None = None,
    ) -> bytes:
        """The index families of a fetch, those of the scrape, and a registry's.

        Args:
            fetch: what the scrape waited for.
            duration: seconds the scrape took.
            output: the format.
            registry: further metrics for the page.
        """
        shared = self._rendered.setdefault(fetch, {})
        if output not in shared:
            shared[output] = _without_eof(output.render(_Families(index_families(fetch))))
        own = [_without_eof(output.render(registry))] if registry else []
        scrape = output.render(_Families(scrape_families(fetch, duration)))
        return b"".join([*own, shared[output], scrape])


@dataclass(frozen=True)
class _Families:
    families: Iterator[Metric]

    def collect(self) -> Iterator[Metric]:
        return self.families


def _without_eof(page: bytes) -> bytes:
    return page.removesuffix(_EOF)


def _ranges(header: str) -> Iterator[_Range]:
    for element in header.split(","):
        value, *params = (part.strip() for part in element.split(";"))
        if value:
            pairs = dict(_pair(param) for param in params)
            yield _Range(value.lower(), pairs, _weight(pairs.pop("q", "1")))


def _pair(param: str) -> tuple[str, str]:
    name, _, value = param.partition("=")
    return name.strip().lower(), value.strip().strip('"')


def _weight(text_value: str) -> float:
    try:
        weight = float(text_value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def _quality(candidate: Format, ranges: list[_Range]) -> float:
    """The q-value of the most specific range that covers the format."""
    major = candidate.media_type.split("/")[0]
    exact = [
        each.quality
        for each in ranges
        if each.value == candidate.media_type
        and each.params.get("version", candidate.version) == candidate.version
    ]
    if exact:
        return max(exact)
    for wider in (f"{major}/*", "*/*"):
        qualities = [each.quality for each in ranges if each.value == wider]
        if qualities:
            return max(qualities)
    return 0.0
