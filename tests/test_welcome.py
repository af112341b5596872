import pytest

from exporter import welcome
from exporter.simulator.scenarios import SCENARIOS


def text(name="haircut-change", scheme="http", address="[::]:10198", path="/metrics") -> str:
    return welcome.text(name, SCENARIOS[name], scheme, address, path)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_says_what_happens_when_and_which_alerts_come(name):
    page = text(name)
    assert f"Demo:        {name}, " in page
    for moment, event in SCENARIOS[name].events.items():
        assert f"{moment // 60}:{moment % 60:02}  {event}" in page
    for alert in SCENARIOS[name].alerts:
        assert alert.name in page
    assert SCENARIOS[name].watch in page


def test_it_says_what_to_paste_into_prometheus():
    assert text().endswith(
        "Prometheus:  scrape_configs:\n"
        "               - job_name: binance_asset_index\n"
        '                 static_configs: [{targets: ["localhost:10198"]}]'
    )


def test_it_says_what_differs_from_the_defaults():
    page = text(scheme="https", address="10.0.0.1:99", path="/telemetry")
    assert "https://10.0.0.1:99/telemetry\n" in page
    assert "                 metrics_path: /telemetry\n                 scheme: https\n" in page
    assert 'targets: ["10.0.0.1:99"]' in page
