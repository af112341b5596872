"""Pages: rendered and compressed once for all scrapes that waited for one fetch."""

import gzip
import struct
import zlib
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry

from exporter.collector import index_tables, scrape_gauges
from exporter.scrape.flight import Fetch
from exporter.web.negotiation import Format

_GZIP_LEVEL = 1  # a page shrinks tenfold at the lowest level; higher ones cost more than they save
_GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # deflate, no name, no time, no system


def compress(body: bytes) -> bytes:
    """Gzip, reproducibly."""
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


@dataclass(frozen=True)
class Scrape:
    """A fetch as one request saw it."""

    fetch: Fetch
    duration: float
    """Seconds."""
    waited: bool = True
    """Whether the fetch was in flight when the request arrived."""


class Renderer:
    """Renders pages.

    Scrapes that waited for one fetch share the page, rendered and compressed once, with the
    process's own metrics as they were then. Only their duration, at its end, is each one's own.
    """

    def __init__(self) -> None:
        self._starts: WeakKeyDictionary[Fetch, dict[_Key, _Start]] = WeakKeyDictionary()

    def page(
        self,
        scrape: Scrape,
        output: Format,
        *,
        compressed: bool = False,
        registry: CollectorRegistry | None = None,
    ) -> bytes:
        """The families of a registry, those of the fetch, those of the scrape.

        Args:
            scrape: What to show.
            output: The format.
            compressed: Whether to gzip the page.
            registry: Further metrics.
        """
        writer = output.writer
        *shared, (spec, duration) = scrape_gauges(scrape.fetch, scrape.duration)
        starts = self._starts.setdefault(scrape.fetch, {})
        key = (output, compressed, registry)
        # `min_interval` allows the fetch to be old, but not the process's own metrics
        if key not in starts or (registry and not scrape.waited):
            starts[key] = _Start(
                "".join(
                    [
                        *(map(writer.family, registry.collect()) if registry else ()),
                        *map(writer.table, index_tables(scrape.fetch)),
                        *(writer.gauge(*gauge) for gauge in shared),
                    ]
                ),
                compressed,
            )
        return starts[key].ended(writer.gauge(spec, duration) + writer.end)


_Key = tuple[Format, bool, CollectorRegistry | None]


class _Start:
    """All of a page but its end; compressed if asked for, which no end does over again."""

    def __init__(self, text: str, compressed: bool) -> None:
        body = text.encode()
        self._crc = zlib.crc32(body) if compressed else None
        self._length = len(body)
        self._bytes = _GZIP_HEADER + _deflated(body) if compressed else body

    def ended(self, end: str) -> bytes:
        """The page's bytes."""
        tail = end.encode()
        if self._crc is None:
            return self._bytes + tail
        # RFC 1951, 3.2.4: a last block that is stored; RFC 1952, 2.3.1: checksum and length
        block = struct.pack("<BHH", 1, len(tail), len(tail) ^ 0xFFFF)
        trailer = struct.pack("<II", zlib.crc32(tail, self._crc), self._length + len(tail))
        return b"".join((self._bytes, block, tail, trailer))


def _deflated(body: bytes) -> bytes:
    """Compressed, without a last block and up to the end of a byte."""
    compressor = zlib.compressobj(_GZIP_LEVEL, wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush(zlib.Z_SYNC_FLUSH)
