"""What a connection is allowed; the rest of the server is tested as a process, end to end."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from exporter.web import open_files, protocol

PATIENCE = 10
"""Seconds for what should happen; nothing below takes as long unless it fails."""


@pytest.fixture
def connect(monkeypatch) -> Iterator:
    """Opens connections to a server of that protocol that says hello to all."""
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.2)
    config = uvicorn.Config(
        PlainTextResponse("hello"), loop="asyncio", http=protocol.Protocol, ws="none",
        lifespan="off", log_config=None,
    )  # fmt: skip
    running = uvicorn.Server(config)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        thread = threading.Thread(target=running.run, args=([listener],))
        thread.start()
        stack.callback(thread.join)
        stack.callback(setattr, running, "should_exit", True)

        def connect() -> socket.socket:
            client = socket.create_connection(listener.getsockname(), PATIENCE)
            return stack.enter_context(client)

        yield connect


def all_of(client: socket.socket) -> bytes:
    """What arrives until the server closes the connection."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := client.recv(65536):
            received += chunk
    return received


@pytest.mark.parametrize(
    "start",
    [b"", b"GET", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: "],
    ids=["nothing", "method", "header", "half a header"],
)
def test_a_request_that_does_not_arrive_is_not_waited_for(connect, start):
    client = connect()
    client.sendall(start)
    assert all_of(client) == b""


def test_a_body_that_does_not_arrive_is_not_waited_for_after_the_answer(connect):
    client = connect()
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1")
    assert all_of(client).endswith(b"hello")


def test_the_next_request_is_not_waited_for_either(connect):
    client = connect()
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT")
    assert all_of(client).endswith(b"hello")


def test_a_request_without_end_is_cut_off(connect, monkeypatch):
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 60)
    monkeypatch.setattr(protocol, "_LINGER_SECONDS", 0.1)
    client = connect()
    client.sendall(b"GET / HTTP/1.1\r\n")
    with pytest.raises(ConnectionError):
        send_for_ever(client)


def send_for_ever(client: socket.socket) -> None:
    while True:
        client.sendall(b"X: y\r\n" * 10_000)


def test_a_request_that_is_too_large_gets_431(connect, monkeypatch):
    monkeypatch.setattr(protocol, "_LINGER_SECONDS", 0.1)
    client = connect()
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000)
    head, _, body = all_of(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert f"Content-Length: {len(body)}".encode() in head


def test_a_body_that_is_too_large_gets_no_second_response(connect):
    client = connect()
    head = b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    client.sendall(head)
    received = client.recv(65536)
    with contextlib.suppress(ConnectionError):
        client.sendall(b"y" * 1_000_000)
    received += all_of(client)
    assert received.count(b"HTTP/1.1 ") == 1


def test_the_longest_idle_connection_makes_room(connect, monkeypatch, caplog):
    monkeypatch.setattr(protocol, "_MAX_CONNECTIONS", 2)
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 60)
    monkeypatch.setattr(protocol, "_report_crowd", open_files.Report())
    first, second = connect(), connect()
    for client in (first, second, first):
        hello(client)
    third, fourth = connect(), connect()
    assert all_of(second) == b""
    hello(third)
    hello(fourth)
    assert all_of(first) == b""
    assert caplog.messages == ["too many connections, closing the longest idle"]


def test_connections_make_room_near_the_limit_of_open_files(connect, monkeypatch):
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 60)
    first = connect()
    hello(first)
    monkeypatch.setattr(open_files, "for_clients", lambda: 0)
    hello(connect())
    assert all_of(first) == b""


def hello(client):
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    received = b""
    while not received.endswith(b"hello"):
        received += client.recv(65536)
        assert received


def test_requests_on_a_kept_connection_may_be_more_than_one_in_sum(connect):
    client = connect()
    for _ in range(3):
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40_000 + b"\r\n\r\n")
        received = b""
        while not received.endswith(b"hello"):
            received += client.recv(65536)
