import logging

import pytest
from prometheus_client import CollectorRegistry

from exporter.binance.client import Client, RequestOptions
from exporter.binance.exchange_info import MarginAsset
from exporter.binance.gate import Gate
from exporter.metrics.counters import ApiMetrics
from exporter.scrape.margin_assets import LastAnswer, MarginAssets
from tests.stand_ins import Clock

HOUR = 3600.0
BASE_URL = "https://fapi.example"
ANSWER = {"assets": [{"asset": "BTC", "marginAvailable": True, "autoAssetExchange": "-0.1"}]}
BTC = {"BTCUSD": MarginAsset(available=True, auto_exchange_threshold=-0.1)}


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def exchange(requests_mock):
    requests_mock.get(f"{BASE_URL}/fapi/v1/exchangeInfo", json=ANSWER)
    return requests_mock


@pytest.fixture
def make(clock):
    client = Client(BASE_URL, Gate(), ApiMetrics(CollectorRegistry()), clock)

    def make(
        interval: float | None = HOUR, options: RequestOptions | None = None, **settings
    ) -> MarginAssets:
        """Refreshes at once instead of in the background, so that a test sees it done."""
        settings = {"clock": clock, "background": lambda refresh: refresh()} | settings
        return MarginAssets(client, options or RequestOptions(), interval, **settings)

    return make


@pytest.fixture
def assets(make) -> MarginAssets:
    return make()


def test_a_scrape_that_finds_none_has_them_fetched(assets, exchange):
    assets.refresh_if_due()
    assert assets.current() == BTC
    assert exchange.call_count == 1


def test_they_are_fetched_anew_after_the_refresh_interval(assets, exchange, clock):
    assets.refresh_if_due()
    clock.now += HOUR - 1
    assets.refresh_if_due()
    assert exchange.call_count == 1
    clock.now += 1
    assets.refresh_if_due()
    assert exchange.call_count == 2


def test_a_failure_leaves_the_last_good_answer_for_a_day(assets, exchange, clock):
    assets.refresh_if_due()
    exchange.get(f"{BASE_URL}/fapi/v1/exchangeInfo", status_code=503)
    clock.now += 24 * HOUR - 1
    assert assets.current() == BTC
    clock.now += 1
    assert assets.current() == {}


def test_after_a_failure_it_is_tried_again_in_a_minute(assets, exchange, clock):
    exchange.get(f"{BASE_URL}/fapi/v1/exchangeInfo", status_code=503)
    for _ in range(4):
        assets.refresh_if_due()
        clock.now += 15
    assert exchange.call_count == 1
    assets.refresh_if_due()
    assert exchange.call_count == 2


def test_a_reason_is_told_once_and_so_is_the_recovery(assets, exchange, clock, caplog):
    caplog.set_level(logging.INFO)
    for status in (503, 503, 418, 503):
        exchange.get(f"{BASE_URL}/fapi/v1/exchangeInfo", status_code=status)
        assets.refresh_if_due()
        clock.now += 60
    assets._client.gate = Gate()  # the ban is over
    exchange.get(f"{BASE_URL}/fapi/v1/exchangeInfo", json=ANSWER)
    for _ in range(2):
        assets.refresh_if_due()
        clock.now += HOUR
    told = [(each.levelname, getattr(each, "reason", None)) for each in caplog.records]
    assert told == [
        ("WARNING", "http_5xx"),
        ("WARNING", "banned"),
        ("WARNING", "blocked"),
        ("INFO", None),
    ]


def test_a_thread_that_is_not_to_be_had_is_told_and_raises_nothing(make, caplog):
    def no_thread(_):
        raise RuntimeError("can't start new thread")

    make(background=no_thread).refresh_if_due()
    assert [each.reason for each in caplog.records] == ["no_thread"]


def test_switched_off_it_fetches_nothing_and_shows_none(make, exchange, clock):
    assets = make(interval=None, last=LastAnswer(BTC, fetched_at=clock()))
    assets.note_listed(frozenset({"BTCUSD"}))
    assets.refresh_if_due()
    assert assets.current() == {}
    assert exchange.call_count == 0


def test_an_answer_that_another_module_had_is_shown_and_not_fetched_again(make, exchange):
    last = LastAnswer()
    both = make(last=last), make(options=RequestOptions(weight_ceiling_ratio=0.5), last=last)
    for each in both:
        each.refresh_if_due()
        assert each.current() == BTC
    assert exchange.call_count == 1


def test_a_list_with_other_symbols_than_before_has_them_fetched_anew(assets, exchange, clock):
    both = {"BTCUSD", "ETHUSD"}
    for listed in ({"BTCUSD"}, {"BTCUSD"}, both, both, both):
        assets.note_listed(frozenset(listed))
        assets.refresh_if_due()
        clock.now += 60
    assert exchange.call_count == 2


def test_after_a_list_with_other_symbols_a_failure_is_tried_again(assets, exchange, clock):
    assets.note_listed(frozenset({"BTCUSD"}))
    assets.refresh_if_due()
    exchange.get(f"{BASE_URL}/fapi/v1/exchangeInfo", status_code=503)
    for _ in range(3):
        clock.now += 60
        assets.note_listed(frozenset({"ETHUSD"}))
        assets.refresh_if_due()
    assert exchange.call_count == 4


def test_an_interval_below_a_minute_is_obeyed(make, exchange, clock):
    assets = make(interval=10)
    for _ in range(4):
        assets.refresh_if_due()
        clock.now += 5
    assert exchange.call_count == 2


def test_a_failure_that_another_module_mended_is_told_as_mended(make, exchange, caplog):
    caplog.set_level(logging.INFO)
    last = LastAnswer()
    for status in (503, 200):
        exchange.get(f"{BASE_URL}/fapi/v1/exchangeInfo", status_code=status, json=ANSWER)
        make(last=last).refresh()
    assert [each.levelname for each in caplog.records] == ["WARNING", "INFO"]


def test_a_list_that_changes_during_a_refresh_has_them_fetched_once_more(make, exchange, clock):
    begun = []
    assets = make(background=begun.append)
    assets.note_listed(frozenset({"BTCUSD"}))
    assets.refresh_if_due()

    def answer(*_):
        assets.note_listed(frozenset({"ETHUSD"}))
        return ANSWER

    exchange.get(f"{BASE_URL}/fapi/v1/exchangeInfo", json=answer)
    begun.pop()()
    clock.now += 60
    assets.refresh_if_due()
    assert len(begun) == 1


def test_a_list_that_flickers_has_them_fetched_once_a_minute(assets, exchange, clock):
    for number in range(12):
        assets.note_listed(frozenset({f"S{number % 2}USD"}))
        assets.refresh_if_due()
        clock.now += 10
    assert exchange.call_count == 2
