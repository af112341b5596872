"""HTTP basic authentication against bcrypt hashes.

bcrypt is slow on purpose, 62 ms at cost 10. It runs in a worker thread, one check at a time, and a
good login is known from then on by a digest. So known users never wait for guessers, guessing takes
at most one core, and a new user waits for one check of each other client address.
"""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_MAX_WAITING = 16  # checks of one address; a second's worth at cost 10
_MAX_ADDRESSES = 64  # with checks that wait
_IPV6_NETWORK = 64  # bits that all addresses of one client share
_MAX_PASSWORD_BYTES = 72  # bcrypt looks at no more
_SALT = b"." * 22


class TooManyLogins(Exception):
    """So many unknown logins wait to be checked that one more would wait too long."""


@dataclass
class _Queue:
    """The checks of one client address, one at a time."""

    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    waiting: int = 0


class Logins:
    """The users of one web configuration, and their logins that were good."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = users
        self._cost = max(map(_cost, users.values()), default=4)
        self._digest_key = secrets.token_bytes()
        self._good: dict[str, bytes] = {}  # the digest of a user's credentials
        self._one_check = asyncio.Semaphore(1)
        self._queues: dict[str, _Queue] = {}  # by client address

    @property
    def required(self) -> bool:
        """Whether a request needs a login."""
        return bool(self._users)

    async def admit(self, authorization: str | None, address: str = "") -> bool:
        """Return whether a request with this `Authorization` header may be answered.

        Args:
            authorization: The header, if there is one.
            address: The client's.

        Raises:
            TooManyLogins: The check would have to wait too long.
        """
        if not self._users:
            return True
        credentials = _credentials(authorization or "")
        if credentials is None:
            return False
        user, password = credentials
        digest = hashlib.blake2b(user.encode() + b":" + password, key=self._digest_key).digest()
        if self._is_known(user, digest):
            return True
        async with self._turn(_network(address)):
            if self._is_known(user, digest):  # the same login was checked while this one waited
                return True
            async with self._one_check:
                try:
                    good = await asyncio.to_thread(self._check, user, password)
                except RuntimeError:  # no thread can be started
                    raise TooManyLogins from None
        if good:
            self._good[user] = digest
        return good

    @asynccontextmanager
    async def _turn(self, network: str) -> AsyncIterator[None]:
        """Wait for the checks of the same address, so that one at a time waits with the others."""
        if network not in self._queues and len(self._queues) >= _MAX_ADDRESSES:
            raise TooManyLogins
        queue = self._queues.setdefault(network, _Queue())
        if queue.waiting >= _MAX_WAITING:
            raise TooManyLogins
        queue.waiting += 1
        try:
            async with queue.turn:
                yield
        finally:
            queue.waiting -= 1
            if not queue.waiting:
                del self._queues[network]

    def _is_known(self, user: str, digest: bytes) -> bool:
        return hmac.compare_digest(self._good.get(user, b""), digest)

    def _check(self, user: str, password: bytes) -> bool:
        """Check a password; a refusal takes as long for every user, known or not.

        The time of bcrypt doubles with each step of its cost: 2^c and 2^c + 2^(c+1) + ... +
        2^(max-1) make 2^max.
        """
        import bcrypt  # noqa: PLC0415 - without passwords nothing needs it

        hashed = self._users.get(user)
        if hashed is None:
            _spend(password, self._cost)
            return False
        if bcrypt.checkpw(password, hashed.encode()):
            return True
        for cost in range(_cost(hashed), self._cost):
            _spend(password, cost)
        return False


def _spend(password: bytes, cost: int) -> None:
    import bcrypt  # noqa: PLC0415

    bcrypt.hashpw(password, b"$2b$%02d$%s" % (cost, _SALT))


def _cost(hashed: str) -> int:
    return int(hashed[4:6])


def _network(address: str) -> str:
    """Return what the addresses of one client have in common."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 6 and not ip.ipv4_mapped:  # noqa: PLR2004
        return str(ipaddress.ip_network((ip, _IPV6_NETWORK), strict=False))
    return address


def _credentials(authorization: str) -> tuple[str, bytes] | None:
    """Return user and password, or None for a header that holds none that could be good."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
        user, colon, password = decoded.partition(b":")
        name = user.decode()
    except ValueError:
        return None
    if scheme.lower() != "basic" or not colon or len(password) > _MAX_PASSWORD_BYTES:
        return None
    return name, password
