"""A real Prometheus scrapes what the ServiceMonitor says, configured as the operator does it."""

import contextlib
import re
import subprocess

import pytest
import requests
import yaml

from tests.deploy.kubernetes import CHART, helm, objects, run, the
from tests.end_to_end.conftest import PATIENCE, free_port, running, until

SERVICE = "x-binance-asset-index-exporter"
CONFIG = {"modules": {"default": {}, "btc": {"symbols": ["BTCUSD"]}}}
MONITOR = {
    "enabled": True,
    "interval": "1s",
    "scrapeTimeout": "900ms",
    "modules": [{"name": "btc"}],
}


def snake_case(settings):
    return {re.sub("[A-Z]", lambda up: f"_{up[0].lower()}", key): settings[key] for key in settings}


def scrape_configs(found, target):
    """What the operator makes of a ServiceMonitor, but for the discovery of targets."""
    service = the("Service", found)["metadata"]["name"]
    for number, endpoint in enumerate(the("ServiceMonitor", found)["spec"]["endpoints"]):
        yield {
            "job_name": f"serviceMonitor/{number}",
            "scheme": endpoint["scheme"],
            "metrics_path": endpoint["path"],
            "params": endpoint.get("params", {}),
            "scrape_interval": endpoint["interval"],
            "scrape_timeout": endpoint["scrapeTimeout"],
            "static_configs": [{"targets": [target]}],
            "relabel_configs": [
                {"target_label": "job", "replacement": service},
                {"target_label": "endpoint", "replacement": endpoint["port"]},
                *map(snake_case, endpoint["relabelings"]),
            ],
        }


@contextlib.contextmanager
def prometheus(program, folder, scrapes):
    """Run Prometheus; gives a function that returns the labels of a query's result."""
    file, address = folder / "prometheus.yml", f"127.0.0.1:{free_port()}"
    file.write_text(yaml.safe_dump({"scrape_configs": scrapes}))
    flags = (f"--config.file={file}", f"--storage.tsdb.path={folder}/data")
    process = subprocess.Popen(
        (program, *flags, f"--web.listen-address={address}"), stderr=subprocess.DEVNULL
    )

    def ask(expression):
        url = f"http://{address}/api/v1/query"
        answer = requests.get(url, params={"query": expression}, timeout=PATIENCE).json()
        return [each["metric"] for each in answer["data"]["result"]]

    try:
        yield ask
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture
def query(tool, tmp_path):
    """Asks a Prometheus that scrapes an exporter with two modules."""
    program = tool("prometheus", "prometheus")
    values, config = tmp_path / "values.yaml", tmp_path / "config.yaml"
    values.write_text(yaml.safe_dump({"serviceMonitor": MONITOR}))
    config.write_text(yaml.safe_dump(CONFIG))
    found = objects(run(helm(4), "template", "x", CHART, "--values", values))
    with running("--demo", f"--config.file={config}") as exporter:
        scrapes = [*scrape_configs(found, exporter.url.removeprefix("http://"))]
        with prometheus(program, tmp_path, scrapes) as ask:
            yield ask


def test_every_module_is_a_job_and_no_label_is_taken(query):
    up = until(lambda: len(found := query("binance_asset_index_up == 1")) == 2 and found)
    assert {each["job"] for each in up} == {SERVICE, f"{SERVICE}-btc"}
    (btc,) = query(f'binance_asset_index_price_usd{{job="{SERVICE}-btc"}}')
    assert btc["symbol"] == "BTCUSD"
    endpoints = {each["endpoint"] for each in query("binance_api_requests_total")}
    assert endpoints == {"assetIndex", "exchangeInfo"}
    assert query('{exported_endpoint=~".+"}') == []
