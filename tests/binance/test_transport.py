import gzip
import queue
import socket
import threading
import time
from types import MappingProxyType

import pytest
from prometheus_client import CollectorRegistry

from exporter.binance import errors
from exporter.binance.client import Client, Limits
from exporter.binance.errors import Held
from exporter.binance.gate import Gate
from exporter.binance.late import LateHeads
from exporter.metrics.counters import ApiMetrics
from tests.raw_server import ok, raw_server, read_request, trickle

BODY = b'[{"symbol":"BTCUSD","index":"61475.02720330"}]'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SHORT = 0.2
"""Seconds; what the servers below trickle takes several times longer, but would end."""


def make(url: str, gate: Gate | None = None, patience: float = 0, **way) -> Client:
    metrics = ApiMetrics(CollectorRegistry())
    return Client(url, gate or Gate(), metrics, late=LateHeads(patience), **way)


def within(timeout: float, **limits) -> Limits:
    return Limits(time.monotonic() + timeout, **limits)


def fetch(url: str, timeout: float = 5, times: int = 1, way=MappingProxyType({}), **limits):
    client = make(url, **way)
    for _ in range(times):
        result = client.asset_index(None, within(timeout, **limits))
    client.close()
    return result


def answering(*parts: bytes, slowly: bytes = b""):
    def script(connection: socket.socket) -> None:
        while read_request(connection):
            for part in parts:
                connection.sendall(part)
            trickle(connection, slowly)

    return script


def test_a_whole_answer_is_read():
    with raw_server(answering(HEAD, BODY)) as url:
        rows, _ = fetch(url)
    assert rows[0].index == 61475.0272033


