import gc
import threading
import time
import weakref

import pytest
from prometheus_client import CollectorRegistry

from exporter.binance.errors import (
    Held,
    InvalidSymbol,
    NoUsableRow,
    RateLimited,
    RequestTimeout,
    ServerError,
)
from exporter.binance.exchange_info import MarginAsset
from exporter.binance.gate import Gate
from exporter.binance.rows import Reject, Row
from exporter.config.modules import ModuleSettings
from exporter.metrics.counters import ApiMetrics
from exporter.scrape.fetch import Fetcher
from exporter.scrape.flight import Waiter
from exporter.scrape.margin_assets import MarginAssets
from exporter.scrape.outage_log import OutageLog
from exporter.scrape.workers import Workers

ALL = ()
TIMEOUT = 5.0
BTC, ETH = Row("BTCUSD", index=61475.0), Row("ETHUSD", index=3400.0)
MARGIN = {s: MarginAsset(available=True, auto_exchange_threshold=0.0) for s in ("BTCUSD", "ETHUSD")}


class Exchange:
    """Stands in for the client: says what was asked, and answers when the test lets it."""

    def __init__(self):
        self.gate = Gate()
        self.asked: list[str | None] = []
        self.answers = {None: ([BTC, ETH], []), "BTCUSD": ([BTC], []), "ETHUSD": ([ETH], [])}
        self.may_answer = threading.Event()
        self.may_answer.set()

    def asset_index(self, symbol, limits):
        self.asked.append(symbol)
        self.may_answer.wait()
        answer = self.answers.get(symbol, InvalidSymbol("400"))
        if isinstance(answer, Exception):
            raise answer
        return answer


class Margin(MarginAssets):
    def __init__(self):
        self.looked_after = 0

    def current(self):
        return MARGIN

    def claim_refresh(self, interval):
        self.looked_after += 1
        return False

    def note_listed(self, symbols):
        pass


@pytest.fixture
def exchange():
    exchange = Exchange()
    yield exchange
    exchange.may_answer.set()


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def margin() -> Margin:
    return Margin()


@pytest.fixture
def noted() -> list:
    """Symbols and error of each fetch that the status page hears of."""
    return []


@pytest.fixture
def make(exchange, registry, margin, noted):
    def make(**settings) -> Fetcher:
        settings = ModuleSettings.model_validate({"timeout": "5s"} | settings)
        metrics, log = ApiMetrics(registry), OutageLog("default")
        return Fetcher(
            exchange,
            margin,
            settings,
            observer=metrics,
            log=log,
            note=lambda symbols, fetch: noted.append((symbols, fetch.error and fetch.error.reason)),
        )

    return make


def fetch(fetcher: Fetcher, symbols=ALL, **kind):
    return fetcher.begin(symbols, **kind).wait(TIMEOUT)


def land(exchange: Exchange, *waiters: Waiter) -> None:
    """End what is in flight, so that the next test's log has none of it."""
    exchange.may_answer.set()
    for waiter in waiters:
        waiter.future.result(TIMEOUT)


def test_no_symbols_are_one_request_for_all(make, exchange):
    result = fetch(make())
    assert (list(result.rows), result.error) == ([BTC, ETH], None)
    assert exchange.asked == [None]


def test_up_to_nine_symbols_are_one_request_each(make, exchange):
    names = [f"S{number}USD" for number in range(9)]
    exchange.answers |= {name: ([Row(name)], []) for name in names}
    result = fetch(make(), names)
    assert {row.symbol for row in result.rows} == set(names)
    assert sorted(exchange.asked) == names


def test_they_are_asked_side_by_side(make, exchange):
    exchange.may_answer = threading.Barrier(2)  # passed only by two at once
    exchange.may_answer.set = lambda: None
    assert len(fetch(make(), ["BTCUSD", "ETHUSD"]).rows) == 2


def test_ten_symbols_are_one_request_filtered(make, exchange):
    result = fetch(make(), ["BTCUSD", *(f"S{number}USD" for number in range(9))])
    assert list(result.rows) == [BTC]
    assert exchange.asked == [None]


def test_a_symbol_named_twice_is_asked_for_once(make, exchange):
    fetch(make(), ["BTCUSD", "BTCUSD"])
    assert exchange.asked == ["BTCUSD"]


