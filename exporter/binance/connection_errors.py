"""What happened to a connection, in one sentence that names the host and nothing the peer sent."""

import http.client
import os
import re
import socket
import ssl
from collections.abc import Iterator

from urllib3.exceptions import ProxyError

_TUNNEL = re.compile(r"Tunnel connection failed: ([0-9]{3})\b")


def describe(error: BaseException, host: str, proxy: str) -> str:
    """Say what went wrong.

    Args:
        error: What `requests` or urllib3 raised.
        host: Host and port that the request was for.
        proxy: Host and port of the proxy; empty without one.
    """
    chain = list(_chain(error))
    if any(isinstance(each, ProxyError) for each in chain):
        for each in chain:
            if match := _TUNNEL.search(str(each)):
                return f"the proxy {proxy} refused to connect to {host}: status {match[1]}"
        host = f"the proxy {proxy}"
    # the innermost cause says most
    sentences = (_sentence(each, host) for each in reversed(chain))
    return next(filter(None, sentences), f"the connection to {host} failed: {type(error).__name__}")


def _sentence(cause: BaseException, host: str) -> str:
    sentence = ""
    match cause:
        case socket.gaierror():
            sentence = f"the name of {host} was not resolved: {cause.strerror}"
        case ssl.SSLCertVerificationError():
            sentence = f"the TLS certificate of {host} is not trusted: {cause.verify_message}"
        case ssl.SSLError():
            reason = (cause.reason or "unknown error").replace("_", " ").lower()
            sentence = f"the TLS handshake with {host} failed: {reason}"
        case ConnectionRefusedError():
            sentence = f"{host} refused the connection"
        case ConnectionResetError() | BrokenPipeError() | http.client.IncompleteRead():
            # http.client.RemoteDisconnected is a ConnectionResetError
            sentence = f"{host} closed the connection before the response was complete"
        case http.client.HTTPException():
            sentence = f"the response of {host} is not HTTP: {type(cause).__name__}"
        case OSError(errno=int(number)):
            sentence = f"the connection to {host} failed: {os.strerror(number)}"
    return sentence


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what caused it; urllib3 keeps causes as `reason` and in `args`, too."""
    seen: set[int] = set()
    pending: list[object] = [error]
    while pending:
        each = pending.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            pending += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
