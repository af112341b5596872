import logging
from concurrent.futures import Future

import pytest
from prometheus_client import CollectorRegistry

from exporter.binance.client import Client, Limits
from exporter.binance.errors import NoThread
from exporter.binance.exchange_info import MarginAsset
from exporter.binance.gate import Gate
from exporter.metrics.counters import ApiMetrics
from exporter.scrape.margin_assets import MarginAssets
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


class Margin(MarginAssets):
    """Refreshes as a scrape does, but at once, so that a test sees it done."""

    def __init__(self, client: Client, clock: Clock):
        super().__init__(clock)
        self.client = client

    def refresh_if_due(self, interval: float = HOUR) -> None:
        if self.claim_refresh(interval):
            self.refresh(self.client, Limits(self._clock() + 30))


@pytest.fixture
def client(clock) -> Client:
    return Client(BASE_URL, Gate(), ApiMetrics(CollectorRegistry()), clock=clock)


@pytest.fixture
def assets(client, clock) -> Margin:
    return Margin(client, clock)


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


def test_after_a_failure_the_last_good_response_stays_for_a_day(assets, exchange, clock):
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


def test_a_reason_is_logged_once_and_so_is_the_recovery(assets, exchange, clock, caplog):
    caplog.set_level(logging.INFO)
    for status in (503, 503, 418, 503):
        exchange.get(f"{BASE_URL}/fapi/v1/exchangeInfo", status_code=status)
        assets.refresh_if_due()
        clock.now += 60
    assets.client.gate = Gate()  # the ban is over
    exchange.get(f"{BASE_URL}/fapi/v1/exchangeInfo", json=ANSWER)
    for _ in range(2):
        assets.refresh_if_due()
        clock.now += HOUR
    lines = [(each.levelname, getattr(each, "reason", None)) for each in caplog.records]
    assert lines == [
        ("WARNING", "http_5xx"),
        ("WARNING", "banned"),
        ("WARNING", "blocked"),
        ("INFO", None),
    ]


def test_a_thread_that_cannot_be_had_is_reported_and_raises_nothing(clock, caplog):
    none: Future[None] = Future()
    none.set_exception(NoThread("the system has no thread left"))
    MarginAssets(clock, lambda _: none).run_in_background(lambda: None)
    assert [(each.levelname, each.error) for each in caplog.records] == [
        ("WARNING", "the system has no thread left")
    ]


def test_modules_that_find_a_refresh_due_at_once_send_one_request(assets):
    assert [assets.claim_refresh(HOUR) for _ in range(6)] == [True] + [False] * 5


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


def test_an_interval_below_a_minute_is_obeyed(assets, exchange, clock):
    for _ in range(4):
        assets.refresh_if_due(interval=10)
        clock.now += 5
    assert exchange.call_count == 2


def test_a_list_that_changes_during_a_refresh_has_them_fetched_once_more(assets, exchange, clock):
    assets.note_listed(frozenset({"BTCUSD"}))

    def answer(*_):
        assets.note_listed(frozenset({"ETHUSD"}))
        return ANSWER

    exchange.get(f"{BASE_URL}/fapi/v1/exchangeInfo", json=answer)
    assets.refresh_if_due()
    clock.now += 60
    assert assets.claim_refresh(HOUR)


def test_a_list_that_flickers_has_them_fetched_once_a_minute(assets, exchange, clock):
    for number in range(12):
        assets.note_listed(frozenset({f"S{number % 2}USD"}))
        assets.refresh_if_due()
        clock.now += 10
    assert exchange.call_count == 2
