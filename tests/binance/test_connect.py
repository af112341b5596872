import socket
from contextlib import ExitStack

import pytest

from exporter.binance.connect import connect, interleaved

V4, V6 = socket.AF_INET, socket.AF_INET6


def resolved_to(monkeypatch, *addresses):
    """Let every name resolve to these addresses."""
    found = [(V4, socket.SOCK_STREAM, 6, "", address) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()


@pytest.fixture
def refusing():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()


@pytest.fixture
def dead():
    """An address that answers nothing: its queue of connections is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()


def test_the_address_families_alternate():
    addresses = [(V6, 1), (V6, 2), (V6, 3), (V4, 4), (V4, 5)]
    assert [address for _, address in interleaved(addresses)] == [1, 4, 2, 5, 3]


def test_the_first_family_stays_first():
    assert interleaved([(V4, 1), (V6, 2)]) == [(V4, 1), (V6, 2)]


def test_a_dead_address_does_not_keep_us_from_the_next(monkeypatch, dead, listening):
    resolved_to(monkeypatch, dead, listening)
    with connect("fapi.example", 443, 5) as connection:
        assert connection.getpeername() == listening


def test_a_refusing_address_does_not_keep_us_from_the_next(monkeypatch, refusing, listening):
    resolved_to(monkeypatch, refusing, listening)
    with connect("fapi.example", 443, 5) as connection:
        assert connection.getpeername() == listening


def test_if_all_refuse_that_is_the_error(monkeypatch, refusing):
    resolved_to(monkeypatch, refusing, refusing)
    with pytest.raises(ConnectionRefusedError):
        connect("fapi.example", 443, 5)


def test_dead_addresses_are_given_up_at_the_timeout(monkeypatch, dead):
    resolved_to(monkeypatch, dead, dead)
    with pytest.raises(TimeoutError):
        connect("fapi.example", 443, 0.1)


def test_options_are_set(listening):
    nodelay = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connect(*listening, 5, [nodelay]) as connection:
        assert connection.getsockopt(*nodelay[:2])
        assert connection.gettimeout() == 5


def test_a_family_that_the_kernel_lacks_does_not_keep_us_from_the_next(monkeypatch, listening):
    lacking = (999, socket.SOCK_STREAM, 6, "", ("::1", 1))
    found = [lacking, (V4, socket.SOCK_STREAM, 6, "", listening)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with connect("fapi.example", 443, 5) as connection:
        assert connection.getpeername() == listening
