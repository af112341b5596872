"""The rules against the contract."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import alert_tables
from exporter.metrics import catalogue
from tests.rules.promtool_files import RULES, Document, load

ROOT = Path(__file__).parents[2]
RULE_FILES = [RULES / "recording.yaml", RULES / "alerts.yaml"]
TEST_FILES = sorted(RULES.glob("tests/*.yaml"))

ALERTS = {
    "BinanceAssetIndexDown": {"warning", "critical"},
    "BinanceAssetIndexStale": {"warning", "critical"},
    "BinanceAssetIndexUnchanged": {"warning", "critical"},
    "BinanceHaircutIncreased": {"warning", "critical"},
    "BinanceHaircutDecreased": {"info"},
    "BinanceMarginAssetAdded": {"info"},
    "BinanceMarginAssetRemoved": {"critical"},
    "BinanceMarginAssetWithoutIndex": {"warning"},
    "BinanceStablecoinDepegged": {"warning", "critical"},
    "BinanceStablecoinUnnamed": {"info"},
    "BinanceUsdtOffParity": {"warning", "critical"},
    "BinanceYieldTokenDrawdown": {"warning", "critical"},
    "BinanceIndexDropped": {"warning", "critical"},
    "BinanceHaircutSpreadUnusual": {"warning"},
    "BinanceRateFormulaMismatch": {"warning"},
    "BinanceApiWeightHigh": {"warning", "critical"},
    "BinanceApiBanned": {"critical"},
    "BinanceApiRequestsFailing": {"warning"},
    "BinanceRowsRejected": {"warning"},
    "BinanceExporterConfigReloadFailed": {"warning"},
}
"""The contract: what routes and silences of other people refer to."""

ALERT_RULES = alert_tables.alerts()
DASHBOARDS = {json.loads(path.read_text())["uid"] for path in (ROOT / "dashboards").glob("*.json")}
RECORDING_RULES = [rule for group in load(RULE_FILES[0])["groups"] for rule in group["rules"]]
BY_JOB_ONLY = {"BinanceRowsRejected"}
"""Alerts with neither `symbol` nor `instance`: what is wrong is wrong for all replicas."""


def test_alerts_are_those_of_the_contract() -> None:
    built: dict[str, set[str]] = {}
    for rule in ALERT_RULES:
        severities = built.setdefault(rule["alert"], set())
        assert rule["labels"]["severity"] not in severities
        severities.add(rule["labels"]["severity"])
    assert built == ALERTS


@pytest.mark.parametrize(
    "rule", ALERT_RULES, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}"
)
def test_annotations_name_what_and_link_to_help(rule: Document) -> None:
    annotations = rule["annotations"]
    assert set(annotations) == {"summary", "description", "runbook_url", "dashboard_url"}
    assert annotations["summary"].endswith(".")
    subject = re.search(r"\$(labels\.(symbol|instance)|value)\b", annotations["summary"])
    assert subject, "a summary names the symbol or the instance, and numbers"
    assert annotations["runbook_url"] == f"{alert_tables.RUNBOOKS}#{rule['alert'].lower()}"
    board = re.match(r"http://localhost:3000/d/([\w-]+)\?var-job=", annotations["dashboard_url"])
    assert board
    assert board[1] in DASHBOARDS


def test_one_event_is_one_alert_whatever_the_number_of_replicas() -> None:
    """An alert about the index has no instance in it, one about an exporter has one."""
    for rule in ALERT_RULES:
        texts = str(rule["annotations"])
        about = "symbol" if "$labels.symbol" in texts else "instance"
        if rule["alert"] not in BY_JOB_ONLY:
            assert f"$labels.{about}" in texts, rule["alert"]
    for rule in RECORDING_RULES:
        if rule["record"].startswith(("symbol", "job:")):
            expression = rule["expr"].replace("count_values without ()", "")
            assert "without (" not in expression, rule["record"]


def _names(expression: str) -> set[str]:
    """The metric names of an expression; of a pattern, those of the catalogue that it matches."""
    catalogue = set(_catalogue())
    names: set[str] = set()
    for pattern in re.findall(r'__name__=~"([^"]+)"', expression):
        matched = {name for name in catalogue if re.fullmatch(pattern, name)}
        assert matched, pattern
        names |= matched
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]', " ", expression)
    return names | set(re.findall(r"\b(?:up|\w*binance_\w*(?::\w+)?|\w+:binance_[\w:]+)\b", bare))


def _catalogue() -> Iterator[str]:
    yield from (spec.name for spec in catalogue.INDEX.values())
    yield from (spec.name for spec in vars(catalogue).values() if isinstance(spec, catalogue.Spec))


def test_metric_names_exist() -> None:
    known = {"up", "ALERTS", *_catalogue(), *(rule["record"] for rule in RECORDING_RULES)}
    for rule in (*RECORDING_RULES, *ALERT_RULES):
        names = _names(rule["expr"])
        assert names, rule
        assert names <= known, rule


def test_recorded_series_are_documented() -> None:
    page = alert_tables.PAGE.read_text()
    for name in {rule["record"] for rule in RECORDING_RULES}:
        assert f"| `{name}" in page, name


@pytest.fixture(scope="module")
def severities_seen() -> dict[str, list[set[str]]]:
    """By alert: the severities that fire, at each moment that a promtool test is about."""
    seen: dict[str, list[set[str]]] = {}
    for path in TEST_FILES:
        for scene in load(path)["tests"]:
            for each in scene.get("promql_expr_test", ()):
                alerts = set(re.findall(r'alertname="(\w+)"', each["expr"]))
                if len(alerts) == 1:
                    fired = set(re.findall(r'severity="(\w+)"', str(each["exp_samples"])))
                    seen.setdefault(alerts.pop(), []).append(fired)
    return seen


@pytest.mark.parametrize("name", ALERTS)
def test_alert_is_seen_firing_and_not(
    severities_seen: dict[str, list[set[str]]], name: str
) -> None:
    seen = severities_seen[name]
    assert set().union(*seen) == ALERTS[name]
    assert set() in seen
