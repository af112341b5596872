import asyncio
import threading

import pytest

from exporter.web import logins
from tests.web.conftest import USERS, basic


def test_checks_a_good_login_once(checks):
    async def scenario():
        known = logins.Logins(USERS)
        return [await known.admit(basic("alice", "hunter2")) for _ in range(3)]

    assert asyncio.run(scenario()) == [True, True, True]
    assert len(checks.seen) == 1


def test_checks_a_good_login_once_that_comes_twice_at_once(checks):
    async def scenario():
        known = logins.Logins(USERS)
        return await asyncio.gather(*[known.admit(basic("alice", "hunter2")) for _ in range(3)])

    assert asyncio.run(scenario()) == [True, True, True]
    assert len(checks.seen) == 1


def test_does_not_take_another_password_for_a_known_login(checks):
    async def scenario():
        known = logins.Logins(USERS)
        passwords = ["hunter2", "hunter3"]
        return [await known.admit(basic("alice", password)) for password in passwords]

    assert asyncio.run(scenario()) == [True, False]


def test_keeps_no_password_in_clear():
    async def scenario():
        known = logins.Logins(USERS)
        assert await known.admit(basic("alice", "hunter2"))
        return known

    assert "hunter2" not in repr(vars(asyncio.run(scenario())))


def test_checks_an_unknown_user_against_the_slowest_hash(checks):
    assert not asyncio.run(logins.Logins(USERS).admit(basic("carol", "hunter3")))
    assert checks.seen == [(b"hunter3", USERS["bob"].encode())]


def test_checks_outside_the_event_loop(checks):
    asyncio.run(logins.Logins(USERS).admit(basic("alice", "hunter2")))
    assert threading.get_ident() not in checks.threads


def test_lets_the_known_in_while_others_guess(checks):
    async def scenario():
        known = logins.Logins(USERS)
        assert await known.admit(basic("alice", "hunter2"))
        checks.go_on.clear()
        guesses = [asyncio.create_task(known.admit(basic("bob", str(n)))) for n in range(16)]
        await asyncio.sleep(0)
        assert await known.admit(basic("alice", "hunter2"))
        with pytest.raises(logins.TooManyLogins):
            await known.admit(basic("bob", "one more"))
        assert len(checks.seen) <= 2  # Alice, and the one guess that is being checked
        checks.go_on.set()
        return await asyncio.gather(*guesses)

    assert asyncio.run(scenario()) == [False] * 16
