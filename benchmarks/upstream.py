"""A static exchange: three answers made once, one port for each size, nothing computed.

It writes head and body at once from memory, so that its own time does not show in what is measured.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial

import httptools
import uvloop

from benchmarks.processes import running

_TIME_MS = 1784571967000


def _index(assets: int) -> bytes:
    """The list of the asset index, as long in every field as the real one."""
    rows = []
    for number in range(assets):
        price = 0.99 + 61475.0272033 * number / assets
        row: dict[str, str | int] = {"symbol": f"A{number:04}USD", "time": _TIME_MS}
        for field, factor in {"": 1.0, "Bid": 0.95, "Ask": 1.05}.items():
            if field:
                row[f"{field.lower()}Buffer"] = row[f"autoExchange{field}Buffer"] = "0.05000000"
                row[f"{field.lower()}Rate"] = f"{price * factor:.8f}"
                row[f"autoExchange{field}Rate"] = f"{price * (1 + factor) / 2:.8f}"
            else:
                row["index"] = f"{price:.8f}"
        rows.append(row)
    return json.dumps(rows).encode()


def _exchange_info(margin_assets: int = 12) -> bytes:
    limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1}
    assets = [
        {"asset": f"A{number:04}", "marginAvailable": True, "autoAssetExchange": "-10000"}
        for number in range(margin_assets)
    ]
    return json.dumps({"rateLimits": [limit | {"limit": 1_000_000_000}], "assets": assets}).encode()


def _answer(status: str, body: bytes) -> bytes:
    # a low used weight, so that no exporter which watches it holds a request back
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
        f"X-MBX-USED-WEIGHT-1M: 10\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = answers
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = httptools.parse_url(url).path

    def on_message_complete(self) -> None:
        self._transport.write(self._answers.get(self._path) or self._answers[b""])


async def _serve(sizes: list[int]) -> None:
    loop = asyncio.get_running_loop()
    for size in sizes:
        answers = {
            b"": _answer("404 Not Found", b"{}"),
            b"/fapi/v1/assetIndex": _answer("200 OK", _index(size)),
            b"/fapi/v1/exchangeInfo": _answer("200 OK", _exchange_info()),
        }
        server = await loop.create_server(partial(_Connection, answers), "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


@contextlib.contextmanager
def upstreams(sizes: Sequence[int]) -> Iterator[dict[int, str]]:
    """Run it as a process of its own until the block ends; yields its URLs by number of assets."""
    with running([sys.executable, "-m", "benchmarks.upstream", *map(str, sizes)]) as process:
        assert process.stdout
        ports = [process.stdout.readline().strip() for _ in sizes]
        yield {size: f"http://127.0.0.1:{port}" for size, port in zip(sizes, ports, strict=True)}


if __name__ == "__main__":
    uvloop.run(_serve([int(size) for size in sys.argv[1:]]))
