"""Listening sockets, and their addresses as people write them."""

import os
import socket
from collections.abc import Sequence

BACKLOG = 511


def listen(addresses: Sequence[str]) -> list[socket.socket]:
    """Open the listening sockets.

    Args:
        addresses: `host:port`, `[::1]:port`, or `:port` for every interface.

    Raises:
        OSError: an address cannot be listened on; `str()` is a sentence that names it.
    """
    sockets: list[socket.socket] = []
    for address in addresses:
        host, _, port = address.rpartition(":")
        try:
            sockets.append(_listen(host.strip("[]"), int(port)))
        except OSError as error:
            for each in sockets:
                each.close()
            looked_up = isinstance(error, socket.gaierror)
            reason = error.strerror if looked_up else os.strerror(error.errno or 0)
            raise OSError(f"cannot listen on {address}: {reason}") from error
    return sockets


def address_of(listener: socket.socket) -> str:
    """The address that it listens on, as people write it."""
    host, port, *_ = listener.getsockname()
    return f"[{host}]:{port}" if listener.family == socket.AF_INET6 else f"{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    if not host and socket.has_dualstack_ipv6():
        return socket.create_server(
            ("", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True
        )
    family, *_, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    return socket.create_server(address[:2], family=family, backlog=BACKLOG)
