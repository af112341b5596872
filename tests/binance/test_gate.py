import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.binance.errors import Held, NotSent
from exporter.binance.gate import Gate
from tests.stand_ins import Clock

NOON = 1_700_000_040.0 - 1_700_000_040.0 % 60  # a whole UTC minute
DAY = 86400.0


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON + 10)


@pytest.fixture
def gate(clock) -> Gate:
    return Gate(clock, clock)


@pytest.fixture
def steady() -> Clock:
    return Clock(5000)


@pytest.fixture
def settable(clock, steady) -> Gate:
    """Sees where the test sets only one of its clocks."""
    return Gate(clock, steady)


def is_free_after(seconds: float, gate: Gate, clock: Clock, steady: Clock) -> bool:
    clock.now += seconds
    steady.now += seconds
    return held(gate) is None and gate.blocked_until == 0


def learn(gate: Gate, status: int, headers: dict[str, str], message: str = "") -> None:
    """Both steps of an answer, as the client takes them: its head, then a 418's message."""
    gate.learn(status, headers)
    if status == 418:
        gate.learn_ban_end(headers, message)


def held(gate: Gate, ceiling_ratio: float = 0.8) -> Held | None:
    try:
        gate.check(ceiling_ratio)
    except Held as hold:
        return hold
    return None


def ban(until: float) -> str:
    return f"Way too many requests; IP(1.2.3.4) banned until {until * 1000:.0f}. Please use the"


def test_a_new_gate_is_open(gate):
    assert held(gate) is None
    assert (gate.used_weight, gate.weight_limit, gate.blocked_until) == (0, 2400, 0)


def test_429_holds_until_the_next_utc_minute(gate, clock):
    learn(gate, 429, {}, "")
    assert (held(gate).reason, held(gate).until) == ("blocked", NOON + 60)
    assert gate.blocked_until == NOON + 60
    clock.now = NOON + 60
    assert held(gate) is None
    assert gate.blocked_until == 0


@pytest.mark.parametrize("status", [418, 429])
def test_retry_after_comes_first(gate, status):
    learn(gate, status, {"Retry-After": "300"}, ban(NOON + 7000))
    assert held(gate).until == NOON + 310


@pytest.mark.parametrize("status", [418, 429])
def test_retry_after_may_be_a_date(gate, status):
    learn(gate, status, {"Retry-After": email.utils.formatdate(NOON + 500, usegmt=True)}, "")
    assert held(gate).until == NOON + 500


@pytest.mark.parametrize(
    "value", ["0", "-5", "soon", "", ", 60", "1e3", "Thu, 01 Jan 1970 00:00:00 GMT"]
)
def test_a_retry_after_that_is_useless_or_past_is_not_believed(gate, value):
    learn(gate, 429, {"Retry-After": value}, "")
    assert held(gate).until == NOON + 60


@pytest.mark.parametrize("value", ["300.0", "299.5", "300, 300", " 300 "])
def test_retry_after_need_not_be_a_whole_number_sent_once(gate, value):
    learn(gate, 418, {"Retry-After": value})
    assert NOON + 309 < held(gate).until <= NOON + 310


def test_418_holds_until_the_time_in_the_message(gate):
    learn(gate, 418, {}, ban(NOON + 5000))
    assert held(gate).until == NOON + 5000


def test_418_without_a_time_holds_two_minutes_doubled_each_time(gate, clock):
    waits = []
    for _ in range(4):
        learn(gate, 418, {}, "")
        waits.append(held(gate).until - clock.now)
        clock.now = held(gate).until
    assert waits == [120, 240, 480, 960]


def test_418_to_each_of_nine_requests_side_by_side_is_one_ban(gate, clock):
    for _ in range(9):
        learn(gate, 418, {}, "")
    assert held(gate).until == clock.now + 120
    clock.now += 120
    learn(gate, 418, {}, "")
    assert held(gate).until == clock.now + 240


def test_a_time_that_a_later_418_names_is_believed(gate):
    learn(gate, 418, {}, "")
    learn(gate, 418, {}, ban(NOON + 5000))
    assert held(gate).until == NOON + 5000


