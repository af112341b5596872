import socket
import time

import pytest
import requests
import urllib3
from prometheus_client import CollectorRegistry

from exporter import __version__
from exporter.binance import errors
from exporter.binance.client import Client, Limits
from exporter.binance.errors import Held
from exporter.binance.gate import Gate
from exporter.metrics.counters import ApiMetrics
from tests.raw_server import raw_server, read_request
from tests.wrong_answers import WRONG_ANSWERS

BASE_URL = "https://fapi.example"
INDEX_URL = f"{BASE_URL}/fapi/v1/assetIndex"
INFO_URL = f"{BASE_URL}/fapi/v1/exchangeInfo"
ROW = {"symbol": "BTCUSD", "index": "61475.02720330"}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def client(registry) -> Client:
    return Client(BASE_URL, Gate(), ApiMetrics(registry))


@pytest.fixture
def exchange(requests_mock):
    return requests_mock


def soon(**limits) -> Limits:
    return Limits(time.monotonic() + 5, **limits)


def ask(client: Client, symbol: str | None = None, **limits):
    return client.asset_index(symbol, soon(**limits))


def failures(registry: CollectorRegistry, reason: str, endpoint: str = "assetIndex") -> float:
    labels = {"endpoint": endpoint, "reason": reason}
    return registry.get_sample_value("binance_api_request_failures_total", labels)


def test_all_symbols_are_one_request_without_symbol(client, exchange):
    exchange.get(INDEX_URL, json=[ROW, ROW | {"symbol": "ETHUSD"}])
    rows, rejects = ask(client)
    assert [row.symbol for row in rows] == ["BTCUSD", "ETHUSD"]
    assert rejects == []
    assert exchange.last_request.qs == {}


def test_one_symbol_is_asked_for_by_name(client, exchange):
    exchange.get(INDEX_URL, json=ROW)
    rows, _ = ask(client, "BTCUSD")
    assert rows[0].index == 61475.0272033
    assert exchange.last_request.query == "symbol=btcusd"


def test_the_request_says_who_asks(client, exchange):
    exchange.get(INDEX_URL, json=[ROW])
    ask(client)
    agent = exchange.last_request.headers["User-Agent"]
    assert agent == f"binance-asset-index-exporter/{__version__}"


def test_a_request_is_counted_and_timed(client, exchange, registry):
    exchange.get(INDEX_URL, json=[ROW])
    ask(client)
    labels = {"endpoint": "assetIndex"}
    assert registry.get_sample_value("binance_api_requests_total", labels) == 1
    assert registry.get_sample_value("binance_api_request_duration_seconds_count", labels) == 1


ENDING = [name for name, wrong in WRONG_ANSWERS.items() if not wrong.hangs]


@pytest.mark.parametrize("name", ENDING)
def test_a_wrong_answer_has_its_reason_and_its_sentence_and_is_counted(registry, name):
    wrong = WRONG_ANSWERS[name]

    def server(connection: socket.socket) -> None:
        while read_request(connection):
            wrong.play(connection)

    with raw_server(server) as url, pytest.raises(errors.ApiError) as caught:
        ask(Client(url, Gate(), ApiMetrics(registry)))
    sentence = str(caught.value).replace(url.removeprefix("http://"), "HOST")
    assert (caught.value.reason, sentence) == (wrong.reason, wrong.error)
    assert failures(registry, wrong.reason) == 1


def test_a_real_geo_block_is_recognised(client, exchange, capture):
    answer = capture("error_bodies")["451_geo"]
    exchange.get(INDEX_URL, status_code=answer["status"], json=answer["body"])
    with pytest.raises(errors.RestrictedLocation, match=r"451 \(code 0\)"):
        ask(client)


@pytest.mark.parametrize("body", ['[{"symbol":"BTCUSD"}]', "[]", "{}", '{"symbol":"ETHUSD"}'])
def test_a_single_answer_must_be_the_symbols_row(client, exchange, body):
    exchange.get(INDEX_URL, text=body)
    with pytest.raises(errors.BadPayload):
        ask(client, "BTCUSD")


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (requests.ConnectTimeout, errors.RequestTimeout),
        (requests.ReadTimeout, errors.RequestTimeout),
        (requests.ConnectionError, errors.ConnectionFailed),
        (requests.exceptions.SSLError, errors.ConnectionFailed),
        (requests.exceptions.ChunkedEncodingError, errors.ConnectionFailed),
        (requests.exceptions.ContentDecodingError, errors.BadPayload),
        (urllib3.exceptions.LocationParseError("a..b"), errors.ConnectionFailed),
    ],
)
def test_a_failed_request_has_its_error(client, exchange, registry, raised, error):
    exchange.get(INDEX_URL, exc=raised)
    with pytest.raises(error) as caught:
        ask(client)
    assert failures(registry, caught.value.reason) == 1


def test_a_deadline_that_has_passed_sends_nothing(client, exchange):
    with pytest.raises(errors.RequestTimeout):
        client.asset_index(None, Limits(time.monotonic()))
    assert exchange.call_count == 0


def test_an_announced_body_over_the_cap_is_not_read(client, exchange):
    exchange.get(INDEX_URL, text="[]", headers={"Content-Length": "83886080"})
    with pytest.raises(errors.TooLarge):
        ask(client)


def test_a_body_over_the_cap_is_refused(client, exchange):
    exchange.get(INDEX_URL, content=b" " * 1001)
    with pytest.raises(errors.TooLarge):
        ask(client, max_body_bytes=1000)


def test_one_symbols_body_is_refused_at_a_size_that_no_row_has(client, exchange):
    exchange.get(INDEX_URL, json=ROW | {"padding": " " * 65536})
    with pytest.raises(errors.TooLarge):
        ask(client, "BTCUSD")


