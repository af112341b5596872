"""Holdings from every source, and a haircut change that becomes a message: real processes."""

import contextlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from tests.end_to_end.conftest import PATIENCE, free_port, module, running, start, until

RULES = Path(__file__).parents[2] / "rules"
COLLATERAL = "collateral.yaml"
EXAMPLES = RULES / "examples"
DEPLOY = RULES.parent / "deploy"


def every_second(folder: Path, *files: Path) -> list[str]:
    """Copies of the rule files that are evaluated each second."""
    copies = []
    for file in files:
        copy = folder / file.name
        copy.write_text(re.sub(r"interval: \d+[ms]", "interval: 1s", file.read_text()))
        copies.append(str(copy))
    return copies


@contextlib.contextmanager
def prometheus_with(
    tool, folder: Path, jobs: dict[str, str], rule_files: list[str], manager: str | None = None
) -> Iterator[str]:
    """Run Prometheus on some targets until the block ends; yields its URL."""
    configuration = {
        "global": {"scrape_interval": "1s"},
        "rule_files": rule_files,
        "scrape_configs": [
            {
                "job_name": job,
                "honor_labels": job == "pushgateway",
                "static_configs": [{"targets": [target.removeprefix("http://")]}],
            }
            for job, target in jobs.items()
        ],
    }
    if manager:
        configuration["alerting"] = {
            "alertmanagers": [{"static_configs": [{"targets": [manager]}]}]
        }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [
            tool("prometheus", "prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address={address}",
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def values(prometheus: str, expr: str) -> dict[tuple[str, ...], float]:
    """The values of an expression by the values of their labels, in the order of the names."""
    answer = requests.get(f"{prometheus}/api/v1/query", {"query": expr}, timeout=PATIENCE).json()
    found = {}
    for series in answer["data"]["result"]:
        labels = {name: value for name, value in series["metric"].items() if name != "__name__"}
        assert labels.keys() <= {"account", "symbol"}
        found[tuple(labels[name] for name in sorted(labels))] = float(series["value"][1])
    return found


def test_a_haircut_change_costs_the_example_account_money_and_wakes_somebody(
    tool,
    exchange,
    clock,
    config_file,
    receiver,
    background,
    tmp_path,
):
    hook, messages = receiver
    _, base_url = exchange("haircut-change")
    manager = f"127.0.0.1:{free_port()}"
    routes = {
        "route": {"receiver": "hook", "group_by": ["alertname", "account"], "group_wait": "0s"},
        "receivers": [{"name": "hook", "webhook_configs": [{"url": hook}]}],
    }
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(routes))
    start(
        background,
        tool("prometheus-alertmanager", "prometheus-alertmanager"),
        f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'alertmanager'}",
        f"--web.listen-address={manager}",
        "--cluster.listen-address=",
    )
    until(lambda: requests.get(f"http://{manager}/-/ready", timeout=PATIENCE).ok)
    rules = every_second(tmp_path, EXAMPLES / "constant.yaml", RULES / COLLATERAL)
    with (
        running(config_file(default=module(base_url, margin_assets={"enabled": True}))) as exporter,
        running(config_file(default=module(base_url))) as without_list,
        prometheus_with(
            tool, tmp_path, {"a": exporter.url, "b": without_list.url}, rules, manager
        ) as prometheus,
    ):
        total = "account:binance_collateral_margin_value:usd"
        shock = "account:binance_collateral_haircut_shock:usd"
        before = until(lambda: values(prometheus, total))
        until(lambda: values(prometheus, shock) == {("example",): 0})
        clock.ahead = 70
        loss = until(lambda: values(prometheus, f"{shock} > 0"))
        alert, *_ = messages.get(timeout=3 * PATIENCE).alerts
        after = until(
            lambda: {
                account: value
                for account, value in values(prometheus, total).items()
                if value < 0.97 * before[account]
            }
        )
    # one of the two replicas, or both: five points of one BTC at some 64,000 USD
    assert loss == {("example",): pytest.approx(0.05 * 64_180, rel=0.05)}
    assert after == {("example",): pytest.approx(before["example",] - loss["example",], rel=0.01)}
    assert alert["labels"]["alertname"] == "BinanceCollateralHaircutLoss"
    assert alert["labels"].keys() == {"alertname", "severity", "account"}
    assert re.search(
        r" cost account example \d{4}\.\d\d USD of margin\.$", alert["annotations"]["description"]
    )


def test_a_critical_alert_silences_no_other_account(tool, background, tmp_path):
    manager = f"127.0.0.1:{free_port()}"
    start(
        background,
        tool("prometheus-alertmanager", "prometheus-alertmanager"),
        f"--config.file={DEPLOY / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'alertmanager'}",
        f"--web.listen-address={manager}",
        "--cluster.listen-address=",
    )
    url = f"http://{manager}/api/v2/alerts"
    until(lambda: requests.get(f"http://{manager}/-/ready", timeout=PATIENCE).ok)
    name = "BinanceCollateralHaircutLoss"
    firing = [("critical", "first"), ("warning", "first"), ("warning", "second")]
    alerts = [
        {"labels": {"alertname": name, "severity": severity, "account": account}}
        for severity, account in firing
    ]
    requests.post(url, json=alerts, timeout=PATIENCE).raise_for_status()

    def silenced() -> set[tuple[str, str]]:
        return {
            (alert["labels"]["severity"], alert["labels"]["account"])
            for alert in requests.get(url, timeout=PATIENCE).json()
            if alert["status"]["inhibitedBy"]
        }

    assert until(silenced) == {("warning", "first")}


def test_holdings_come_from_every_source(tool, exchange, config_file, background, tmp_path):
    textfiles = tmp_path / "textfiles"
    textfiles.mkdir()
    shutil.copy(EXAMPLES / "collateral.prom", textfiles)
    node, gateway = (f"127.0.0.1:{free_port()}" for _ in range(2))
    start(
        background,
        tool("prometheus-node-exporter", "prometheus-node-exporter"),
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={textfiles}",
        f"--web.listen-address={node}",
    )
    start(
        background,
        tool("prometheus-pushgateway", "prometheus-pushgateway"),
        f"--web.listen-address={gateway}",
    )
    comments = re.findall(r"^#   (.*)$", (EXAMPLES / "pushgateway.yaml").read_text(), re.MULTILINE)
    command = "\n".join(comments).replace("localhost:9091", gateway)
    until(lambda: requests.get(f"http://{gateway}/-/ready", timeout=PATIENCE).ok)
    subprocess.run(["/bin/sh", "-c", command], check=True)
    _, base_url = exchange("calm")
    rules = every_second(tmp_path, *sorted(EXAMPLES.glob("*.yaml")), RULES / COLLATERAL)
    with running(config_file(default=module(base_url))) as exporter:
        jobs = {"binance": exporter.url, "node": node, "pushgateway": gateway}
        with prometheus_with(tool, tmp_path, jobs, rules) as prometheus:
            total = "account:binance_collateral_margin_value:usd"
            accounts = {("example",), ("file",), ("pushed",)}
            until(lambda: values(prometheus, total).keys() == accounts)
            equity = values(prometheus, "account_symbol:binance_collateral_equity:units")
    assert equity == {
        ("example", "BTCUSD"): 1,
        ("example", "ETHUSD"): 2,
        ("example", "USDTUSD"): -3000,
        ("file", "BTCUSD"): 0.5,
        ("file", "USDTUSD"): -3850,
        ("pushed", "BTCUSD"): 0.25,
        ("pushed", "USDTUSD"): 1000,
    }