def test_a_time_in_the_message_that_is_past_does_not_open_the_gate(gate, clock):
    learn(gate, 418, {}, ban(NOON - 5000))
    assert held(gate).until == clock.now + 120


def test_a_good_answer_ends_the_doubling(gate, clock):
    learn(gate, 418, {}, "")
    clock.now += 120
    learn(gate, 200, {}, "")
    learn(gate, 418, {}, "")
    assert held(gate).until == clock.now + 120


def test_the_doubling_ends_at_three_days(gate, clock):
    for _ in range(30):
        learn(gate, 418, {}, "")
        clock.now = held(gate).until
    learn(gate, 418, {}, "")
    assert held(gate).until == clock.now + 3 * DAY


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Retry-After": "999999999"}, ""),
        ({"Retry-After": "9" * 400}, ""),
        ({}, ban(NOON + 1000 * DAY)),
    ],
)
def test_no_answer_holds_us_for_more_than_three_days(gate, clock, headers, message):
    learn(gate, 418, headers, message)
    assert held(gate).until == clock.now + 3 * DAY


def test_a_hold_says_whether_it_is_a_ban(gate, clock):
    learn(gate, 429, {"Retry-After": "500"})
    assert not held(gate).banned
    learn(gate, 418, {"Retry-After": "300"})
    assert held(gate).banned
    clock.now += 300
    assert not held(gate).banned


def test_a_shorter_hold_does_not_cut_a_longer_one(gate):
    learn(gate, 418, {}, ban(NOON + 5000))
    learn(gate, 429, {}, "")
    assert held(gate).until == NOON + 5000


@pytest.mark.parametrize("status", [400, 403, 451, 500, 503, 200])
def test_other_answers_hold_nothing(gate, status):
    learn(gate, status, {"Retry-After": "300"}, ban(NOON + 5000))
    assert held(gate) is None


def test_weight_at_the_ceiling_holds_until_the_next_minute(gate, clock):
    learn(gate, 200, {"X-MBX-USED-WEIGHT-1M": "1919"}, "")
    assert held(gate) is None
    learn(gate, 200, {"X-MBX-USED-WEIGHT-1M": "1920"}, "")
    assert (held(gate).reason, held(gate).until) == ("weight_ceiling", NOON + 60)
    assert gate.blocked_until == NOON + 60
    clock.now = NOON + 60
    assert held(gate) is None
    assert gate.used_weight == 0


def test_the_ceiling_is_the_asking_modules(gate):
    learn(gate, 200, {"X-MBX-USED-WEIGHT-1M": "1300"}, "")
    assert held(gate, 0.5) is not None
    assert held(gate, 0.8) is None


def test_the_ceiling_follows_the_limit(gate):
    gate.weight_limit = 6000
    learn(gate, 200, {"X-MBX-USED-WEIGHT-1M": "4799"}, "")
    assert held(gate) is None


def test_the_weight_is_of_the_minute_in_which_the_exchange_reported_it(gate, clock):
    clock.now = NOON + 61
    headers = {"Date": email.utils.formatdate(NOON + 59), "X-MBX-USED-WEIGHT-1M": "2300"}
    learn(gate, 200, headers)
    assert held(gate) is None
    assert gate.used_weight == 0


def test_the_weight_is_of_our_minute_if_our_clock_is_wrong(gate):
    headers = {"Date": email.utils.formatdate(NOON - 900), "X-MBX-USED-WEIGHT-1M": "2300"}
    learn(gate, 200, headers)
    assert held(gate).until == NOON + 60


def test_the_weight_is_what_the_exchange_reported_last(gate):
    learn(gate, 200, {"X-MBX-USED-WEIGHT-1M": "1930"})
    learn(gate, 200, {"X-MBX-USED-WEIGHT-1M": " 15 "})  # its minute began before ours
    assert gate.used_weight == 15


def test_a_ban_holds_before_its_message_has_come(gate, clock):
    gate.learn(418, {})
    assert held(gate).until == clock.now + 120
    gate.learn_ban_end({}, ban(NOON + 60))
    assert held(gate).until == NOON + 60


def test_of_several_messages_about_one_ban_the_latest_end_counts(gate):
    for end in (NOON + 500, NOON + 900, NOON + 700):
        learn(gate, 418, {}, ban(end))
    assert held(gate).until == NOON + 900


