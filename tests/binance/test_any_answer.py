"""Whatever bytes the exchange answers with, there are rows or a typed error, and nothing else."""

import contextlib
import json
import math
import socket
import time
from collections.abc import Iterator
from dataclasses import fields

import pytest
import requests_mock
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from exporter.binance.client import Client, Limits
from exporter.binance.errors import ApiError
from exporter.binance.gate import Gate
from exporter.binance.late import LateHeads
from exporter.binance.rows import Row
from exporter.metrics.counters import ApiMetrics
from tests.raw_server import raw_server, read_request
from tests.stand_ins import mocked_requests

BASE_URL = "https://fapi.example"
ROWS = b'[{"symbol":"BTCUSD","time":1719554624000,"index":"61475.02720330","bidBuffer":"0.05"}]'
METRICS = ApiMetrics(CollectorRegistry())


def check(client: Client, symbol: str | None = None) -> None:
    """Ask once; if there are rows, they hold usable numbers."""
    rows: list[Row] = []
    with contextlib.suppress(ApiError):
        rows, _ = client.asset_index(symbol, Limits(time.monotonic() + 5))
        assert rows
    for row in rows:
        values = [getattr(row, field.name) for field in fields(row)[1:]]
        assert all(math.isfinite(value) and value >= 0 for value in values if value is not None)


def cut_and_mixed(whole: bytes) -> st.SearchStrategy[bytes]:
    """What is left of these bytes when some in the middle are lost or replaced."""
    places = st.integers(0, len(whole))
    return st.builds(lambda i, j, new: whole[:i] + new + whole[j:], places, places, st.binary())


json_bytes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
).map(lambda document: json.dumps(document).encode())
bodies = st.binary() | cut_and_mixed(ROWS) | json_bytes
statuses = st.just(200) | st.integers(100, 999)


@pytest.mark.fuzz
@given(status=statuses, body=bodies, symbol=st.sampled_from([None, "BTCUSD"]))
def test_any_body_is_rows_or_a_typed_error(status, body, symbol):
    with mocked_requests() as exchange:
        exchange.get(requests_mock.ANY, status_code=status, content=body)
        check(Client(BASE_URL, Gate(), METRICS), symbol)


class RawExchange:
    """Sends given bytes, and closes the connection."""

    answer = b""

    def script(self, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(self.answer)
        connection.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def exchange() -> Iterator[tuple[RawExchange, str]]:
    exchange = RawExchange()
    with raw_server(exchange.script) as url:
        yield exchange, url


header_lines = st.lists(
    st.sampled_from(
        [
            b"Content-Length: %d" % len(ROWS),
            b"Content-Length: 5",
            b"Transfer-Encoding: chunked",
            b"Content-Encoding: gzip",
            b"Content-Encoding: deflate",
            b"Location: http://[",
            b"Retry-After: 5",
            b"Set-Cookie: a=b; expires=never",
            b"X-MBX-USED-WEIGHT-1M: 10",
            b"Connection: close",
        ]
    )
    | st.binary(),
    max_size=5,
).map(b"\r\n".join)
answers = st.builds(
    lambda status, headers, body: b"HTTP/1.1 %d X\r\n%s\r\n\r\n%s" % (status, headers, body),
    statuses,
    header_lines,
    bodies,
)


@pytest.mark.fuzz
@given(answer=st.binary() | answers | answers.flatmap(cut_and_mixed))
def test_any_bytes_on_the_wire_are_rows_or_a_typed_error(exchange, answer):
    server, url = exchange
    server.answer = answer
    client = Client(url, Gate(), METRICS, late=LateHeads(0))
    check(client)
    client.close()
