import re
import threading
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from exporter.binance.errors import REASONS
from exporter.simulator.scenarios import SCENARIOS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_program_runs(requests_mock, capture):
    row = capture("asset_index_list_2024-06-28")[0]
    requests_mock.get("https://fapi.binance.com/fapi/v1/assetIndex", json=row)
    requests_mock.get(
        "https://fapi.binance.com/fapi/v1/exchangeInfo",
        json=capture("exchange_info_assets_2025-08-07"),
    )
    names: dict[str, CollectorRegistry] = {}
    exec(blocks("python")[0], names)
    page = generate_latest(names["registry"]).decode()
    for thread in threading.enumerate():
        if thread.name == "margin-assets":
            thread.join()  # it must not outlive the exchange that stands in
    assert 'binance_asset_index_price_usd{symbol="BTCUSD"} 61475.0272033' in page


@pytest.mark.parametrize("block", blocks("yaml"))
def test_the_snippets_are_yaml(block):
    assert yaml.safe_load(block)


def test_every_link_leads_to_a_file():
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("name", [*REASONS, *SCENARIOS])
def test_every_reason_and_scenario_is_named(name):
    assert f"`{name}`" in README
