"""From a ban to the message: exporter, Prometheus with our rules, Alertmanager, a receiver."""

from pathlib import Path

import requests
import yaml

from tests.end_to_end.conftest import PATIENCE, free_port, module, running, start, until

RULES = Path(__file__).parent.parent.parent / "rules"


def test_a_ban_wakes_somebody(tool, exchange, config_file, clock, receiver, background, tmp_path):
    prometheus = tool("prometheus", "prometheus")
    alertmanager = tool("prometheus-alertmanager", "prometheus-alertmanager")
    hook, alerts = receiver
    _, base_url = exchange("ban")
    clock.ahead = 200
    manager = f"127.0.0.1:{free_port()}"
    with running(config_file(default=module(base_url))) as exporter:
        routes = {
            "route": {"receiver": "hook", "group_by": ["alertname"], "group_wait": "0s"},
            "receivers": [{"name": "hook", "webhook_configs": [{"url": hook}]}],
        }
        target = exporter.url.removeprefix("http://")
        scraping = {
            "global": {"scrape_interval": "1s"},
            "rule_files": [str(RULES / "recording.yaml"), str(RULES / "alerts.yaml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [manager]}]}]},
            "scrape_configs": [
                {
                    "job_name": "binance_asset_index",
                    "static_configs": [{"targets": [target]}],
                }
            ],
        }
        (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(routes))
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(scraping))
        start(
            background,
            alertmanager,
            f"--config.file={tmp_path / 'alertmanager.yml'}",
            f"--storage.path={tmp_path / 'alertmanager'}",
            f"--web.listen-address={manager}",
            "--cluster.listen-address=",
        )
        until(lambda: requests.get(f"http://{manager}/-/ready", timeout=PATIENCE).ok)
        start(
            background,
            prometheus,
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{free_port()}",
        )
        alert = alerts.get(timeout=3 * PATIENCE)
    assert alert["labels"]["alertname"] == "BinanceApiBanned"
    assert alert["labels"]["severity"] == "critical"
    assert alert["annotations"]["runbook_url"].endswith("#binanceapibanned")
