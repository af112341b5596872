"""Who may come in: HTTP basic authentication against bcrypt hashes.

bcrypt is slow on purpose, 62 ms at cost 10. It runs in a worker thread, one check at a time, and a
login that was good is known again by a digest. So those who are known never wait for those who
guess, and guessing takes one core at most.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

import bcrypt

_MAX_WAITING = 16  # a second's worth of checks at cost 10
_MAX_PASSWORD_BYTES = 72  # bcrypt looks at no more


class TooManyLogins(Exception):
    """So many unknown logins wait to be checked that one more would wait too long."""


class Logins:
    """The users of one web configuration, and the logins among them that were good."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = users
        # An unknown user's password is checked, too, so that time tells nobody who is known.
        self._decoy = max(users.values(), key=_cost, default="")
        self._digest_key = secrets.token_bytes()
        self._good: dict[str, bytes] = {}  # the digest of a user's credentials
        self._one_check = asyncio.Semaphore(1)
        self._waiting = 0

    async def admit(self, authorization: str | None) -> bool:
        """Say whether a request with this `Authorization` header may come in.

        Raises:
            TooManyLogins: It cannot be said soon enough.
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
        if self._waiting >= _MAX_WAITING:
            raise TooManyLogins
        self._waiting += 1
        try:
            async with self._one_check:
                if self._is_known(user, digest):  # one that waited has just been checked
                    return True
                good = await asyncio.to_thread(self._check, user, password)
        finally:
            self._waiting -= 1
        if good:
            self._good[user] = digest
        return good

    def _is_known(self, user: str, digest: bytes) -> bool:
        return hmac.compare_digest(self._good.get(user, b""), digest)

    def _check(self, user: str, password: bytes) -> bool:
        hashed = self._users.get(user)
        matches = bcrypt.checkpw(password, (hashed or self._decoy).encode())
        return matches and hashed is not None


def _cost(hashed: str) -> int:
    return int(hashed[4:6])


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