def test_a_message_does_not_shorten_what_a_retry_after_said(gate):
    learn(gate, 418, {})
    learn(gate, 418, {"Retry-After": "3600"})
    learn(gate, 418, {}, ban(NOON + 15))
    assert held(gate).until == NOON + 10 + 3600


@pytest.mark.parametrize("status", [418, 429])
@pytest.mark.parametrize("set_by", [2 * 3600, -2 * 3600, 30 * DAY, -30 * DAY, -365 * DAY])
def test_setting_the_clock_neither_ends_nor_lengthens_a_hold(
    settable, clock, steady, status, set_by
):
    learn(settable, status, {"Retry-After": "3600"})
    clock.now += set_by
    assert held(settable).until == settable.blocked_until == clock.now + 3600
    assert is_free_after(3600, settable, clock, steady)


@pytest.mark.parametrize("wrong_by", [3600, -3600, 3 * 3600, -DAY])
@pytest.mark.parametrize(
    ("headers", "message"),
    [({}, ban(NOON + 7200)), ({"Retry-After": email.utils.formatdate(NOON + 7200)}, "")],
)
def test_a_ban_ends_when_the_exchange_says_though_our_clock_is_wrong(
    clock, steady, wrong_by, headers, message
):
    clock.now = NOON + wrong_by
    gate = Gate(clock, steady)
    learn(gate, 418, headers | {"Date": email.utils.formatdate(NOON)}, message)
    assert held(gate).until == clock.now + 7200
    clock.now = NOON
    assert held(gate).until == NOON + 7200


@pytest.mark.parametrize("date", ["", "yesterday", email.utils.formatdate(NOON + 12)])
def test_a_clock_that_differs_by_seconds_is_taken_for_right(gate, date):
    learn(gate, 418, {"Date": date}, ban(NOON + 500))
    assert held(gate).until == NOON + 500


@pytest.mark.parametrize("set_by", [2 * 3600, -DAY])
def test_setting_the_clock_does_not_keep_the_weight_beyond_its_minute(
    settable, clock, steady, set_by
):
    learn(settable, 200, {"X-MBX-USED-WEIGHT-1M": "2300"})
    assert held(settable)
    clock.now += set_by
    assert held(settable).until == settable.blocked_until == clock.now + 50
    assert is_free_after(50, settable, clock, steady)
    assert settable.used_weight == 0


def test_a_clock_that_is_slowly_put_right_does_not_change_how_long_a_ban_lasts(
    settable, clock, steady
):
    learn(settable, 418, {}, ban(NOON + 500))
    clock.now += 400.9
    steady.now += 400
    assert held(settable)
    assert is_free_after(90, settable, clock, steady)


def test_weight_is_counted_when_a_request_is_sent(gate):
    gate.spend(10, 0.8)
    gate.spend(1, 0.8)
    assert gate.used_weight == 11


def test_weight_that_was_sent_holds_at_the_ceiling_without_any_response(gate):
    for _ in range(192):
        gate.spend(10, 0.8)
    with pytest.raises(Held, match="no request is sent before"):
        gate.spend(10, 0.8)
    assert gate.used_weight == 1920


def test_a_response_overrides_what_was_counted(gate):
    mark = gate.spend(10, 0.8)
    gate.learn(200, {"X-MBX-USED-WEIGHT-1M": "700"}, mark)
    assert gate.used_weight == 700


def test_what_was_sent_later_is_added_to_what_a_response_says(gate):
    first, _, _ = (gate.spend(10, 0.8) for _ in range(3))
    gate.learn(200, {"X-MBX-USED-WEIGHT-1M": "700"}, first)
    assert gate.used_weight == 720


def test_responses_out_of_order_do_not_lower_the_weight(gate):
    marks = [gate.spend(10, 0.8) for _ in range(100)]
    for number, mark in reversed(list(enumerate(marks, 1))):
        gate.learn(200, {"X-MBX-USED-WEIGHT-1M": f"{10 * number}"}, mark)
    assert gate.used_weight == 1000


