"""What the client reports of its requests, so that it need not know of Prometheus."""

from typing import Protocol


class Observer(Protocol):
    """Counts what happens to requests."""

    def requested(self, endpoint: str, seconds: float) -> None:
        """A request ended, one way or another, after that many seconds."""

    def failed(self, endpoint: str, reason: str) -> None:
        """A request yielded no usable response."""

    def rejected(self, reason: str, rows: int) -> None:
        """Rows of a response were refused."""