def test_an_invalid_symbol_does_not_spoil_the_others(make):
    result = fetch(make(), ["BTCUSD", "NOSUCHUSD"])
    assert (list(result.rows), result.error) == ([BTC], None)


def test_with_invalid_symbols_only_the_fetch_has_failed(make):
    result = fetch(make(), ["NOSUCHUSD", "NORTHISUSD"])
    assert result.error.reason == "invalid_symbol"


def test_a_refused_row_does_not_spoil_the_others(make, exchange):
    exchange.answers["ETHUSD"] = NoUsableRow([Reject("bad_value", "x")])
    result = fetch(make(), ["BTCUSD", "ETHUSD"])
    assert (list(result.rows), len(result.rejects), result.error) == ([BTC], 1, None)


def test_if_no_symbol_has_a_row_a_refused_one_is_the_reason(make, exchange):
    exchange.answers["ETHUSD"] = NoUsableRow([Reject("bad_value", "x")])
    result = fetch(make(), ["ETHUSD", "NOSUCHUSD"])
    assert (len(result.rejects), result.error.reason) == (1, "bad_payload")


def test_a_symbol_that_is_held_after_another_was_limited_is_not_the_reason(make, exchange):
    exchange.answers |= {"BTCUSD": Held("blocked", 60), "ETHUSD": RateLimited("429")}
    assert fetch(make(), ["BTCUSD", "ETHUSD"]).error.reason == "rate_limited"


def test_a_symbol_that_fails_otherwise_fails_the_whole_fetch(make, exchange):
    exchange.answers["ETHUSD"] = ServerError("503")
    result = fetch(make(), ["BTCUSD", "ETHUSD"])
    assert (list(result.rows), result.error.reason) == ([], "http_5xx")


def test_a_failed_fetch_has_no_rows_and_no_margin_assets(make, exchange):
    exchange.answers[None] = ServerError("503")
    result = fetch(make())
    assert (list(result.rows), dict(result.margin_assets)) == ([], {})


def test_a_failed_fetch_asks_for_no_margin_assets_either(make, exchange, margin):
    fetcher, good = make(), exchange.answers[None]
    exchange.answers[None] = ServerError("503")
    fetch(fetcher)
    assert margin.looked_after == 0
    exchange.answers[None] = good
    fetch(fetcher)
    assert margin.looked_after == 1


@pytest.mark.parametrize("symbols", [ALL, ["BTCUSD", "ETHUSD"]])
def test_a_failed_fetch_does_not_keep_what_was_read(make, exchange, symbols):
    class Body(bytearray):
        pass

    bodies = []

    def read(symbol, limits):
        body = Body(b"...")
        bodies.append(weakref.ref(body))
        try:
            raise ValueError
        except ValueError as error:
            raise ServerError("503") from error

    exchange.asset_index = read
    gc.disable()
    try:
        result = fetch(make(), symbols)
        assert result.error.reason == "http_5xx"
        assert [body() for body in bodies] == [None] * len(bodies)
    finally:
        gc.enable()


def test_refused_rows_are_logged_even_if_all_are_refused(make, exchange):
    exchange.answers[None] = NoUsableRow([Reject("bad_value", "x")])
    assert len(fetch(make()).rejects) == 1


def test_margin_assets_are_those_of_the_symbols_asked_for(make):
    fetcher = make()
    assert set(fetch(fetcher).margin_assets) == {"BTCUSD", "ETHUSD"}
    assert set(fetch(fetcher, ["BTCUSD"]).margin_assets) == {"BTCUSD"}


def test_every_scrape_is_a_fetch(make, exchange):
    fetcher = make()
    fetch(fetcher)
    fetch(fetcher)
    assert exchange.asked == [None, None]


def test_scrapes_that_arrive_during_a_fetch_share_it(make, exchange):
    fetcher = make()
    exchange.may_answer.clear()
    flights = [fetcher.begin(ALL) for _ in range(32)]
    exchange.may_answer.set()
    assert len({id(flight.wait(TIMEOUT)) for flight in flights}) == 1
    assert exchange.asked == [None]


