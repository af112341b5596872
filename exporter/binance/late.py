"""The heads of responses that come after their request was given up: they may announce a ban."""

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Mapping

from requests.structures import CaseInsensitiveDict

from exporter.binance.transport import DeadlineResponse

PATIENCE_SECONDS = 10.0
"""How long after the deadline a head is waited for."""

_MOST_AT_ONCE = 16

Learn = Callable[[int, Mapping[str, str]], None]
"""Takes status and headers."""


class LateHeads:
    """Reads late heads in threads of its own, and closes the connections.

    Args:
        patience: Seconds to wait for a head; 0 for not at all.
    """

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._free = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def wait_for(self, connection: socket.socket, learn: Learn) -> None:
        """Take over a connection on which a request was sent and nothing has come back."""
        if self._patience and self._free.acquire(blocking=False):
            thread = threading.Thread(
                target=self._read, args=(connection, learn), daemon=True, name="late-head"
            )
            try:
                thread.start()
            except RuntimeError:  # the system has no thread left
                self._free.release()
            else:
                return
        connection.close()

    def _read(self, connection: socket.socket, learn: Learn) -> None:
        try:
            with connection, contextlib.suppress(OSError, http.client.HTTPException):
                connection.settimeout(self._patience)
                response = DeadlineResponse(connection)
                response.begin()
                learn(response.status, CaseInsensitiveDict(response.headers.items()))
        finally:
            self._free.release()
