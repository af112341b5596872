import asyncio
import gzip
import threading
import time
from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from exporter.config.file import ConfigError
from exporter.service import Service
from exporter.web.app import App, Options, scrape_timeout
from exporter.web.reloader import Reloader
from tests.stand_ins import BASE_URL, Configuration, module

INDEX_URL = f"{BASE_URL}/fapi/v1/assetIndex"
ROWS = [
    {"symbol": "BTCUSD", "index": "61475.02720330"},
    {"symbol": "USDTUSD", "index": "0.99884101"},
]


@pytest.fixture
def configuration() -> Configuration:
    return Configuration()


@pytest.fixture
def app(configuration) -> App:
    registry = CollectorRegistry()
    service = Service(configuration.load, registry)
    reloader = Reloader([service.reload], lambda: None)
    reloader.start()
    return App(service, registry, Options(max_requests=2), reloader.request)


@pytest.fixture
def client(app) -> TestClient:
    return TestClient(app.asgi)


@pytest.fixture
def exchange(requests_mock):
    requests_mock.get(INDEX_URL, json=ROWS)
    requests_mock.get(f"{INDEX_URL}?symbol=BTCUSD", json=ROWS[0])
    return requests_mock


def samples(page: str) -> dict[tuple[str, str], float]:
    """By name and symbol."""
    return {
        (sample.name, sample.labels.get("symbol", "")): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_metrics_are_the_default_module_and_the_exporters_own(client, exchange):
    page = samples(client.get("/metrics").text)
    assert page["binance_asset_index_price_usd", "BTCUSD"] == 61475.0272033
    assert page["binance_asset_index_up", ""] == 1
    assert page["binance_asset_index_scrape_symbols", ""] == 2
    assert ("binance_api_used_weight", "") in page


def test_the_counters_on_a_page_include_its_own_fetch(client, exchange):
    text = client.get("/metrics").text
    assert 'binance_api_requests_total{endpoint="assetIndex"} 1.0' in text


def test_a_failed_fetch_is_an_honest_page(client, exchange):
    exchange.get(INDEX_URL, status_code=503)
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert samples(answer.text)["binance_asset_index_up", ""] == 0
    assert "binance_asset_index_price_usd" not in answer.text


def test_a_probe_has_the_modules_index_and_nothing_of_the_exporter(client, exchange):
    text = client.get("/probe?module=btc").text
    assert [symbol for name, symbol in samples(text) if symbol] == ["BTCUSD"]
    assert "binance_api_" not in text


def test_a_probes_symbols_replace_the_modules(client, exchange):
    client.get("/probe?module=default&symbol=BTCUSD")
    assert exchange.last_request.query == "symbol=btcusd"


def test_a_probe_without_module_is_of_the_default_one(client, exchange):
    assert len(samples(client.get("/probe").text)) == 2 + 5


def test_of_several_modules_the_first_counts(client, exchange):
    assert client.get("/probe?module=nope&module=default").status_code == 400
    assert client.get("/probe?module=default&module=nope").status_code == 200


def test_an_unknown_module_is_refused_in_a_sentence(client):
    answer = client.get("/probe?module=eth")
    assert (answer.status_code, answer.text) == (
        400,
        "unknown module 'eth': expected one of default, btc\n",
    )


@pytest.mark.parametrize("symbol", ["", "%20", "btc%0ausd", "A" * 65, "BTC-USD", "%ff"])
def test_a_malformed_symbol_is_refused_in_a_sentence(client, exchange, symbol):
    answer = client.get(f"/probe?symbol={symbol}")
    assert answer.status_code == 400
    assert "expected one as Binance writes it, such as BTCUSD" in answer.text
    assert exchange.call_count == 0


@pytest.mark.parametrize("path", ["/-/healthy", "/-/ready", "/config"])
def test_some_paths_answer_without_a_fetch(client, exchange, path):
    assert client.get(path).status_code == 200
    assert exchange.call_count == 0


def test_ready_turns_503_while_shutting_down(app, client):
    app.stopping = True
    assert client.get("/-/ready").status_code == 503
    assert client.get("/-/healthy").status_code == 200


def test_the_status_page_is_a_fetch(client, exchange):
    assert "61,475.03" in client.get("/").text
    assert exchange.call_count == 1


def test_the_cached_status_page_shows_what_the_last_scrape_fetched_without_a_request(
    client, exchange
):
    assert "waiting for the first scrape" in client.get("/?cached").text
    assert exchange.call_count == 0
    client.get("/metrics")
    assert "61,475.03" in client.get("/?cached").text
    assert exchange.call_count == 1


def test_a_probe_of_one_symbol_is_not_what_the_cached_status_page_shows(client, exchange):
    client.get("/probe?symbol=BTCUSD")
    assert "waiting for the first scrape" in client.get("/?cached").text


def test_after_a_failure_the_status_page_still_has_the_last_good_values(client, exchange):
    client.get("/metrics")
    exchange.get(INDEX_URL, status_code=503)
    for path in ("/", "/?cached"):
        page = client.get(path).text
        assert "they are not current" in page
        assert "61,475.03" in page


def test_a_reload_keeps_what_the_status_page_knows(client, exchange, configuration):
    client.get("/metrics")
    configuration.modules(new=module())
    client.post("/-/reload")
    assert "61,475.03" in client.get("/?cached").text


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/-/status.css", "text/css; charset=utf-8"),
        ("/-/status.js", "text/javascript; charset=utf-8"),
    ],
)
def test_the_files_of_the_status_page_cost_no_fetch(client, exchange, path, content_type):
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
    assert len(answer.text) > 1000
    assert exchange.call_count == 0