def test_other_symbols_are_another_fetch(make, exchange):
    fetcher = make()
    exchange.may_answer.clear()
    flights = [fetcher.begin(ALL), fetcher.begin(["BTCUSD"])]
    exchange.may_answer.set()
    assert [len(flight.wait(TIMEOUT).rows) for flight in flights] == [2, 1]


def test_who_can_wait_no_longer_gets_a_failed_fetch_and_the_others_the_good_one(make, exchange):
    fetcher = make()
    exchange.may_answer.clear()
    patient, hasty = fetcher.begin(ALL), fetcher.begin(ALL)
    assert isinstance(hasty.wait(0).error, RequestTimeout)
    exchange.may_answer.set()
    assert patient.wait(TIMEOUT).error is None


def test_a_fetch_that_hangs_past_its_deadline_is_joined_no_more(make, exchange):
    fetcher = make(timeout="1ms")
    exchange.may_answer.clear()
    hanging = fetcher.begin(ALL)
    assert hanging.wait(TIMEOUT).error.reason == "timeout"
    next_one = fetcher.begin(ALL)
    assert next_one.future is not hanging.future
    land(exchange, hanging, next_one)


def test_a_fetch_is_reused_for_min_interval(make, exchange):
    fetcher = make(min_interval="1h")
    first = fetch(fetcher)
    assert fetch(fetcher) is first
    assert exchange.asked == [None]


def test_a_failed_fetch_is_not_reused(make, exchange):
    fetcher = make(min_interval="1h")
    good, exchange.answers[None] = exchange.answers[None], ServerError("503")
    fetch(fetcher)
    exchange.answers[None] = good
    assert fetch(fetcher).error is None


def test_a_fetch_takes_the_modules_timeout_whoever_began_it(make, exchange):
    fetcher = make(timeout="5s")
    exchange.may_answer.clear()
    hasty = fetcher.begin(ALL)
    assert hasty.wait(0.001).error.reason == "timeout"
    patient = fetcher.begin(ALL)
    exchange.may_answer.set()
    assert patient.wait(TIMEOUT).error is None
    assert exchange.asked == [None]


def test_nobody_waits_beyond_the_fetchs_own_deadline(make, exchange):
    exchange.may_answer.clear()
    waiter = make(timeout="20ms").begin(ALL)
    assert waiter.wait(3600).error.reason == "timeout"
    land(exchange, waiter)


def test_a_response_after_every_scrape_gave_up_is_counted_and_reported_once(
    make, exchange, registry, caplog
):
    fetcher = make()
    for _ in range(2):
        exchange.may_answer.clear()
        waiter = fetcher.begin(ALL)
        waiter.wait(0.001)
        exchange.may_answer.set()
        waiter.future.result(TIMEOUT)
    labels = {"endpoint": "assetIndex", "reason": "timeout"}
    assert registry.get_sample_value("binance_api_request_failures_total", labels) == 2
    assert [each.msg for each in caplog.records] == ["response later than the scrape timeout"]


def test_the_status_page_hears_once_of_a_fetch_that_many_share(make, exchange, noted):
    fetcher = make()
    exchange.may_answer.clear()
    waiters = [fetcher.begin(("BTCUSD",)) for _ in range(3)]
    exchange.may_answer.set()
    for waiter in waiters:
        waiter.wait(TIMEOUT)
    assert noted == [(("BTCUSD",), None)]


def test_the_status_page_hears_of_holds_and_failures(make, exchange, noted):
    fetcher = make()
    exchange.answers[None] = ServerError("503")
    fetch(fetcher)
    exchange.gate.learn(418, {})
    fetch(fetcher)
    assert [error for _, error in noted] == ["http_5xx", "blocked"]


def test_for_the_status_page_a_response_that_nobody_waited_for_is_a_timeout(make, exchange, noted):
    exchange.may_answer.clear()
    waiter = make().begin(ALL)
    waiter.wait(0.001)
    land(exchange, waiter)
    assert noted == [(ALL, "timeout")]


def test_for_the_status_page_a_fetch_that_hangs_past_its_deadline_is_a_timeout(
    make, exchange, noted
):
    exchange.may_answer.clear()
    waiter = make(timeout="1ms").begin(("BTCUSD",))
    waiter.wait(TIMEOUT)
    assert noted == [(("BTCUSD",), "timeout")]
    land(exchange, waiter)


