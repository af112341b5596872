"""What can go wrong with a request to Binance: one class for each `reason` of the counters."""

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Literal, TypeVar

from exporter.binance.rows import Reject

BAN = HTTPStatus.IM_A_TEAPOT
"""The status of a ban, 418."""

HoldReason = Literal["blocked", "weight_ceiling"]
HOLD_REASONS: tuple[HoldReason, ...] = ("blocked", "weight_ceiling")


class FetchError(Exception):
    """Why there are no values; `str()` is one sentence for the log."""

    reason: str


class Held(FetchError):
    """The gate let no request through.

    Args:
        reason: Why.
        until: The Unix time at which it will.
        banned: Whether the address is banned, by a 418 that any request has met.
    """

    def __init__(self, reason: HoldReason, until: float, *, banned: bool = False) -> None:
        when = datetime.fromtimestamp(until, UTC)
        super().__init__(f"no request is sent before {when:%Y-%m-%d %H:%M:%S} UTC")
        self.reason: HoldReason = reason
        self.until = until
        self.banned = banned


class ApiError(FetchError):
    """A request without a usable response; each class has a `reason` of its own."""


class RequestTimeout(ApiError):
    """The deadline passed before the last byte of the response arrived."""

    reason = "timeout"


class NotSent(RequestTimeout):
    """The deadline passed before the request was sent: it counts as no request, and no failure."""


class ConnectionFailed(ApiError):
    """No connection, a failed TLS handshake, or a connection that broke off."""

    reason = "connection"


class NoThread(ConnectionFailed):
    """No thread for a request: too many are running, or the system has none left."""


class ClientError(ApiError):
    """Any other 4xx, such as the web application firewall's 403."""

    reason = "http_4xx"


class ServerError(ApiError):
    """Any 5xx: overload or maintenance."""

    reason = "http_5xx"


class RateLimited(ApiError):
    """429: this address has used up its request weight."""

    reason = "rate_limited"


class Banned(ApiError):
    """418: this address is banned, and further requests make the ban longer."""

    reason = "banned"


class RestrictedLocation(ApiError):
    """451: Binance does not serve this location."""

    reason = "restricted_location"


class InvalidSymbol(ApiError):
    """Code -1121: Binance has no such symbol."""

    reason = "invalid_symbol"


class ErrorCode(ApiError):
    """A 200 that carries an error object, `{"code": ..., "msg": ...}`."""

    reason = "api_error"


class BadPayload(ApiError):
    """A response that is not JSON of the documented shape, or neither 200 nor an HTTP error."""

    reason = "bad_payload"


class NoUsableRow(BadPayload):
    """A list in which every row was refused."""

    def __init__(self, rejects: Sequence[Reject]) -> None:
        super().__init__(f"all {len(rejects)} rows were refused: {rejects[0].detail}")
        self.rejects = rejects


class TooLarge(ApiError):
    """A body over the module's `max_body_bytes`."""

    reason = "too_large"


_Error = TypeVar("_Error", bound=FetchError)


def without_traceback(error: _Error) -> _Error:
    """The error without its traceback, the frames of which hold all that was read."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


REASONS = tuple(error.reason for error in ApiError.__subclasses__())
