import gc
import threading
import time
import weakref

import pytest
from prometheus_client import CollectorRegistry

from exporter.binance.client import RequestOptions
from exporter.binance.errors import (
    InvalidSymbol,
    NoUsableRow,
    RateLimited,
    RequestTimeout,
    ServerError,
)
from exporter.binance.exchange_info import MarginAsset
from exporter.binance.gate import Gate, Held
from exporter.binance.rows import Reject, Row
from exporter.metrics.counters import ApiMetrics
from exporter.scrape.fetch import Fetcher
from exporter.scrape.margin_assets import MarginAssets
from exporter.scrape.outage_log import OutageLog

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

    def asset_index(self, symbol, deadline, options):
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

    def refresh_if_due(self):
        self.looked_after += 1

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
def make(exchange, registry):
    def make(min_interval: float = 0) -> Fetcher:
        return Fetcher(
            exchange,
            RequestOptions(),
            margin_assets=Margin(),
            metrics=ApiMetrics(registry),
            log=OutageLog("default"),
            min_interval=min_interval,
        )

    return make


def fetch(fetcher: Fetcher, symbols=ALL):
    return fetcher.begin(symbols, TIMEOUT).wait(TIMEOUT)


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


def test_where_no_symbol_has_a_row_a_refused_one_is_the_reason(make, exchange):
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


def test_a_failed_fetch_asks_for_no_margin_assets_either(make, exchange):
    fetcher, good = make(), exchange.answers[None]
    exchange.answers[None] = ServerError("503")
    fetch(fetcher)
    assert fetcher.margin_assets.looked_after == 0
    exchange.answers[None] = good
    fetch(fetcher)
    assert fetcher.margin_assets.looked_after == 1


@pytest.mark.parametrize("symbols", [ALL, ["BTCUSD", "ETHUSD"]])
def test_a_failed_fetch_does_not_keep_what_was_read(make, exchange, symbols):
    class Body(bytearray):
        pass

    bodies = []

    def read(symbol, deadline, options):
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


def test_refused_rows_are_told_even_where_all_are_refused(make, exchange):
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
    flights = [fetcher.begin(ALL, TIMEOUT) for _ in range(32)]
    exchange.may_answer.set()
    assert len({id(flight.wait(TIMEOUT)) for flight in flights}) == 1
    assert exchange.asked == [None]


def test_other_symbols_are_another_fetch(make, exchange):
    fetcher = make()
    exchange.may_answer.clear()
    flights = [fetcher.begin(ALL, TIMEOUT), fetcher.begin(["BTCUSD"], TIMEOUT)]
    exchange.may_answer.set()
    assert [len(flight.wait(TIMEOUT).rows) for flight in flights] == [2, 1]


def test_who_can_wait_no_longer_gets_a_failed_fetch_and_the_others_the_good_one(make, exchange):
    fetcher = make()
    exchange.may_answer.clear()
    patient, hasty = fetcher.begin(ALL, TIMEOUT), fetcher.begin(ALL, TIMEOUT)
    assert isinstance(hasty.wait(0).error, RequestTimeout)
    exchange.may_answer.set()
    assert patient.wait(TIMEOUT).error is None


def test_a_fetch_that_hangs_past_its_deadline_is_joined_no_more(make, exchange):
    fetcher = make()
    exchange.may_answer.clear()
    hanging = fetcher.begin(ALL, 0)
    assert fetcher.begin(ALL, TIMEOUT) is not hanging


def test_a_fetch_is_reused_for_min_interval(make, exchange):
    fetcher = make(min_interval=3600)
    first = fetch(fetcher)
    assert fetch(fetcher) is first
    assert exchange.asked == [None]


def test_a_failed_fetch_is_not_reused(make, exchange):
    fetcher = make(min_interval=3600)
    good, exchange.answers[None] = exchange.answers[None], ServerError("503")
    fetch(fetcher)
    exchange.answers[None] = good
    assert fetch(fetcher).error is None


def test_probes_for_ever_new_symbols_do_not_fill_the_memory(make, exchange):
    fetcher = make(min_interval=3600)
    for number in range(300):
        exchange.answers[f"S{number}"] = ([Row(f"S{number}")], [])
        fetch(fetcher, [f"S{number}"])
    assert len(fetcher._flights) <= 101


def test_with_none_of_ten_symbols_listed_the_fetch_has_failed(make):
    result = fetch(make(), [f"S{number}USD" for number in range(10)])
    assert result.error.reason == "invalid_symbol"


def test_what_may_be_reused_no_longer_is_forgotten(make):
    fetcher = make()
    for number in range(100):
        fetch(fetcher, [f"S{number}"])
    fetch(fetcher)
    assert len(fetcher._flights) <= 1


def test_ten_scrapes_while_the_gate_holds_send_nothing_and_are_counted(make, exchange, registry):
    exchange.gate.learn(418, {})
    fetcher = make()
    assert {fetch(fetcher).error.reason for _ in range(10)} == {"blocked"}
    assert exchange.asked == []
    held = registry.get_sample_value("binance_api_scrapes_held_total", {"reason": "blocked"})
    assert held == 10


def test_a_fault_in_our_own_code_reaches_the_scrape(make, exchange):
    exchange.answers[None] = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        fetch(make())


def test_a_fetch_tells_when_it_finished(make):
    before = time.time()
    assert before <= fetch(make()).finished_at <= time.time()
