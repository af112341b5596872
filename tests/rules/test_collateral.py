"""rules/collateral.yaml: its alerts, its docs, its examples."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs import alert_tables
from tests.rules.conftest import Promtool

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


@pytest.mark.parametrize("path", [FILE, *EXAMPLES], ids=lambda path: path.stem)
def test_promtool_reads_the_rules(run_promtool: Promtool, path: Path) -> None:
    done = run_promtool("check", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_reads_the_example_of_a_textfile(run_promtool: Promtool) -> None:
    text = (RULES / "examples" / "collateral.prom").read_text()
    done = run_promtool("check", "metrics", text=text)
    assert done.returncode == 0, done.stdout + done.stderr


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


def test_runbooks_are_complete() -> None:
    text = (ROOT / "docs" / "runbooks.md").read_text()
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == list(ALERTS)
    for name, body in sections.items():
        parts = re.findall(r"^\*\*(.+?)\.\*\* \S", body, re.MULTILINE)
        assert parts == ["Meaning", "Impact", "How to check", "What to do"], name


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
