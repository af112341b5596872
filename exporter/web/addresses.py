"""Listening sockets, and their addresses as people write them."""

import os
import socket
from collections.abc import Sequence

BACKLOG = 511


def listen(addresses: Sequence[str]) -> list[socket.socket]:
    """Open the listening sockets.

    Args:
        addresses: `host:port`, `[::1]:port`; `:port` and `[::]:port` for every interface.

    Raises:
        OSError: An address cannot be listened on; `str()` is a sentence that names it.
    """
    sockets: list[socket.socket] = []
    for address in addresses:
        host, _, port = address.rpartition(":")
        try:
            sockets.append(_listen(host.strip("[]"), int(port)))
        except (OSError, UnicodeError) as error:
            for each in sockets:
                each.close()
            raise OSError(f"cannot listen on {address}: {_reason(error)}") from error
    return sockets


def address_of(listener: socket.socket) -> str:
    """Return the address of a listening socket, as people write it."""
    host, port, *_ = listener.getsockname()
    return f"[{host}]:{port}" if listener.family == socket.AF_INET6 else f"{host}:{port}"


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, UnicodeError):
        return "not a host name"
    if isinstance(error, socket.gaierror):
        return str(error.strerror)
    return os.strerror(error.errno or 0)


def _listen(host: str, port: int) -> socket.socket:
    if host in ("", "::") and socket.has_dualstack_ipv6():
        listener = socket.create_server(
            ("", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True
        )
    else:
        family, *_, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    # Accepted connections inherit it. Without it, a page that is sent in two parts takes 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
