"""Ask the exporter that runs on this host whether it is healthy: `--healthcheck`."""

import contextlib
import http.client
import socket
import ssl
import sys
from collections.abc import Sequence

_TIMEOUT_SECONDS = 3.0
_THIS_HOST = {"": "localhost", "0.0.0.0": "127.0.0.1", "[::]": "::1"}  # noqa: S104 - to connect
_HANDSHAKE = b"\x16"  # how a TLS server's answer to a hello begins


def report(addresses: Sequence[str]) -> int:
    """Return 0 if the exporter that listens at these addresses is healthy, else 1 with a reason."""
    problems = [each for each in map(problem, addresses) if each]
    for each in problems:
        print(each, file=sys.stderr)  # noqa: T201
    return int(bool(problems))


def problem(address: str) -> str:
    """Return why the exporter at an address is unhealthy, `""` if it is healthy.

    It needs no configuration. An exporter that asks for a password has answered. So has one that
    answers the first message of TLS, whether or not it would ask for a client certificate.

    Args:
        address: As given to `--web.listen-address`.
    """
    host, _, port = address.rpartition(":")
    endpoint = (_THIS_HOST.get(host, host.strip("[]")), int(port))
    try:
        status = _status(endpoint)
    except (OSError, http.client.HTTPException) as error:
        with contextlib.suppress(OSError):
            if _answers_tls(endpoint):
                return ""
        return f"{address} does not answer: {error}"
    return "" if status < http.HTTPStatus.INTERNAL_SERVER_ERROR else f"HTTP status {status}"


def _status(endpoint: tuple[str, int]) -> int:
    connection = http.client.HTTPConnection(*endpoint, timeout=_TIMEOUT_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", "/-/healthy")
        return connection.getresponse().status


def _answers_tls(endpoint: tuple[str, int]) -> bool:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(
        incoming, outgoing, server_hostname="localhost"
    )
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    with socket.create_connection(endpoint, _TIMEOUT_SECONDS) as connection:
        connection.sendall(outgoing.read())
        return connection.recv(1) == _HANDSHAKE
