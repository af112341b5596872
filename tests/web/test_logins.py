import asyncio
import threading

import pytest

from exporter.web import logins
from tests.web.conftest import USERS, basic, hashed


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


@pytest.mark.parametrize("user", ["alice", "bob", "carol"])
def test_a_refusal_costs_the_same_for_every_user_known_or_not(checks, user):
    users = {"alice": hashed("x", cost=4), "bob": hashed("x", cost=7)}
    assert not asyncio.run(logins.Logins(users).admit(basic(user, "wrong")))
    costs = [int(salted.split(b"$")[2]) for _, salted in checks.seen]
    assert sum(2**cost for cost in costs) == 2**7


def test_checks_outside_the_event_loop(checks):
    asyncio.run(logins.Logins(USERS).admit(basic("alice", "hunter2")))
    assert threading.get_ident() not in checks.threads


def test_admits_known_users_while_others_guess(checks):
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


def test_a_new_login_waits_for_one_check_of_each_other_address(checks):
    async def scenario():
        known = logins.Logins(USERS)
        checks.go_on.clear()
        guesses = [
            asyncio.create_task(known.admit(basic("bob", str(n)), f"192.0.2.{n % 4}"))
            for n in range(64)
        ]
        await asyncio.sleep(0)
        good = asyncio.create_task(known.admit(basic("alice", "hunter2"), "192.0.2.9"))
        checks.go_on.set()
        assert await good
        before = [password for password, hashed in checks.seen if password.isdigit()]
        await asyncio.gather(*guesses)
        return len(set(before))

    assert asyncio.run(scenario()) <= 4 + 1  # those that waited, and one that began since


def test_addresses_of_one_ipv6_network_wait_as_one(checks):
    async def scenario():
        known = logins.Logins(USERS)
        checks.go_on.clear()
        guesses = [
            asyncio.create_task(known.admit(basic("bob", str(n)), f"2001:db8::{n:x}"))
            for n in range(17)
        ]
        done, _ = await asyncio.wait(guesses, return_when=asyncio.FIRST_COMPLETED)
        checks.go_on.set()
        assert await asyncio.gather(*guesses, return_exceptions=True)
        return done.pop().exception()

    assert isinstance(asyncio.run(scenario()), logins.TooManyLogins)


def test_no_more_addresses_than_a_limit_wait(checks, monkeypatch):
    monkeypatch.setattr(logins, "_MAX_ADDRESSES", 1)

    async def scenario():
        known = logins.Logins(USERS)
        checks.go_on.clear()
        guess = asyncio.create_task(known.admit(basic("bob", "guess"), "192.0.2.1"))
        await asyncio.sleep(0)
        with pytest.raises(logins.TooManyLogins):
            await known.admit(basic("bob", "guess"), "192.0.2.2")
        checks.go_on.set()
        assert not await guess
        return await known.admit(basic("alice", "hunter2"), "192.0.2.2")

    assert asyncio.run(scenario())


def test_asks_to_come_back_if_no_thread_can_be_started(monkeypatch):
    async def to_thread(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    with pytest.raises(logins.TooManyLogins):
        asyncio.run(logins.Logins(USERS).admit(basic("alice", "hunter2")))
