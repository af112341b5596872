"""A TCP connection to the first address of a host that answers, in the spirit of RFC 8305.

urllib3 gives each address the whole timeout in turn, so a dead IPv6 route costs every request.
"""

import contextlib
import errno
import itertools
import os
import selectors
import socket
import time
from collections.abc import Iterable, Sequence
from typing import Any

HEAD_START_SECONDS = 0.25
"""How long an address is waited for before the next one is tried beside it, as RFC 8305 advises."""

_STARTED = (0, errno.EINPROGRESS)

Address = tuple[socket.AddressFamily, Any]
"""A family and what `socket.connect` takes."""


def connect(
    host: str, port: int, timeout: float, options: Iterable[tuple[Any, ...]] = ()
) -> socket.socket:
    """Connect to the first address that accepts.

    Name resolution is the one step that nothing cuts short.

    Args:
        host: Name or address.
        port: TCP port.
        timeout: Seconds for all addresses together.
        options: Arguments for `setsockopt`, set before connecting.

    Raises:
        socket.gaierror: The name is not known.
        TimeoutError: No address answered in time.
        OSError: Every address refused; the last one's error.
    """
    deadline = time.monotonic() + timeout
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    waiting = interleaved([(family, address) for family, _, _, _, address in found])
    error = OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        while waiting or selector.get_map():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("timed out")
            if waiting:
                family, address = waiting.pop(0)
                try:
                    attempt = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                    _begin(attempt, address, options)
                except OSError as failure:  # such as a family that the kernel lacks
                    error = failure
                    continue
                selector.register(attempt, selectors.EVENT_WRITE)
            patience = min(remaining, HEAD_START_SECONDS) if waiting else remaining
            for key, _ in selector.select(patience):
                selector.unregister(key.fileobj)
                connection = key.fileobj
                assert isinstance(connection, socket.socket)  # noqa: S101 - what was registered
                code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not code:
                    winner = socket.socket(fileno=connection.detach())
                    winner.settimeout(timeout)
                    return winner
                error = OSError(code, os.strerror(code))
    raise error


def interleaved(addresses: Sequence[Address]) -> list[Address]:
    """Alternate the address families, beginning with that of the first address."""
    families = list(dict.fromkeys(family for family, _ in addresses))
    columns = [[each for each in addresses if each[0] == family] for family in families]
    rows = itertools.zip_longest(*columns)
    return [each for row in rows for each in row if each is not None]


def _begin(attempt: socket.socket, address: Any, options: Iterable[tuple[Any, ...]]) -> None:
    """Start to connect; raises OSError if that fails at once."""
    for option in options:
        attempt.setsockopt(*option)
    attempt.setblocking(False)
    code = attempt.connect_ex(address)
    if code not in _STARTED:
        raise OSError(code, os.strerror(code))
