import contextlib
import http.client
import logging
import signal
import socket
import threading
import time

import pytest
import requests

from exporter.simulator.exchange import ASSET_INDEX, EXCHANGE_INFO, Exchange
from exporter.simulator.server import serve

from .conftest import START


@pytest.fixture
def url_of(clock):
    """Serves a scenario as it is so many seconds after its start."""
    with contextlib.ExitStack() as servers:

        def url_of(scenario="calm", elapsed=0):
            exchange = Exchange(scenario, clock=clock)
            clock.now = START + elapsed
            return servers.enter_context(serve(exchange))

        yield url_of


def get(url, path, **params):
    return requests.get(url + path, params=params, timeout=5)


def connection_to(url):
    return contextlib.closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=5))


def test_it_carries_status_headers_and_body(url_of, open_exchange):
    answer = get(url_of(), ASSET_INDEX, symbol="BTCUSD")
    expected = open_exchange().answer(ASSET_INDEX, {"symbol": "BTCUSD"})
    assert (answer.status_code, answer.content) == (expected.status, expected.body)
    length = {"Content-Length": str(len(expected.body))}
    assert answer.headers.items() >= {**expected.headers, **length}.items()


def test_it_carries_a_megabyte(url_of):
    assert get(url_of(), EXCHANGE_INFO).json()["futuresType"] == "U_MARGINED"


def test_it_carries_errors(url_of):
    answer = get(url_of(), ASSET_INDEX, symbol="NOPEUSD")
    assert (answer.status_code, answer.json()["code"]) == (400, -1121)


def test_an_empty_symbol_is_a_symbol(url_of):
    assert get(url_of(), ASSET_INDEX, symbol="").status_code == 400


def test_a_connection_is_kept_for_the_next_request(url_of):
    with connection_to(url_of()) as connection:
        sockets = []
        for _ in range(2):
            connection.request("GET", ASSET_INDEX)
            connection.getresponse().read()
            sockets.append(connection.sock)
        assert sockets[0] is sockets[1] is not None


def test_a_dropped_connection_ends_without_a_byte(url_of):
    with connection_to(url_of("outage", elapsed=180)) as connection:
        connection.request("GET", ASSET_INDEX)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()


def test_a_hanging_answer_says_nothing_and_holds_up_nobody(url_of, clock):
    url = url_of("outage", elapsed=240)
    with connection_to(url) as connection:
        connection.connect()
        connection.sock.settimeout(0.05)
        connection.request("GET", ASSET_INDEX)
        with pytest.raises(TimeoutError):
            connection.getresponse()
        clock.now = START + 300
        assert get(url, ASSET_INDEX).status_code == 200


def test_a_hanging_answer_does_not_delay_the_stop(clock):
    asked = threading.Event()

    def telling_clock():
        asked.set()
        return clock.now

    exchange = Exchange("outage", clock=telling_clock)
    clock.now = START + 240
    asked.clear()
    with contextlib.ExitStack() as client:
        with serve(exchange) as url:
            connection = client.enter_context(connection_to(url))
            connection.request("GET", ASSET_INDEX)
            assert asked.wait(5)
            began = time.monotonic()
        assert time.monotonic() - began < 5
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()


def test_nothing_is_left_when_it_has_stopped(open_exchange):
    before = threading.enumerate()
    with serve(open_exchange()) as url:
        pass
    assert threading.enumerate() == before
    with pytest.raises(requests.ConnectionError):
        get(url, ASSET_INDEX)


def test_it_stops_when_the_block_fails(open_exchange):
    before = threading.enumerate()
    with pytest.raises(ZeroDivisionError), serve(open_exchange()):
        1 / 0  # noqa: B018
    assert threading.enumerate() == before


def test_a_port_in_use_is_refused(open_exchange):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = serve(open_exchange(), port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            server.__enter__()


def test_signals_stay_as_they_are(url_of):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    get(url_of(), ASSET_INDEX)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_logging_stays_as_it_is(open_exchange):
    def state():
        loggers = [logging.getLogger(name) for name in (None, "uvicorn", "uvicorn.access")]
        return [(one.level, list(one.handlers), one.propagate, one.disabled) for one in loggers]

    before = state()
    with serve(open_exchange()) as url:
        get(url, ASSET_INDEX)
    assert state() == before


def test_neither_requests_nor_misbehaviour_are_logged(url_of, caplog):
    with caplog.at_level(logging.INFO):
        get(url_of(), ASSET_INDEX)
        with pytest.raises(requests.ConnectionError):
            get(url_of("outage", elapsed=180), ASSET_INDEX)
    assert "uvicorn.access" not in {record.name for record in caplog.records}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
