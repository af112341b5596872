"""Whole pages of GET /metrics, as Prometheus gets them."""

import re

import pytest
from prometheus_client import CollectorRegistry, disable_created_metrics, enable_created_metrics
from starlette.testclient import TestClient

from exporter.service import Service
from exporter.web.app import App, Options
from tests.stand_ins import BASE_URL, Configuration

INDEX_URL = f"{BASE_URL}/fapi/v1/assetIndex"
LISTS = ("asset_index_list_2024-06-28", "asset_index_list_2026-07-20_coin_m_rows")

_DIFFERS = re.compile(
    r"^binance_(asset_index_(scrape_duration_seconds|fetch_timestamp_seconds)"
    r"|asset_index_exporter_config_last_reload_success_timestamp_seconds"
    r"|api_request_duration_seconds_(bucket|sum)).*\n",
    re.MULTILINE,
)


@pytest.fixture
def page():
    """Gives the page of a new process without the numbers that differ from run to run."""
    disable_created_metrics()
    registry = CollectorRegistry()
    service = Service(Configuration().load, registry)
    app = App(service, registry, Options(), pytest.fail)
    with TestClient(app.asgi) as client:
        yield lambda: _DIFFERS.sub("", client.get("/metrics").text)
    enable_created_metrics()


@pytest.mark.parametrize("name", LISTS)
def test_a_capture_gives_its_golden_page(page, requests_mock, testdata, golden, name):
    body = (testdata / "captures" / f"{name}.json").read_bytes()
    requests_mock.get(INDEX_URL, content=body)
    golden(f"{name}.prom", page())


def test_a_failed_fetch_gives_its_golden_page(page, requests_mock, golden):
    requests_mock.get(INDEX_URL, status_code=503)
    golden("failed_fetch.prom", page())
