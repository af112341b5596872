"""What can go wrong with a request to the exchange: one class for each `reason` of the counters."""

from collections.abc import Sequence
from typing import ClassVar

from exporter.binance.rows import Reject


class ApiError(Exception):
    """A request that yielded no usable answer; `str()` is one sentence for the log."""

    reason: ClassVar[str]


class RequestTimeout(ApiError):
    """The deadline passed before the last byte of the answer had arrived."""

    reason = "timeout"


class ConnectionFailed(ApiError):
    """No connection, a failed TLS handshake, or a connection that broke off."""

    reason = "connection"


class ClientError(ApiError):
    """Any other 4xx, such as the web application firewall's 403."""

    reason = "http_4xx"


class ServerError(ApiError):
    """Any 5xx: overload or maintenance."""

    reason = "http_5xx"


class RateLimited(ApiError):
    """429: this address has spent its request weight."""

    reason = "rate_limited"


class Banned(ApiError):
    """418: this address is banned, and asking again makes the ban longer."""

    reason = "banned"


class RestrictedLocation(ApiError):
    """451: the exchange does not serve this location."""

    reason = "restricted_location"


class InvalidSymbol(ApiError):
    """Code -1121: the exchange has no such symbol."""

    reason = "invalid_symbol"


class ErrorCode(ApiError):
    """A 200 that carries an error object, `{"code": ..., "msg": ...}`."""

    reason = "api_error"


class BadPayload(ApiError):
    """An answer that is not JSON of the documented shape, or neither 200 nor an HTTP error."""

    reason = "bad_payload"


class NoUsableRow(BadPayload):
    """A list in which every row was refused."""

    def __init__(self, rejects: Sequence[Reject]) -> None:
        super().__init__(f"all {len(rejects)} rows were refused: {rejects[0].detail}")
        self.rejects = rejects


class TooLarge(ApiError):
    """A body over the module's `max_body_bytes`."""

    reason = "too_large"


REASONS = tuple(error.reason for error in ApiError.__subclasses__())
