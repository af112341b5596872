"""Whatever a request says, it is answered: a page, or one sentence of what is wrong."""

import asyncio
import gzip
from collections.abc import Iterator
from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from exporter.binance.gate import Gate
from exporter.binance.rows import Row
from exporter.config.modules import ModuleSettings
from exporter.scrape.changes import Changes
from exporter.scrape.flight import Fetch, Flight, Waiter
from exporter.scrape.outage_log import OutageLog
from exporter.scrape.state import Watch
from exporter.service import Module
from exporter.web.app import App, Options, scrape_timeout
from exporter.web.negotiation import OPENMETRICS, TEXT, accepts_gzip

MODULE_TIMEOUT = 5


class Fetcher:
    """Has fetched already."""

    def begin(self, symbols, *, probe) -> Waiter:
        flight = Flight(0, MODULE_TIMEOUT)
        flight.future = Future()
        flight.future.set_result(Fetch(1.0, [Row("BTCUSD", index=61475.0272033)]))
        # reused for `min_interval`, it may be older than its own deadline
        return Waiter(flight, lambda: 0.0, lambda fetch: fetch, pytest.fail)


@pytest.fixture(scope="module")
def ask() -> Iterator:
    """Hands a GET to the application, as the server would; gives status, headers and body."""
    settings = ModuleSettings(timeout=f"{MODULE_TIMEOUT}s")
    log, watch = OutageLog("default"), Watch((), Changes())
    modules = {"default": Module(settings, Fetcher(), Gate(), log, watch)}
    app = App(SimpleNamespace(modules=modules), CollectorRegistry(), Options(), Future)

    def ask(path, query, headers):
        sent = []

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": path, "query_string": query}
        runner.run(app.asgi(scope | {"headers": headers}, None, send))
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]

    with asyncio.Runner() as runner:
        yield ask


header_values = st.binary().map(lambda value: value.replace(b"\r", b"").replace(b"\n", b""))
accepts = st.lists(
    st.sampled_from(
        [
            *[b"text/plain", b"application/openmetrics-text", b"*/*", b"text/*", b"gzip", b"br"],
            *[b"*", b",", b";", b"=", b'"', b" ", b"version", b"q", b"0.5", b"1.0.0", b"0.0.4"],
        ]
    )
    | header_values
).map(b"".join)
timeouts = st.sampled_from([b"10", b"0.1", b"1e-9", b"1e999", b"nan", b"-1", b""]) | header_values


@pytest.mark.fuzz
@given(accept=accepts, accept_encoding=accepts, timeout=timeouts)
def test_any_headers_get_a_page(ask, accept, accept_encoding, timeout):
    status, headers, body = ask(
        "/metrics",
        b"",
        [
            (b"accept", accept),
            (b"accept-encoding", accept_encoding),
            (b"x-prometheus-scrape-timeout-seconds", timeout),
        ],
    )
    assert status == 200
    assert headers[b"content-type"].decode() in {TEXT.content_type, OPENMETRICS.content_type}
    zipped = headers.get(b"content-encoding") == b"gzip"
    assert zipped == accepts_gzip(accept_encoding.decode("latin-1"))
    page = gzip.decompress(body) if zipped else body
    assert b"\nbinance_asset_index_up " in page


queries = st.binary() | st.lists(
    st.sampled_from([b"module=", b"symbol=", b"&", b"=", b"default", b"BTCUSD", b"%00", b"%ff"])
    | st.binary()
).map(b"".join)


@pytest.mark.fuzz
@given(query=queries)
def test_any_query_gets_a_page_or_a_sentence(ask, query):
    status, headers, body = ask("/probe", query, [])
    if status == 400:
        assert headers[b"content-type"].startswith(b"text/plain")
        assert body.decode().count("\n") == 1
    else:
        assert status == 200
        assert b"binance_asset_index_up 1.0\n" in body


@pytest.mark.fuzz
@given(header=st.text() | st.floats().map(str), offset=st.floats(0, 10**6))
def test_any_timeout_is_no_more_than_the_modules(header, offset):
    assert 0 <= scrape_timeout(MODULE_TIMEOUT, header, offset) <= MODULE_TIMEOUT
