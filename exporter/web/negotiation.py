"""Which format and encoding a request asks for: Accept and Accept-Encoding, q-values obeyed."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import prometheus_client.exposition as text
import prometheus_client.openmetrics.exposition as openmetrics

from exporter.web.writer import Writer

_HEADERS = 16  # remembered: a client sends the same ones each time


@dataclass(frozen=True, eq=False)
class Format:
    """An exposition format."""

    content_type: str
    media_type: str
    version: str
    writer: Writer


TEXT = Format(text.CONTENT_TYPE_PLAIN_0_0_4, "text/plain", "0.0.4", Writer(openmetrics=False))
OPENMETRICS = Format(
    openmetrics.CONTENT_TYPE_LATEST,
    "application/openmetrics-text",
    "1.0.0",
    Writer(openmetrics=True),
)


class _Range(NamedTuple):
    """One element of an Accept or Accept-Encoding header."""

    value: str
    params: dict[str, str]
    quality: float


@lru_cache(_HEADERS)
def choose_format(accept: str) -> Format:
    """The format with the highest q-value; text where nothing fits, so that nobody gets a 406."""
    ranges = list(_ranges(accept))
    # on equal terms the first stays: text, which every client reads
    return max((TEXT, OPENMETRICS), key=lambda candidate: _quality(candidate, ranges))


@lru_cache(_HEADERS)
def accepts_gzip(accept_encoding: str) -> bool:
    """Whether gzip is named, or covered by `*`, and liked no less than a plain body."""
    qualities = {each.value: each.quality for each in _ranges(accept_encoding)}
    quality = qualities.get("gzip", qualities.get("*", 0))
    return quality > 0 and quality >= qualities.get("identity", 0)


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