def test_more_rows_than_any_index_has_are_refused(client, exchange):
    names = "time bidRate askRate bidBuffer askBuffer autoExchangeBidRate autoExchangeAskRate"
    names += " autoExchangeBidBuffer autoExchangeAskBuffer"
    whole = ROW | dict.fromkeys(names.split(), "0.1")
    rows = [whole | {"symbol": f"S{number}USD"} for number in range(2001)]
    exchange.get(INDEX_URL, json=rows[:-1])
    assert len(ask(client)[0]) == 2000
    exchange.get(INDEX_URL, json=rows)
    with pytest.raises(errors.BadPayload, match="more rows"):
        ask(client)


@pytest.mark.parametrize("item", [b"{},", b"[],", b"0,"])
def test_more_values_than_any_index_has_are_not_even_decoded(client, exchange, item):
    exchange.get(INDEX_URL, content=b"[" + item * 50_000 + b"0]")
    with pytest.raises(errors.BadPayload, match="more values"):
        ask(client)


def test_more_values_than_any_exchange_info_has_are_not_even_decoded(client, exchange):
    exchange.get(INFO_URL, content=b'{"assets":[' + b"0," * 1_000_000 + b"0]}")
    with pytest.raises(errors.BadPayload, match="more values"):
        client.exchange_info(soon())


def test_refused_rows_are_counted_and_the_others_stay(client, exchange, registry):
    exchange.get(INDEX_URL, json=[ROW, ROW, 7, {"symbol": ""}, {"symbol": "X", "index": "x"}])
    rows, rejects = ask(client)
    assert [row.symbol for row in rows] == ["BTCUSD"]
    assert len(rejects) == 4
    for reason in ("duplicate", "not_an_object", "bad_symbol", "bad_value"):
        labels = {"reason": reason}
        assert registry.get_sample_value("binance_api_rejected_rows_total", labels) == 1


def test_refused_rows_are_counted_even_if_all_are_refused(client, exchange, registry):
    exchange.get(INDEX_URL, json=[7, 8])
    with pytest.raises(errors.NoUsableRow):
        ask(client)
    labels = {"reason": "not_an_object"}
    assert registry.get_sample_value("binance_api_rejected_rows_total", labels) == 2


def test_an_integer_too_long_for_python_spoils_only_its_row(client, exchange):
    body = f'[{{"symbol":"BTCUSD","index":{"9" * 5000}}},{{"symbol":"ETHUSD","index":"1.0"}}]'
    exchange.get(INDEX_URL, text=body)
    rows, rejects = ask(client)
    assert ([row.symbol for row in rows], len(rejects)) == (["ETHUSD"], 1)


def test_the_gate_learns_from_every_answer(client, exchange):
    exchange.get(INDEX_URL, status_code=503, headers={"x-mbx-used-weight-1m": "1234"})
    with pytest.raises(errors.ServerError):
        ask(client)
    assert client.gate.used_weight == 1234


def test_no_request_is_sent_while_the_gate_holds(client, exchange, capture):
    answer = capture("error_bodies")["418_ban"]
    exchange.get(INDEX_URL, status_code=418, json=answer["body"])
    with pytest.raises(errors.Banned):
        ask(client)
    for _ in range(10):
        with pytest.raises(Held):
            ask(client)
        with pytest.raises(Held):
            client.exchange_info(soon())
    assert exchange.call_count == 1


def test_cookies_are_not_kept(client, exchange):
    exchange.get(INDEX_URL, json=[ROW], headers={"Set-Cookie": "a=b; Domain=fapi.example"})
    ask(client)
    ask(client)
    assert "Cookie" not in exchange.last_request.headers


def test_the_environments_proxies_are_not_used(client, exchange, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    exchange.get(INDEX_URL, json=[ROW])
    ask(client)
    assert not exchange.last_request.proxies


def test_the_configured_proxy_and_authority_are_used(registry, exchange):
    exchange.get(INDEX_URL, json=[ROW])
    metrics = ApiMetrics(registry)
    ask(Client(BASE_URL, Gate(), metrics, proxy_url="http://p.example:3128", ca_file="ca.pem"))
    assert exchange.last_request.proxies["https"] == "http://p.example:3128"
    assert exchange.last_request.verify == "ca.pem"


def test_exchange_info_sets_the_weight_limit(client, exchange, capture):
    document = capture("exchange_info_assets_2025-08-07")
    document["rateLimits"][0]["limit"] = 6000
    exchange.get(INFO_URL, json=document)
    info = client.exchange_info(soon())
    assert info.assets["USDTUSD"].auto_exchange_threshold == -10000
    assert client.gate.weight_limit == 6000


def test_a_bad_exchange_info_is_counted_on_its_endpoint(client, exchange, registry):
    exchange.get(INFO_URL, text="{}")
    with pytest.raises(errors.BadPayload):
        client.exchange_info(soon())
    assert failures(registry, "bad_payload", "exchangeInfo") == 1


def test_a_large_exchange_info_is_not_decoded_once_more_to_look_for_an_error(client, exchange):
    exchange.get(INFO_URL, json={"code": -1016, "msg": " " * 65536})
    with pytest.raises(errors.BadPayload):
        client.exchange_info(soon())


def test_an_error_object_for_exchange_info_is_recognised(client, exchange):
    exchange.get(INFO_URL, json={"code": -1016, "msg": "no longer available"})
    with pytest.raises(errors.ErrorCode, match="error object"):
        client.exchange_info(soon())


def test_the_environments_certificates_are_trusted(registry, exchange, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ssl/own.pem")
    exchange.get(INDEX_URL, json=[ROW])
    ask(Client(BASE_URL, Gate(), ApiMetrics(registry)))
    assert exchange.last_request.verify == "/etc/ssl/own.pem"
