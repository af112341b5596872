"""What the log and the page say of a connection that failed, on real sockets."""

import socket
import ssl
import threading
import time

import pytest
from prometheus_client import CollectorRegistry

from exporter.binance.client import Client, Limits
from exporter.binance.errors import ConnectionFailed
from exporter.binance.gate import Gate
from exporter.binance.late import LateHeads
from exporter.metrics.counters import ApiMetrics
from tests.raw_server import raw_server, read_request


def failure(url: str, **way) -> str:
    """The sentence for a request to this URL, without the port."""
    client = Client(url, Gate(), ApiMetrics(CollectorRegistry()), late=LateHeads(0), **way)
    with pytest.raises(ConnectionFailed) as caught:
        client.asset_index(None, Limits(time.monotonic() + 5))
    client.close()
    return str(caught.value)


def answering(answer: bytes):
    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    return script


@pytest.fixture
def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_name_that_is_not_known(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    sentence = failure("https://fapi.example")
    assert sentence == ("the name of fapi.example:443 was not resolved: Name or service not known")


def test_a_refused_connection(nobody):
    assert failure(f"http://{nobody}") == f"{nobody} refused the connection"


def test_a_proxy_that_refuses_the_connection_without_its_password(nobody):
    sentence = failure("https://fapi.example", proxy_url=f"http://user:hunter2@{nobody}")
    assert sentence == f"the proxy {nobody} refused the connection"


def test_a_proxy_that_refuses_to_connect_and_nothing_that_it_says():
    answer = b"HTTP/1.1 407 <script>\r\n\r\n"
    with raw_server(answering(answer)) as proxy:
        sentence = failure("https://fapi.example", proxy_url=proxy)
    address = proxy.removeprefix("http://")
    assert sentence == f"the proxy {address} refused to connect to fapi.example:443: status 407"


def test_a_certificate_that_is_not_trusted(certificate, tmp_path):
    certificate("localhost").write(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")

    def handshake(connection: socket.socket) -> None:
        context.wrap_socket(connection, server_side=True)

    with raw_server(handshake) as url:
        address = url.removeprefix("http://127.0.0.1")
        sentence = failure(f"https://localhost{address}")
    assert sentence.startswith(f"the TLS certificate of localhost{address} is not trusted: self")


def test_a_server_that_does_not_speak_tls():
    with raw_server(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")) as url:
        sentence = failure(url.replace("http:", "https:"))
    assert sentence.startswith(f"the TLS handshake with {url.removeprefix('http://')} failed: ")


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (b"", "closed the connection before the response was complete"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[",
            "closed the connection before the response was complete",
        ),
    ],
)
def test_a_connection_that_breaks_off(answer, what):
    with raw_server(answering(answer)) as url:
        sentence = failure(url)
    assert sentence == f"{url.removeprefix('http://')} {what}"


def test_a_response_that_is_not_http_and_none_of_its_bytes():
    with raw_server(answering(b"<script>hunter2</script>\r\n\r\n")) as url:
        sentence = failure(url)
    assert sentence == f"the response of {url.removeprefix('http://')} is not HTTP: BadStatusLine"


def test_a_host_without_a_route(monkeypatch):
    def unreachable(*_):
        raise OSError(113, "No route to host")

    monkeypatch.setattr("exporter.binance.transport.connect", unreachable)
    sentence = failure("http://fapi.example")
    assert sentence == "the connection to fapi.example:80 failed: No route to host"


def test_requests_that_follow_a_failure_go_one_after_the_other(nobody):
    gate = Gate()
    client = Client(f"http://{nobody}", gate, ApiMetrics(CollectorRegistry()))
    sentences = []

    def ask():
        try:
            client.asset_index(None, Limits(time.monotonic() + 5))
        except ConnectionFailed as error:
            sentences.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sentences == [f"{nobody} refused the connection"] * 4
