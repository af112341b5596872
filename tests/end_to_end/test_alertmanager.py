"""From an event to the message: exporter, Prometheus with our rules, Alertmanager, a receiver."""

import contextlib
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from tests.end_to_end.conftest import PATIENCE, module, running, until
from tests.end_to_end.monitoring import (
    ROOT,
    RULES,
    address,
    alertmanager_at,
    alertmanager_configuration,
    all_running,
    ask,
    faster,
    prometheus_at,
    write_faster,
)


@pytest.fixture
def servers() -> Iterator[contextlib.ExitStack]:
    """Those that end with the test."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def alertmanager(tool, receiver, servers, tmp_path) -> str:
    """A real one with deploy/alertmanager.yml, whose messages go to the receiver; its address."""
    hook, _ = receiver
    configuration = alertmanager_configuration(hook)
    folder = tmp_path / "alertmanager"
    server = alertmanager_at(address(), tool, folder, configuration, "--cluster.listen-address=")
    servers.enter_context(all_running(server))
    return server.address


@pytest.fixture
def prometheus(tool, alertmanager, servers, tmp_path):
    """Starts a real one with our rules, faster, on some exporters; gives its URL."""

    def run(*exporters):
        folder = tmp_path / "prometheus"
        write_faster(folder, *RULES)
        targets = [each.url.removeprefix("http://") for each in exporters]
        scraping = {
            "global": {"scrape_interval": "1s"},
            "rule_files": [file.name for file in RULES],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
            "scrape_configs": [
                {"job_name": "binance_asset_index", "static_configs": [{"targets": targets}]}
            ],
        }
        server = prometheus_at(address(), tool, folder, scraping)
        servers.enter_context(all_running(server))
        return server.url

    return run


def send(address: str, name: str, severity: str, instance: str) -> None:
    """An alert, as Prometheus sends it."""
    labels = {"alertname": name, "severity": severity, "job": "j", "instance": instance}
    alert = {"labels": labels, "startsAt": datetime.now(UTC).isoformat()}
    url = f"http://{address}/api/v2/alerts"
    requests.post(url, json=[alert], timeout=PATIENCE).raise_for_status()


def test_durations_are_shortened_wherever_they_are():
    rule = {"expr": "rate(x[5m] offset 1m) > y[1d:1h]", "for": "30s", "labels": {"a": "v15"}}
    assert faster(rule) == {
        "expr": "rate(x[20000ms] offset 4000ms) > y[5760000ms:240000ms]",
        "for": "2000ms",
        "labels": {"a": "v15"},
    }


def test_amtool_accepts_the_configuration(tool):
    amtool = tool("amtool", "prometheus-alertmanager")
    check = subprocess.run(
        [amtool, "check-config", ROOT / "deploy" / "alertmanager.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stdout + check.stderr


def test_a_ban_wakes_somebody(exchange, config_file, clock, receiver, prometheus):
    _, messages = receiver
    _, base_url = exchange("ban")
    clock.ahead = 200
    with running(config_file(default=module(base_url))) as exporter:
        prometheus(exporter)
        message = messages.get(timeout=3 * PATIENCE)
    (alert,) = message.alerts
    assert message.path == "critical"
    assert alert["labels"]["alertname"] == "BinanceApiBanned"
    assert alert["annotations"]["runbook_url"].endswith("#binanceapibanned")


def test_a_haircut_change_that_two_replicas_see_is_one_message(
    exchange, config_file, clock, receiver, prometheus
):
    _, messages = receiver
    _, base_url = exchange("haircut-change")
    config = config_file(default=module(base_url))
    with running(config) as one, running(config) as other:
        url = prometheus(one, other)
        # both replicas are scraped, and there is a value to compare with
        known = (
            "last_over_time(symbol_buffer:binance_asset_index_haircut:ratio[1h] offset 5s)"
            " and on () count(binance_asset_index_up == 1) == 2"
        )
        until(lambda: ask(url, known))
        clock.ahead = 70
        message = messages.get(timeout=3 * PATIENCE)
        fired = ask(url, 'ALERTS{alertstate="firing"}')
    (alert,) = message.alerts
    assert message.path == "critical"
    assert alert["annotations"]["summary"] == "BTCUSD: bid haircut 5% -> 10%."
    assert [each["metric"]["alertname"] for each in fired] == ["BinanceHaircutIncreased"]
    assert messages.empty()


@pytest.mark.parametrize("order", [("warning", "critical"), ("critical", "warning")])
def test_the_critical_alert_of_two_replicas_is_one_message_and_silences_the_warning(
    alertmanager, receiver, order
):
    _, messages = receiver
    for severity in order:
        for instance in ("a", "b"):
            send(alertmanager, "BinanceAssetIndexDown", severity, instance)
    send(alertmanager, "BinanceRowsRejected", "warning", "c")  # its turn is after the others'
    first, last = messages.get(timeout=PATIENCE), messages.get(timeout=PATIENCE)
    assert (first.path, first.instances) == ("critical", ["a", "b"])
    assert (last.path, last.instances) == ("warning", ["c"])
    assert messages.empty()


def test_a_critical_alert_that_follows_its_warning_is_delivered(alertmanager, receiver):
    _, messages = receiver
    for instance in ("a", "b"):
        send(alertmanager, "BinanceAssetIndexDown", "warning", instance)
    warning = messages.get(timeout=PATIENCE)
    assert (warning.path, warning.instances) == ("warning", ["a", "b"])
    for instance in ("a", "b"):
        send(alertmanager, "BinanceAssetIndexDown", "critical", instance)
    critical = messages.get(timeout=PATIENCE)
    assert (critical.path, critical.instances) == ("critical", ["a", "b"])


def test_a_ban_silences_the_warnings_that_follow_from_it(alertmanager, receiver):
    _, messages = receiver
    send(alertmanager, "BinanceApiBanned", "critical", "a")
    for name in ("BinanceAssetIndexDown", "BinanceApiWeightHigh", "BinanceApiRequestsFailing"):
        send(alertmanager, name, "warning", "a")
    send(alertmanager, "BinanceAssetIndexDown", "critical", "a")
    send(alertmanager, "BinanceRowsRejected", "warning", "c")  # its turn is after the others'
    received = [messages.get(timeout=PATIENCE) for _ in range(3)]
    assert {(each.alerts[0]["labels"]["alertname"], each.path) for each in received} == {
        ("BinanceApiBanned", "critical"),
        ("BinanceAssetIndexDown", "critical"),
        ("BinanceRowsRejected", "warning"),
    }
    assert messages.empty()