@pytest.mark.parametrize("ahead", [0.5, 2, 4.9])
def test_a_clock_that_is_ahead_does_not_end_a_hold_early(clock, ahead):
    clock.now += ahead
    gate, headers = Gate(clock, clock), {"Date": email.utils.formatdate(NOON + 10)}
    learn(gate, 418, headers, ban(NOON + 70))
    assert held(gate).until == clock.now + 60


def test_a_clock_that_is_ahead_does_not_end_the_minute_of_a_limit_early(clock):
    clock.now = NOON + 59
    learn(gate := Gate(clock, clock), 429, {"Date": email.utils.formatdate(NOON + 57)})
    assert held(gate).until == clock.now + 3


def test_a_probe_that_is_held_at_its_share_holds_nobody_else(gate):
    learn(gate, 200, {"X-MBX-USED-WEIGHT-1M": "1500"})
    with pytest.raises(Held):
        gate.check(0.8, share=0.75)
    assert held(gate) is None
    assert gate.blocked_until == 0
    assert not others_wait(gate)


def test_while_the_ceiling_holds_scrapes_do_not_begin_the_hold_anew(gate, clock):
    learn(gate, 200, {"X-MBX-USED-WEIGHT-1M": "2400"})
    ends = {held(gate).until for _ in range(3)}
    assert ends == {NOON + 60}


def test_weight_counts_in_its_minute_only(gate, clock):
    gate.spend(10, 0.8)
    clock.now = NOON + 60
    gate.spend(1, 0.8)
    assert gate.used_weight == 1


def others_wait(gate: Gate) -> bool:
    """Whether a second request must wait while this one is in its turn."""
    with gate.turn(5):
        try:
            with gate.turn(0):
                return False
        except NotSent:
            return True


def test_at_the_start_one_request_goes_first(gate):
    assert others_wait(gate)


def test_after_a_good_response_requests_go_side_by_side(gate):
    learn(gate, 200, {})
    assert not others_wait(gate)


@pytest.mark.parametrize("status", [418, 429])
def test_after_a_hold_one_request_goes_first(gate, clock, status):
    learn(gate, 200, {})
    learn(gate, status, {})
    clock.now += 120
    assert others_wait(gate)


def test_after_the_weight_ceiling_one_request_goes_first(gate, clock):
    learn(gate, 200, {"X-MBX-USED-WEIGHT-1M": "2400"})
    assert held(gate)
    clock.now += 60
    assert others_wait(gate)


def test_a_request_that_failed_lets_the_next_one_go_first(gate):
    with gate.turn(5):
        pass  # no response
    assert others_wait(gate)


@pytest.mark.parametrize(("timeout", "waited_for"), [(0.5, 0.5), (60, 2)])
def test_a_request_that_hangs_is_not_waited_for_long(gate, clock, timeout, waited_for):
    with gate.turn(timeout):
        clock.now += waited_for
        assert others_wait(gate)


def test_a_late_response_to_an_earlier_request_does_not_let_all_go(gate, clock):
    mark = gate.spend(10, 0.8)
    learn(gate, 418, {})
    clock.now += 120
    gate.learn(200, {}, mark)
    assert others_wait(gate)


def test_a_good_answer_to_an_earlier_request_does_not_end_the_doubling(gate, clock):
    learn(gate, 418, {})
    learn(gate, 200, {})
    clock.now += 120
    learn(gate, 418, {})
    assert held(gate).until == clock.now + 240


def test_the_weight_of_an_error_counts_too(gate):
    learn(gate, 503, {"X-MBX-USED-WEIGHT-1M": "77"}, "")
    assert gate.used_weight == 77


@pytest.mark.fuzz
@given(
    st.integers(100, 599) | st.sampled_from([418, 429]),
    st.dictionaries(st.sampled_from(["Retry-After", "Date", "X-MBX-USED-WEIGHT-1M"]), st.text()),
    st.text() | st.from_regex(r"banned until [0-9]{0,20}"),
)
def test_no_answer_raises_or_holds_beyond_three_days(status, headers, message):
    clock = Clock(NOON + 10)
    gate = Gate(clock, clock)
    learn(gate, status, headers, message)
    assert gate.blocked_until == 0 or clock.now < gate.blocked_until <= clock.now + 3 * DAY
    if status in {418, 429}:
        assert held(gate) is not None
