import json

import pytest

from exporter.simulator.limits import LONGEST_BAN_SECONDS, PATIENCE, WEIGHT_LIMIT, RateLimit

from .conftest import START

TOO_MANY = (
    "Too many requests; current limit is 2400 requests per minute. Please use the websocket for"
    " live updates to avoid polling the API."
)
BANNED = (
    "Way too many requests; IP(***.***.***.***) banned until {}. Please use the websocket for live"
    " updates to avoid bans."
)


@pytest.fixture
def rate_limit():
    return RateLimit(WEIGHT_LIMIT, retry_after=False)


def spend_all(rate_limit, now=START):
    assert rate_limit.charge(WEIGHT_LIMIT, now) is None


def provoke_ban(rate_limit, now):
    """Goes on asking until the exchange has had enough."""
    rate_limit.charge(WEIGHT_LIMIT, now)
    for _ in range(PATIENCE + 1):
        answer = rate_limit.charge(1, now)
    return answer


def test_weight_adds_up_within_a_minute(rate_limit):
    rate_limit.charge(10, START)
    rate_limit.charge(1, START + 59.9)
    assert rate_limit.used == 11


def test_weight_starts_anew_with_the_utc_minute(rate_limit):
    rate_limit.charge(10, START + 59.9)
    rate_limit.charge(1, START + 60)
    assert rate_limit.used == 1


def test_the_limit_itself_may_be_spent(rate_limit):
    assert rate_limit.charge(WEIGHT_LIMIT, START) is None


def test_over_the_limit_is_429_in_the_exchanges_words(rate_limit):
    spend_all(rate_limit)
    answer = rate_limit.charge(1, START)
    assert answer.status == 429
    assert json.loads(answer.body) == {"code": -1003, "msg": TOO_MANY}


def test_the_next_minute_is_free_again(rate_limit):
    spend_all(rate_limit)
    assert rate_limit.charge(1, START + 1).status == 429
    assert rate_limit.charge(1, START + 60) is None


def test_twenty_requests_after_429_bring_a_ban_of_two_minutes(rate_limit):
    spend_all(rate_limit)
    statuses = [rate_limit.charge(1, START).status for _ in range(21)]
    assert statuses == [429] * 20 + [418]
    assert rate_limit.charge(1, START + 119.9).status == 418
    assert rate_limit.charge(1, START + 120) is None


def test_a_ban_says_until_when_in_milliseconds(rate_limit):
    answer = provoke_ban(rate_limit, START + 0.25)
    assert json.loads(answer.body) == {
        "code": -1003,
        "msg": BANNED.format((START + 120) * 1000 + 250),
    }


def test_asking_during_a_ban_does_not_extend_it(rate_limit):
    first = provoke_ban(rate_limit, START)
    assert rate_limit.charge(1, START + 100).body == first.body


def test_asking_during_a_ban_is_counted(rate_limit):
    provoke_ban(rate_limit, START)
    rate_limit.charge(10, START + 60)
    rate_limit.charge(10, START + 61)
    assert rate_limit.used == 20


def test_each_further_ban_is_twice_as_long(rate_limit):
    provoke_ban(rate_limit, START)
    second = START + 120
    provoke_ban(rate_limit, second)
    assert rate_limit.charge(1, second + 239).status == 418
    assert rate_limit.charge(1, second + 240) is None


def test_no_ban_is_longer_than_three_days(rate_limit):
    now = START
    for _ in range(20):
        provoke_ban(rate_limit, now)
        now += LONGEST_BAN_SECONDS
        assert rate_limit.charge(1, now) is None
        now += 60


def test_what_others_spend_counts_in_their_minute_only(rate_limit):
    assert rate_limit.charge(1, START, spent_by_others=WEIGHT_LIMIT).status == 429
    assert rate_limit.used == WEIGHT_LIMIT + 1
    assert rate_limit.charge(1, START) is None


def test_retry_after_is_not_sent_unless_asked_for(rate_limit):
    spend_all(rate_limit)
    assert "Retry-After" not in rate_limit.charge(1, START).headers


def test_retry_after_runs_to_the_next_minute_on_429_and_to_the_end_of_a_ban():
    rate_limit = RateLimit(WEIGHT_LIMIT, retry_after=True)
    spend_all(rate_limit)
    assert rate_limit.charge(1, START + 14.5).headers["Retry-After"] == "46"
    assert provoke_ban(rate_limit, START + 20).headers["Retry-After"] == "120"