def test_probes_of_ten_or_more_symbols_share_the_fetch_of_all(make, exchange):
    fetcher = make()
    exchange.may_answer.clear()
    names = [f"S{number}USD" for number in range(9)]
    waiters = [fetcher.begin([first, *names]) for first in ("BTCUSD", "ETHUSD")]
    waiters.append(fetcher.begin(ALL))
    exchange.may_answer.set()
    assert [list(each.wait(TIMEOUT).rows) for each in waiters] == [[BTC], [ETH], [BTC, ETH]]
    assert exchange.asked == [None]


def test_probes_stop_at_a_smaller_share_of_the_weight_than_metrics(make, exchange):
    exchange.gate.learn(200, {"X-MBX-USED-WEIGHT-1M": "1500"})
    fetcher = make(weight_ceiling_ratio=0.8)
    assert fetch(fetcher, probe=True).error.reason == "weight_ceiling"
    assert fetch(fetcher).error is None


def test_a_probe_joins_a_fetch_of_metrics_whatever_the_weight(make, exchange):
    fetcher = make(weight_ceiling_ratio=0.8)
    exchange.may_answer.clear()
    waiters = [fetcher.begin(ALL)]
    exchange.gate.learn(200, {"X-MBX-USED-WEIGHT-1M": "1500"})
    waiters.append(fetcher.begin(ALL, probe=True))
    exchange.may_answer.set()
    assert [each.wait(TIMEOUT).error for each in waiters] == [None, None]


def test_without_a_thread_the_fetch_has_failed_and_says_why(make, exchange, monkeypatch):
    monkeypatch.setattr("exporter.scrape.fetch.WORKERS", Workers("fetch", most=0))
    result = fetch(make())
    assert (result.error.reason, str(result.error)) == (
        "connection",
        "0 requests are running already",
    )
    assert exchange.asked == []


def test_probes_that_take_all_their_threads_leave_some_to_metrics(make, exchange, monkeypatch):
    monkeypatch.setattr("exporter.scrape.fetch.PROBE_WORKERS", Workers("probe", most=0))
    fetcher = make()
    assert fetch(fetcher, ["BTCUSD"], probe=True).error.reason == "connection"
    assert fetch(fetcher).error is None


def test_without_threads_for_its_symbols_the_fetch_has_failed(make, exchange, monkeypatch):
    monkeypatch.setattr("exporter.scrape.fetch.WORKERS", Workers("fetch", most=1))
    assert fetch(make(), ["BTCUSD", "ETHUSD"]).error.reason == "connection"


def test_probes_for_ever_new_symbols_do_not_fill_the_memory(make, exchange):
    fetcher, kept = make(min_interval="1h"), weakref.WeakSet()
    for number in range(300):
        exchange.answers[f"S{number}"] = ([Row(f"S{number}")], [])
        kept.add(fetch(fetcher, [f"S{number}"]))
    gc.collect()
    assert len(kept) <= 101


def test_with_none_of_ten_symbols_listed_the_fetch_has_failed(make):
    result = fetch(make(), [f"S{number}USD" for number in range(10)])
    assert result.error.reason == "invalid_symbol"


def test_what_may_be_reused_no_longer_is_forgotten(make):
    fetcher, kept = make(), weakref.WeakSet()
    for number in range(100):
        kept.add(fetch(fetcher, [f"S{number}"]))
    fetch(fetcher)
    gc.collect()
    assert len(kept) == 0


def test_ten_scrapes_while_the_gate_holds_send_nothing_and_are_counted(make, exchange, registry):
    exchange.gate.learn(418, {})
    fetcher = make()
    assert {fetch(fetcher).error.reason for _ in range(10)} == {"blocked"}
    assert exchange.asked == []
    held = registry.get_sample_value("binance_api_scrapes_held_total", {"reason": "blocked"})
    assert held == 10


def test_a_bug_in_our_own_code_reaches_the_scrape(make, exchange):
    exchange.answers[None] = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        fetch(make())


def test_a_fetch_says_when_it_finished(make):
    before = time.time()
    assert before <= fetch(make()).finished_at <= time.time()
