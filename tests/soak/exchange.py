"""An exchange that plays faults at random, and remembers each row that it has sent."""

import json
import random
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from exporter.simulator.exchange import ASSET_INDEX, EXCHANGE_INFO, Exchange
from tests.raw_server import ok, read_request
from tests.wrong_answers import WRONG_ANSWERS, refusal

REMEMBERED = 60.0
"""Seconds after which a row that was not sent again is forgotten."""

LEARNT_WITHIN = 1.0
"""Seconds from sending a 418 until no request that left before it may still arrive."""

_GOOD = 0.7
_LIMITED = 0.002  # rarely, for while it holds nothing else is tried
_LIMITS = ("418", "429")  # they are played with times of seconds, not of minutes
_RIGHT_FOR_ONE_SYMBOL = "200_one_row"
_OTHERS = [name for name in WRONG_ANSWERS if name not in (*_LIMITS, _RIGHT_FOR_ONE_SYMBOL)]
_ENDING = [name for name in _OTHERS if not WRONG_ANSWERS[name].hangs]  # exchangeInfo has 30 s

Row = dict[str, str | int]


@dataclass
class Sent:
    """A row of the index, and when the exchange first and last sent it."""

    row: Row
    first: float
    last: float


class FaultyExchange:
    """Answers on raw connections: well, late, with bad rows among the good, or wrongly.

    Args:
        seed: of the market and of the faults.

    Attributes:
        played: how often which answer was given.
        asked_while_banned: requests that came though the exporter must have known better.
    """

    def __init__(self, seed: int) -> None:
        self.played: Counter[str] = Counter()
        self.asked_while_banned = 0
        self._exchange = Exchange("haircut-change", seed, weight_limit=10**9)
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._sent: dict[tuple[str, int], list[Sent]] = {}
        self._banned = (0.0, 0.0)
        self._pruned_at = 0.0

    def script(self, connection: socket.socket) -> None:
        """Play the server's part on one connection."""
        while request := read_request(connection):
            target = urlsplit(request.split()[1].decode())
            params = dict(parse_qsl(target.query))
            with self._lock:
                self._note_ban()
                name = self._choose(target.path)
                self.played[name] += 1
                body = self._answer(target.path, params, name)
            if name in WRONG_ANSWERS:
                self._play(name, connection)
            else:
                if name == "interim":
                    connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
                if name in ("late", "interim"):
                    threading.Event().wait(self._random.uniform(0.05, 0.6))
                connection.sendall(ok(body))

    def sent(self, symbol: str, time_ms: int) -> list[Sent]:
        """The rows of that symbol and time that were sent lately; more than one if spoilt once."""
        with self._lock:
            return [Sent(**vars(each)) for each in self._sent.get((symbol, time_ms), ())]

    def _choose(self, path: str) -> str:
        draw = self._random.random()
        if draw < _GOOD:
            return "good"
        if draw < _GOOD + _LIMITED:
            return self._random.choice(_LIMITS)
        wrong = self._random.sample(_ENDING if path == EXCHANGE_INFO else _OTHERS, 4)
        return self._random.choice(["late", "late", "interim", "bad_rows", "bad_rows", *wrong])

    def _note_ban(self) -> None:
        sent_at, until = self._banned
        if sent_at + LEARNT_WITHIN < time.time() < until:
            self.asked_while_banned += 1

    def _answer(self, path: str, params: dict[str, str], name: str) -> bytes:
        """The body of a good answer, its rows noted as sent."""
        body = self._exchange.answer(path, params).body
        if path != ASSET_INDEX or name in WRONG_ANSWERS or b"code" in body:
            return body
        document = json.loads(body)
        rows = document if isinstance(document, list) else [document]
        refused = self._spoil(rows) if name == "bad_rows" else None
        self._remember([row for row in rows if row is not refused])
        return json.dumps(document).encode()

    def _spoil(self, rows: list[Row]) -> Row:
        """Take a field from one row, and make another or the same malformed, which is returned."""
        self._random.choice(rows).pop("bidRate", None)
        refused = self._random.choice(rows)
        refused["index"] = self._random.choice(["-1", "NaN", "", "1e5", 0])
        return refused

    def _remember(self, rows: list[Row]) -> None:
        now = time.time()
        for row in rows:
            known = self._sent.setdefault((str(row["symbol"]), int(row["time"])), [])
            same = next((each for each in known if each.row == row), None)
            if same:
                same.last = now
            else:
                known.append(Sent(row, now, now))
        if now > self._pruned_at + REMEMBERED:
            self._pruned_at = now
            self._sent = {
                key: known
                for key, known in self._sent.items()
                if known and known[-1].last > now - REMEMBERED
            }

    def _play(self, name: str, connection: socket.socket) -> None:
        if name not in _LIMITS:
            WRONG_ANSWERS[name].play(connection)
            return
        seconds = self._random.randint(3, 4)
        until = time.time() + seconds
        if name == "418" and self._random.random() < 0.5:
            refusal(418, {"code": -1003, "msg": f"banned until {until * 1000:.0f}."})(connection)
        else:
            retry = b"Retry-After: %d\r\n" % seconds
            refusal(int(name), {"code": -1003, "msg": "Too many."}, retry)(connection)
        with self._lock:
            if until > self._banned[1]:
                sent_at = self._banned[0] if time.time() < self._banned[1] else time.time()
                self._banned = (sent_at, until - 0.1)  # clocks are read to the millisecond
