import logging

import pytest

from exporter.binance.errors import (
    Banned,
    Held,
    InvalidSymbol,
    RateLimited,
    RequestTimeout,
    ServerError,
)
from exporter.binance.rows import Reject
from exporter.scrape.outage_log import OutageLog
from tests.stand_ins import Clock

ALL = ()
REJECT = Reject("bad_value", "BTCUSD: index is not a decimal above zero")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outages(clock) -> OutageLog:
    return OutageLog("default", clock)


@pytest.fixture
def lines(caplog):
    """What has been logged so far: level, message and reason."""
    caplog.set_level(logging.INFO)
    return lambda: [
        (each.levelname, each.msg, getattr(each, "reason", None)) for each in caplog.records
    ]


def test_routine_fetches_are_silent(outages, lines):
    outages.note(ALL, None, [])
    assert lines() == []


def test_a_day_of_outage_is_two_lines(outages, lines, clock, caplog):
    for _ in range(5760):
        outages.note(ALL, ServerError("Binance answered 503"), [])
        clock.now += 15
    outages.note(ALL, None, [])
    assert lines() == [
        ("WARNING", "fetch failed", "http_5xx"),
        ("INFO", "fetch recovered", None),
    ]
    assert caplog.records[1].lasted_seconds == 86400


def test_reasons_that_alternate_are_logged_once_each(outages, lines):
    for _ in range(10):
        outages.note(ALL, ServerError("503"), [])
        outages.note(ALL, RequestTimeout("no answer"), [])
    assert [reason for *_, reason in lines()] == ["http_5xx", "timeout"]


def test_the_next_outage_is_logged_again(outages, lines):
    for error in (ServerError("503"), None, ServerError("503")):
        outages.note(ALL, error, [])
    assert len(lines()) == 3


@pytest.mark.parametrize("error", [Banned("418"), RateLimited("429")])
def test_a_hold_that_follows_a_refusal_is_not_logged(outages, lines, error):
    outages.note(ALL, error, [])
    outages.note(ALL, Held("blocked", 1000), [])
    assert [reason for *_, reason in lines()] == [error.reason]


def test_a_full_minute_after_a_ban_is_logged(outages, lines):
    outages.note(ALL, Banned("418"), [])
    outages.note(ALL, Held("weight_ceiling", 1000), [])
    assert [reason for *_, reason in lines()] == ["banned", "weight_ceiling"]


def test_a_hold_of_its_own_is_logged(outages, lines):
    outages.note(ALL, Held("weight_ceiling", 1000), [])
    assert [reason for *_, reason in lines()] == ["weight_ceiling"]


@pytest.mark.parametrize("reason", ["blocked", "weight_ceiling"])
def test_a_hold_that_begins_during_another_outage_is_logged_once(outages, lines, reason):
    outages.note(ALL, ServerError("503"), [])  # and exchangeInfo, say, is answered 418
    for _ in range(3):
        outages.note(ALL, Held(reason, 1000), [])
    assert [logged for *_, logged in lines()] == ["http_5xx", reason]


def test_what_probes_name_is_reported_once_an_hour_and_is_no_outage(outages, lines):
    for number in range(1000):
        outages.note((f"S{number}USD",), Banned("418"), [], own=False)
        outages.note(ALL, None, [])
    assert [(message, reason) for _, message, reason in lines()] == [("probe failed", "banned")]


def test_a_symbol_that_binance_lacks_is_no_outage_and_reported_once_an_hour(outages, lines, clock):
    for number in range(480):
        outages.note((f"S{number}USD",), InvalidSymbol("400"), [])
        outages.note(ALL, None, [])
        clock.now += 15
    assert [message for _, message, _ in lines()] == ["symbols without values"]
    clock.now += 3600
    outages.note(("NOSUCHUSD",), InvalidSymbol("400"), [])
    assert len(lines()) == 2


def test_a_response_that_was_late_is_reported_once_an_hour(outages, lines, clock):
    for _ in range(100):
        outages.note_late(ALL, 4.2)
    clock.now += 3600
    outages.note_late(ALL, 4.2)
    assert [message for _, message, _ in lines()] == ["response later than the scrape timeout"] * 2


def test_a_refused_row_is_logged_once_though_it_comes_and_goes(outages, lines, clock):
    for _ in range(1000):
        outages.note(ALL, None, [REJECT])
        clock.now += 15
        outages.note(ALL, None, [])
        clock.now += 15
    assert [message for _, message, _ in lines()] == ["rows refused"]


def test_a_refused_row_that_was_away_for_an_hour_is_logged_again(outages, lines, clock):
    outages.note(ALL, None, [REJECT])
    clock.now += 3600
    outages.note(ALL, None, [REJECT])
    assert [message for _, message, _ in lines()] == ["rows refused", "rows refused"]


def test_no_more_than_a_hundred_refused_rows_are_reported_in_an_hour(outages, lines):
    for number in range(1000):
        outages.note(ALL, None, [Reject("bad_value", f"S{number}USD: index is not a decimal")])
    assert len(lines()) == 100


def test_a_failed_fetch_in_between_does_not_have_a_refused_row_logged_again(outages, lines):
    outages.note(ALL, None, [REJECT])
    outages.note(ALL, ServerError("503"), [])
    outages.note(ALL, None, [REJECT])
    assert [message for _, message, _ in lines()].count("rows refused") == 1


def test_of_many_symbols_the_number_is_logged(outages, caplog):
    outages.note(tuple(f"S{number}" for number in range(500)), ServerError("503"), [])
    assert caplog.records[0].symbols == "500 symbols"
