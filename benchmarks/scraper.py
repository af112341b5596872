"""One scraper: asks for a page over a keep-alive connection, as Prometheus does."""

import asyncio
import gzip
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;"
    "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
FORMATS = {
    "as Prometheus asks": {"Accept": PROMETHEUS_3, "Accept-Encoding": "gzip"},
    "as plain text": {"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "identity"},
}
AS_PROMETHEUS, AS_TEXT = FORMATS


@dataclass(slots=True)
class Page:
    """An answer, as it was received."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def samples(self) -> int:
        """How many samples it holds."""
        zipped = self.headers.get("content-encoding") == "gzip"
        text = gzip.decompress(self.body) if zipped else self.body
        return sum(not line.startswith(b"#") for line in text.splitlines())


class Scraper:
    """Scrapes one URL; a connection that the server closes is opened anew.

    Args:
        url: The page.
        headers: Sent with each request.
    """

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["User-Agent: Prometheus/3.0.0", "X-Prometheus-Scrape-Timeout-Seconds: 10"]
        self._request = "\r\n".join([*lines, "", ""]).encode()
        self._connection: _Connection | None = None

    async def scrape(self) -> tuple[float, Page]:
        """Return the seconds from asking, or connecting, to the last byte, and the page."""
        begun_at = time.perf_counter()
        if self._connection is None or self._connection.closed:
            loop = asyncio.get_running_loop()
            _, self._connection = await loop.create_connection(_Connection, self._host, self._port)
        page = await self._connection.ask(self._request)
        return time.perf_counter() - begun_at, page

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.transport.close()


class _Connection(asyncio.Protocol):
    closed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    async def ask(self, request: bytes) -> Page:
        self._page = Page()
        self._chunks: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        await self._done
        self._page.status = self._parser.get_status_code()
        self._page.body = b"".join(self._chunks)
        return self._page

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self._done.done():
            self._done.set_exception(exc or ConnectionResetError("closed before the last byte"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._page.headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():  # asked later, it would always say no
            self.closed = True
            self.transport.close()
        if not self._done.done():  # the scraper may have been cancelled
            self._done.set_result(None)