def test_the_status_page_may_load_nothing_from_elsewhere(client, exchange):
    policy = client.get("/").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/metrics", "/probe", "/config", "/-/healthy", "/-/ready"])
def test_other_methods_get_405(client, path, method):
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD"}


def test_a_reload_must_be_a_post_or_put(client):
    assert client.get("/-/reload").status_code == 405


@pytest.mark.parametrize("path", ["/nope", "/metrics/", "/-/", "/probe/x"])
def test_unknown_paths_get_404(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (404, "Not Found.\n")


@pytest.mark.parametrize("path", ["/", "/metrics", "/probe", "/config", "/-/healthy"])
def test_head_is_get_without_a_body(client, exchange, path):
    head = client.head(path)
    assert head.status_code == 200
    assert head.headers["Content-Type"] == client.get(path).headers["Content-Type"]


def test_the_format_is_negotiated(client, exchange):
    answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")


def test_gzip_is_negotiated(app, exchange):
    with TestClient(app.asgi).stream(
        "GET", "/metrics", headers={"Accept-Encoding": "gzip"}
    ) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert b"binance_asset_index_up 1" in gzip.decompress(b"".join(answer.iter_raw()))


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_reload_takes_the_new_configuration_into_use(client, configuration, method):
    configuration.modules(new=module())
    assert client.request(method, "/-/reload").status_code == 200
    assert "new:" in client.get("/config").text


def test_a_refused_reload_says_why_and_keeps_the_old_one(client, exchange, configuration, tmp_path):
    before = client.get("/config").text
    configuration.refused = ConfigError(tmp_path / "config.yaml", [])
    answer = client.post("/-/reload")
    assert answer.status_code == 500
    assert client.get("/config").text == before
    page = samples(client.get("/metrics").text)
    assert page["binance_asset_index_exporter_config_last_reload_successful", ""] == 0


def test_scrapes_over_the_limit_get_503_at_once(app, exchange):
    may_answer, asked = threading.Event(), threading.Semaphore(0)

    def answer(*_):
        asked.release()
        may_answer.wait(10)
        return ROWS[0]

    exchange.get(f"{INDEX_URL}?symbol=BTCUSD", json=answer)
    statuses = []
    with TestClient(app.asgi) as client:

        def scrape() -> None:
            statuses.append(client.get("/probe?symbol=BTCUSD").status_code)

        threads = [threading.Thread(target=scrape) for _ in range(2)]
        threads[0].start()
        asked.acquire()
        threads[1].start()
        while app.scrapes_running < 2:
            threading.Event().wait(0.005)
        assert client.get("/metrics").status_code == 503
        assert client.get("/-/healthy").status_code == 200
        may_answer.set()
        for thread in threads:
            thread.join()
    assert statuses == [200, 200]
    assert app.scrapes_running == 0


def test_at_the_end_a_scrape_waits_no_longer_also_one_that_comes_then(app, client, exchange):
    may_answer = threading.Event()
    exchange.get(INDEX_URL, json=lambda *_: may_answer.wait(10) and ROWS)

    async def end() -> None:
        app.end_scrapes()

    asyncio.run(end())
    assert samples(client.get("/metrics").text)["binance_asset_index_up", ""] == 0
    may_answer.set()


@pytest.mark.parametrize(
    ("header", "offset", "expected"),
    [
        ("", 0.5, 5),
        ("10", 0.5, 5),
        ("3", 0.5, 2.5),
        ("0.6", 0.5, pytest.approx(0.1)),
        ("0.4", 0.5, 0.2),  # an offset over the timeout leaves half of it, not nothing
        ("0.5", 0.5, 0.25),
        ("nan", 0.5, 5),
        ("inf", 0.5, 5),
        ("-1", 0.5, 5),
        ("0", 0.5, 5),
        ("ten", 0.5, 5),
        ("1_0", 0.5, 5),
        ("3", 0, 3),
    ],
)
def test_a_scrape_ends_before_prometheus_gives_up(header, offset, expected):
    assert scrape_timeout(5, header, offset) == expected


def test_the_end_comes_also_in_the_moment_in_which_a_scrape_expires(app):
    async def scenario() -> str:
        loop = asyncio.get_running_loop()
        waiter = SimpleNamespace(
            future=Future(), at_most=lambda timeout: timeout, give_up=lambda: "given up"
        )
        scrape = asyncio.create_task(app._wait(waiter, 0.001))
        await asyncio.sleep(0)
        ended = loop.create_future()
        loop.call_later(0.002, lambda: ended.set_result(app.end_scrapes()))
        time.sleep(0.003)
        await asyncio.wait_for(ended, 10)
        return await scrape

    assert asyncio.run(scenario()) == "given up"


def test_a_fetch_that_ends_after_the_server_is_nothing_to_report(app, caplog):
    future = Future()
    waiter = SimpleNamespace(future=future, at_most=lambda _: 0, give_up=lambda: "given up")
    assert asyncio.run(app._wait(waiter, 5)) == "given up"
    future.set_result("late")
    assert not caplog.records
