"""rules/collateral.yaml: its alerts, its docs, its examples."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs import alert_tables

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"
FILE = RULES / "collateral.yaml"
EXAMPLES = sorted((RULES / "examples").glob("*.yaml"))
PAGE = ROOT / "docs" / "collateral.md"

ALERTS = {
    "BinanceCollateralHaircutLoss": ["warning", "critical"],
    "BinanceCollateralAutoExchangeNear": ["warning", "critical"],
    "BinanceCollateralNegativeBalance": ["warning"],
    "BinanceCollateralWithoutPrice": ["critical"],
    "BinanceCollateralNotMargin": ["critical"],
    "BinanceCollateralHoldingLost": ["warning"],
}
"""The contract: what routes and silences of other people refer to."""


ALERT_RULES = alert_tables.alerts(FILE.name)
RECORDS = [
    rule["record"]
    for group in yaml.safe_load(FILE.read_text())["groups"]
    for rule in group["rules"]
    if "record" in rule
]


def test_alerts_are_those_of_the_contract() -> None:
    built: dict[str, list[str]] = {}
    for rule in ALERT_RULES:
        built.setdefault(rule["alert"], []).append(rule["labels"]["severity"])
    assert built == ALERTS


@pytest.mark.parametrize(
    "rule", ALERT_RULES, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}"
)
def test_alert_names_the_account_its_runbook_and_dashboard(rule: dict[str, Any]) -> None:
    assert "{{ $labels.account }}" in rule["annotations"]["summary"]
    assert rule["annotations"]["runbook_url"] == f"{alert_tables.RUNBOOKS}#{rule['alert'].lower()}"
    board, _, variables = rule["annotations"]["dashboard_url"].rpartition("/")[2].partition("?")
    assert board == json.loads((ROOT / "dashboards" / "collateral.json").read_text())["uid"]
    assert variables == "var-account={{ $labels.account }}"


def test_recorded_series_are_documented() -> None:
    documented = set(re.findall(r"`(\w+:[\w:]+)`", PAGE.read_text()))
    likewise = {
        name.replace("1_point", f"{points}_points") for name in documented for points in (5, 10, 20)
    }
    assert set(RECORDS) <= documented | likewise


def test_examples_are_linked() -> None:
    text = PAGE.read_text()
    for path in EXAMPLES:
        assert f"(../rules/examples/{path.name})" in text
