"""What the exchange, or whatever stands in its place, may answer instead of the index.

One entry an answer: how the server plays it on a connection whose request it has read, the `reason`
under which the exporter must count it, and the sentence that it logs.
"""

import gzip
import json
import socket
import struct
from dataclasses import dataclass

from tests.raw_server import Script, ok, trickle

ROWS = b'[{"symbol":"BTCUSD","index":"61475.02720330"}]'
HTML = b"<!DOCTYPE html><html><body><h1>403 ERROR</h1>Request blocked.</body></html>"
MIB = 1 << 20

_NOT_JSON = "the body is not JSON"
_NOT_ROWS = "the body is not a list of rows"
_NO_INDEX = "BTCUSD: index is not a decimal above zero"
_TIMEOUT = "no complete response before the deadline"
_NOT_HTTP = "the response of HOST is not HTTP: "
_RESET = _BROKEN_OFF = "HOST closed the connection before the response was complete"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class WrongAnswer:
    """One of them.

    Attributes:
        play: sends it.
        reason: how it is counted.
        error: how it is logged.
        hangs: whether only the deadline ends it.
        also_logged: lines beside that of the failure.
    """

    play: Script
    reason: str
    error: str
    hangs: bool = False
    also_logged: tuple[str, ...] = ()


def says(*parts: bytes) -> Script:
    """Send these bytes."""

    def play(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return play


def says_and_closes(*parts: bytes) -> Script:
    """Send these bytes, and close the connection."""

    def play(connection: socket.socket) -> None:
        says(*parts)(connection)
        connection.shutdown(socket.SHUT_RDWR)

    return play


def goes_on(head: bytes, piece: bytes) -> Script:
    """Send the head, then the piece for ever."""

    def play(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return play


def one_byte_a_moment(head: bytes, rest: bytes, pause: float) -> Script:
    """Send the head, then the rest byte by byte."""

    def play(connection: socket.socket) -> None:
        connection.sendall(head)
        trickle(connection, rest, pause)

    return play


def reset(connection: socket.socket) -> None:
    """Break the connection off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def refusal(status: int, body: bytes | dict[str, object], headers: bytes = b"") -> Script:
    """A whole answer of that status."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n" % (status, len(content), headers)
    return says(head, content)


def _code(status: int, code: int, reason: str, msg: str = "A sentence.") -> WrongAnswer:
    return WrongAnswer(
        refusal(status, {"code": code, "msg": msg}),
        reason,
        f"Binance answered {status} (code {code})",
    )


def _page(status: int, body: bytes, reason: str) -> WrongAnswer:
    return WrongAnswer(refusal(status, body), reason, f"Binance answered {status}")


def _body(
    body: bytes, error: str, reason: str = "bad_payload", headers: bytes = b""
) -> WrongAnswer:
    return WrongAnswer(says(ok(body, headers)), reason, error)


def _hangs(play: Script) -> WrongAnswer:
    return WrongAnswer(play, "timeout", _TIMEOUT, hangs=True)


_TOO_LARGE = f"the body is larger than {32 * MIB} bytes"
_BANNED = "Way too many requests; IP(1.2.3.4) banned until 1615183669840."
_GEO = "Service unavailable from a restricted location according to 'b. Eligibility'"

WRONG_ANSWERS: dict[str, WrongAnswer] = {
    # the exchange's own errors
    "400_invalid_symbol": _code(400, -1121, "invalid_symbol", "Invalid symbol."),
    "400_bad_parameter": _code(400, -1130, "http_4xx"),
    "400_account_inactive": _code(400, -1109, "http_4xx"),
    "429": _code(429, -1003, "rate_limited"),
    "418": _code(418, -1003, "banned", _BANNED),
    "451": _code(451, 0, "restricted_location", _GEO),
    "451_html": _page(451, HTML, "restricted_location"),
    "408": _code(408, -1007, "http_4xx"),
    "500_disconnected": _code(500, -1001, "http_5xx"),
    "503_overload": _code(503, -1008, "http_5xx"),
    "503_maintenance": _code(503, -1016, "http_5xx"),
    # what stands in front of it
    "403_html": _page(403, HTML, "http_4xx"),
    "404_html": _page(404, HTML, "http_4xx"),
    "404_nothing": _page(404, b"", "http_4xx"),
    "500_nothing": _page(500, b"", "http_5xx"),
    "503_html": _page(503, HTML, "http_5xx"),
    "503_text": _page(503, b"Service Unavailable", "http_5xx"),
    "504_nothing": _page(504, b"", "http_5xx"),
    "201_rows": _page(201, ROWS, "bad_payload"),
    "202_nothing": _page(202, b"", "bad_payload"),
    "204": WrongAnswer(
        says(b"HTTP/1.1 204 No Content\r\n\r\n"), "bad_payload", "Binance answered 204"
    ),
    "206_rows": _page(206, ROWS, "bad_payload"),
    "302": WrongAnswer(
        refusal(302, HTML, b"Location: /elsewhere\r\n"), "bad_payload", "Binance answered 302"
    ),
    "307_to_nowhere": WrongAnswer(
        refusal(307, b"", b"Location: http://[\r\n"), "bad_payload", "Binance answered 307"
    ),
    "302_endless": WrongAnswer(
        goes_on(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", b" " * MIB),
        "bad_payload",
        "Binance answered 302",
    ),
    # 200 with something else
    "200_error_object": _body(
        b'{"code":-1016,"msg":"no longer available"}', "200 with an error object", "api_error"
    ),
    "200_nothing": _body(b"", _NOT_JSON),
    "200_empty_list": _body(b"[]", _NOT_ROWS),
    "200_null": _body(b"null", _NOT_ROWS),
    "200_number": _body(b"1", _NOT_ROWS),
    "200_one_row": _body(ROWS[1:-1], _NOT_ROWS),
    "200_html": _body(HTML, _NOT_JSON),
    "200_truncated_json": _body(ROWS[:-2], _NOT_JSON),
    "200_not_utf8": _body(b'["\xff"]', _NOT_JSON),
    "200_negative_index": WrongAnswer(
        says(ok(b'[{"symbol":"BTCUSD","index":"-1"}]')),
        "bad_payload",
        f"all 1 rows were refused: {_NO_INDEX}",
        also_logged=(f'"rows refused" rows=1 detail="{_NO_INDEX}"',),
    ),
    "200_nan": WrongAnswer(
        says(ok(b'[{"symbol":"BTCUSD","index":NaN}]')),
        "bad_payload",
        f"all 1 rows were refused: {_NO_INDEX}",
        also_logged=(f'"rows refused" rows=1 detail="{_NO_INDEX}"',),
    ),
    "200_brackets": _body(b"[" * 100_000, _NOT_JSON),
    "200_brackets_closed": _body(b"[" * 100_000 + b"]" * 100_000, _NOT_JSON),
    "200_millions_of_rows": _body(
        b"[" + b"{}," * 10_000_000 + b"{}]", "the body holds more values than 50000"
    ),
    "200_gzip_garbage": _body(
        b"not gzip",
        "the body is not what its Content-Encoding says",
        headers=b"Content-Encoding: gzip\r\n",
    ),
    "200_gzip_truncated": _body(
        gzip.compress(ROWS)[:-12], _NOT_JSON, headers=b"Content-Encoding: gzip\r\n"
    ),
    "200_gzip_bomb": _body(
        gzip.compress(bytes(80 * MIB), 1), _TOO_LARGE, "too_large", b"Content-Encoding: gzip\r\n"
    ),
    "200_80_mib": WrongAnswer(
        goes_on(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (80 * MIB), b" " * MIB),
        "too_large",
        _TOO_LARGE,
    ),
    "200_80_mib_unannounced": WrongAnswer(
        goes_on(_CHUNKED, b"%x\r\n%s\r\n" % (MIB, b" " * MIB)), "too_large", _TOO_LARGE
    ),
    # the connection
    "closed_without_answer": WrongAnswer(says_and_closes(), "connection", _RESET),
    "reset": WrongAnswer(reset, "connection", _RESET),
    "content_length_over_body": WrongAnswer(
        says_and_closes(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", ROWS),
        "connection",
        _BROKEN_OFF,
    ),
    "content_length_under_body": WrongAnswer(
        says_and_closes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", ROWS),
        "bad_payload",
        _NOT_JSON,
    ),
    "chunk_broken_off": WrongAnswer(
        says_and_closes(_CHUNKED, b"ff\r\n", ROWS), "connection", _BROKEN_OFF
    ),
    "chunk_size_garbage": WrongAnswer(
        says(_CHUNKED, b"nonsense\r\n", ROWS), "connection", _BROKEN_OFF
    ),
    "chunk_size_negative": WrongAnswer(
        goes_on(_CHUNKED + b"-1\r\n", b" " * MIB), "connection", _NOT_HTTP + "HTTPException"
    ),
    "not_http": WrongAnswer(
        says(b"\x16\x03\x01\x00\r\n\r\n"), "connection", _NOT_HTTP + "BadStatusLine"
    ),
    "endless_status_line": WrongAnswer(
        goes_on(b"", b"H" * 4096), "connection", _NOT_HTTP + "LineTooLong"
    ),
    "endless_headers": WrongAnswer(
        goes_on(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "connection", _NOT_HTTP + "HTTPException"
    ),
    "endless_header": WrongAnswer(
        goes_on(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 4096), "connection", _NOT_HTTP + "LineTooLong"
    ),
    "endless_100_continue": WrongAnswer(
        goes_on(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        "connection",
        _NOT_HTTP + "HTTPException",
    ),
    # what only the deadline ends
    "silence": _hangs(says()),
    "103": _hangs(says(b"HTTP/1.1 103 Early Hints\r\n\r\n")),
    "silence_after_the_head": _hangs(says(b"HTTP/1.1 200 OK\r\nContent-Length: 46\r\n\r\n")),
    "content_length_garbage": _hangs(says(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", ROWS)),
    "one_byte_every_second": _hangs(
        one_byte_a_moment(b"HTTP/1.1 200 OK\r\nContent-Length: 46\r\n\r\n", ROWS, 1)
    ),
    "trickle": _hangs(
        one_byte_a_moment(b"HTTP/1.1 200 OK\r\nContent-Length: 46\r\n\r\n", ROWS, 0.05)
    ),
    "endless_trailers": _hangs(goes_on(_CHUNKED + b"0\r\n", b"X: y\r\n")),
}