@pytest.mark.parametrize(
    "script",
    [
        answering(HEAD, slowly=BODY),
        answering(slowly=HEAD + BODY),
        answering(b"HTTP/1.1 200 OK\r\n", slowly=b"X: y\r\n" * 20 + HEAD[17:] + BODY),
        answering(CHUNKED, slowly=b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
        answering(CHUNKED, slowly=b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"),
        answering(HEAD),
        answering(),
    ],
    ids=["body", "status line", "headers", "chunk", "chunks", "no body", "nothing"],
)
def test_an_answer_that_trickles_in_is_cut_at_the_deadline(script):
    with raw_server(script) as url, pytest.raises(errors.RequestTimeout):
        fetch(url, SHORT)


def test_a_proxy_whose_reply_trickles_in_is_cut_at_the_deadline():
    script = answering(slowly=b"HTTP/1.1 200 Connection established\r\n\r\n")
    with raw_server(script) as proxy, pytest.raises(errors.RequestTimeout):
        fetch("https://fapi.example", SHORT, way={"proxy_url": proxy})


def test_a_tls_handshake_that_is_not_answered_is_cut_at_the_deadline():
    def silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    with raw_server(silent) as url, pytest.raises(errors.RequestTimeout):
        fetch(url.replace("http:", "https:"), SHORT)


def test_a_name_resolved_after_the_deadline_is_asked_nothing(monkeypatch):
    resolve = socket.getaddrinfo

    def slowly(*args, **kwargs):
        threading.Event().wait(2 * SHORT)
        return resolve(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    received: queue.Queue[bytes] = queue.Queue()
    with raw_server(lambda connection: received.put(read_request(connection))) as url:
        with pytest.raises(errors.RequestTimeout):
            fetch(url, SHORT)
        assert received.empty()


def test_a_ban_that_is_learnt_while_connecting_keeps_the_request_from_being_sent(monkeypatch):
    gate, registry = Gate(), CollectorRegistry()
    resolve = socket.getaddrinfo

    def banned_meanwhile(*args, **kwargs):
        gate.learn(418, {})
        return resolve(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", banned_meanwhile)
    received: queue.Queue[bytes] = queue.Queue()
    with raw_server(lambda connection: received.put(read_request(connection))) as url:
        client = Client(url, gate, ApiMetrics(registry))
        with pytest.raises(Held):
            client.asset_index(None, within(5))
        assert received.get(timeout=5) == b""
    count = registry.get_sample_value("binance_api_requests_total", {"endpoint": "assetIndex"})
    assert count == 0


def test_a_connection_is_kept_alive():
    connections = 0

    def script(connection: socket.socket) -> None:
        nonlocal connections
        connections += 1
        answering(HEAD, BODY)(connection)

    with raw_server(script) as url:
        fetch(url, times=3)
    assert connections == 1


def test_a_kept_connection_that_the_server_drops_upon_reuse_costs_nothing():
    requests = []

    def one_answer_each(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(HEAD + BODY)
        # the second request arrives, and is dropped unanswered
        requests.append(read_request(connection))

    with raw_server(one_answer_each) as url:
        rows, _ = fetch(url, times=2)
    assert rows
    assert len([each for each in requests if each]) == 3


def test_a_new_connection_that_is_dropped_is_not_tried_again():
    requests = []

    def script(connection: socket.socket) -> None:
        requests.append(read_request(connection))

    with raw_server(script) as url, pytest.raises(errors.ConnectionFailed):
        fetch(url)
    assert len(requests) == 1


def test_a_refused_connection_is_a_failed_connection():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(errors.ConnectionFailed):
        fetch(f"http://127.0.0.1:{port}")


def test_certificates_that_are_gone_are_a_failed_connection_that_names_the_file(tmp_path):
    way = {"ca_file": str(tmp_path / "ca.pem")}
    with pytest.raises(errors.ConnectionFailed, match=r"ca\.pem"):
        fetch("https://127.0.0.1:1", way=way)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (HEAD + BODY[:10], errors.ConnectionFailed),
        (CHUNKED + b"5\r\nabc", errors.ConnectionFailed),
        (CHUNKED + b"zz\r\n", errors.ConnectionFailed),
        (b"garbage\r\n\r\n", errors.ConnectionFailed),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", errors.ConnectionFailed),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", errors.ConnectionFailed),
        (b"HTTP/1.1 200 OK\r\n\r\n", errors.BadPayload),
        (ok(b"not gzip", b"Content-Encoding: gzip\r\n"), errors.BadPayload),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", errors.BadPayload),
    ],
)
def test_an_answer_that_breaks_the_protocol_has_its_error(answer, error):
    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    with raw_server(script) as url, pytest.raises(error):
        fetch(url)


def test_a_redirect_is_not_followed():
    requests = []

    def script(connection: socket.socket) -> None:
        while request := read_request(connection):
            requests.append(request)
            connection.sendall(
                b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"
            )

    with raw_server(script) as url, pytest.raises(errors.BadPayload):
        fetch(url)
    assert len(requests) == 1


@pytest.mark.parametrize("size", [b"-1", b"-2", b"-ffffffffff"])
def test_a_chunk_of_a_size_below_zero_is_a_broken_connection(size):
    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(CHUNKED + size + b"\r\n")
        while True:
            connection.sendall(b" " * 0x10000)

    with raw_server(script) as url, pytest.raises(errors.ConnectionFailed):
        fetch(url)


@pytest.mark.parametrize("location", [b"http://[", b"\xff\xfe", b""], ids=repr)
def test_a_redirect_to_nowhere_is_reported_as_any_other(location):
    head = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % location
    with raw_server(answering(head)) as url, pytest.raises(errors.BadPayload):
        fetch(url)


@pytest.mark.parametrize("status", [b"302 Found\r\nLocation: /x", b"503 Busy"])
def test_of_the_body_of_a_refusal_no_more_is_read_than_a_message_takes(status):
    sent = 0

    def script(connection: socket.socket) -> None:
        nonlocal sent
        read_request(connection)
        connection.sendall(b"HTTP/1.1 %s\r\n\r\n" % status)
        while True:
            connection.sendall(b" " * 0x10000)
            sent += 0x10000

    with raw_server(script) as url, pytest.raises((errors.BadPayload, errors.ServerError)):
        fetch(url)
    assert sent < 32 * 1024 * 1024  # what the sockets' buffers hold, not what a body may be


def test_gzip_is_read():
    body = gzip.compress(BODY)
    with raw_server(answering(ok(body, b"Content-Encoding: gzip\r\n"))) as url:
        assert fetch(url)[0]


def test_a_small_body_that_unpacks_to_a_large_one_is_cut_off():
    bomb = gzip.compress(b" " * 50_000_000)
    with (
        raw_server(answering(ok(bomb, b"Content-Encoding: gzip\r\n"))) as url,
        pytest.raises(errors.TooLarge),
    ):
        fetch(url, max_body_bytes=1_000_000)


def test_an_endless_body_is_cut_off():
    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(CHUNKED)
        while True:
            connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")

    with raw_server(script) as url, pytest.raises(errors.TooLarge):
        fetch(url, max_body_bytes=1_000_000)


def test_a_ban_is_learnt_though_its_body_never_ends():
    script = answering(b"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 5000\r\n\r\n")
    with raw_server(script) as url:
        client = make(url)
        with pytest.raises(errors.Banned):
            client.asset_index(None, within(SHORT))
        assert client.gate.blocked_until > 0


def test_a_ban_holds_while_its_body_is_still_coming():
    gate = Gate()
    held_meanwhile = threading.Event()

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 2\r\n\r\n")
        for _ in range(500):
            if gate.blocked_until:
                held_meanwhile.set()
                break
            held_meanwhile.wait(0.01)
        connection.sendall(b"{}")

    with raw_server(script) as url, pytest.raises(errors.Banned):
        make(url, gate).asset_index(None, within(5))
    assert held_meanwhile.is_set()


def test_a_ban_that_arrives_after_the_deadline_is_learnt():
    gate, may_answer = Gate(), threading.Event()

    def script(connection: socket.socket) -> None:
        read_request(connection)
        may_answer.wait(10)
        connection.sendall(b"HTTP/1.1 418 I'm a teapot\r\nRetry-After: 900\r\n\r\n")

    with raw_server(script) as url:
        client = make(url, gate, patience=10)
        threading.Timer(2 * SHORT, may_answer.set).start()
        with pytest.raises(errors.RequestTimeout):
            client.asset_index(None, within(SHORT))
        while not gate.blocked_until:
            threading.Event().wait(0.01)
    assert gate.blocked_until > time.time() + 800


@pytest.mark.parametrize("interim", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
def test_an_interim_response_is_not_taken_for_the_response(interim):
    answers = iter([b"1", b"2"])

    def script(connection: socket.socket) -> None:
        while read_request(connection):
            body = b'[{"symbol":"BTCUSD","index":"%s"}]' % next(answers)
            connection.sendall(b"HTTP/1.1 %s\r\nLink: </x>\r\n\r\n" % interim + ok(body))

    with raw_server(script) as url:
        client = make(url)
        prices = [client.asset_index(None, within(5))[0][0].index for _ in range(2)]
    assert prices == [1, 2]


def test_a_switch_of_protocols_is_a_broken_connection():
    answer = b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + HEAD + BODY
    with raw_server(answering(answer)) as url, pytest.raises(errors.ConnectionFailed):
        fetch(url)


def test_weight_is_counted_when_a_request_is_sent_though_no_response_comes():
    gate = Gate()
    with raw_server(answering()) as url, pytest.raises(errors.RequestTimeout):
        make(url, gate).asset_index(None, within(SHORT))
    assert gate.used_weight == 10


def test_clients_that_wait_too_little_cannot_pass_the_weight_ceiling():
    gate = Gate()
    gate.weight_limit = 100
    with raw_server(answering()) as url:
        client = make(url, gate)
        reason = ""
        while reason != "weight_ceiling":
            with pytest.raises(errors.FetchError) as caught:
                client.asset_index(None, within(0.05))
            reason = caught.value.reason
    assert gate.used_weight == 80


def test_a_request_that_follows_a_close_gets_a_connection_of_its_own():
    connections = []

    def script(connection: socket.socket) -> None:
        connections.append(connection)
        answering(HEAD, BODY)(connection)

    with raw_server(script) as url:
        client = make(url)
        for _ in range(2):
            client.asset_index(None, within(5))
        assert len(connections) == 1
        client.close()  # by a reload, during a scrape of several requests
        client.asset_index(None, within(5))
        client.close()
    assert len(connections) == 2
