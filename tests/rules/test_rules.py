"""The rules against the contract, and their promtool tests against planted mistakes."""

import importlib.util
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.metrics import catalogue

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"
RULE_FILES = [RULES / "recording.yaml", RULES / "alerts.yaml"]
TEST_FILES = sorted((RULES / "tests").glob("*.yaml"))

ALERTS = {
    "BinanceAssetIndexDown": {"warning", "critical"},
    "BinanceAssetIndexStale": {"warning", "critical"},
    "BinanceHaircutIncreased": {"warning", "critical"},
    "BinanceHaircutDecreased": {"info"},
    "BinanceMarginAssetAdded": {"info"},
    "BinanceMarginAssetRemoved": {"critical"},
    "BinanceMarginAssetWithoutIndex": {"warning"},
    "BinanceStablecoinDepegged": {"warning", "critical"},
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

Document = dict[str, Any]


def _load(path: Path) -> Document:
    document: Document = yaml.safe_load(path.read_text())
    return document


def _table() -> Any:
    spec = importlib.util.spec_from_file_location("table", RULES / "table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLE = _table()
ALERT_RULES = TABLE.alerts()
RECORDING_RULES = [rule for group in _load(RULE_FILES[0])["groups"] for rule in group["rules"]]
ALERT_TESTS = [
    alert_test
    for path in TEST_FILES
    for group in _load(path)["tests"]
    for alert_test in group.get("alert_rule_test", [])
]


@pytest.fixture(scope="module")
def promtool(tool: Callable[[str, str], str]) -> str:
    return tool("promtool", "prometheus")


def test_promtool_reads_the_rules(promtool: str) -> None:
    done = subprocess.run(
        [promtool, "check", "rules", *RULE_FILES], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.stem)
def test_promtool_passes(promtool: str, path: Path) -> None:
    done = subprocess.run(
        [promtool, "test", "rules", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


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
def test_alert_tells_what_is_needed(rule: Document) -> None:
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    summary = rule["annotations"]["summary"]
    assert re.fullmatch(r"[A-Z][^.{}]+\.", summary), "one static sentence"
    assert "{{ $labels." in rule["annotations"]["description"]
    assert rule["annotations"]["runbook_url"] == f"{TABLE.RUNBOOKS}#{rule['alert'].lower()}"


def test_runbooks_are_complete() -> None:
    text = (ROOT / "docs" / "runbooks.md").read_text()
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == list(ALERTS)
    for name, body in sections.items():
        parts = re.findall(r"^\*\*(.+?)\.\*\* \S", body, re.MULTILINE)
        assert parts == ["Meaning", "Impact", "How to check", "What to do"], name


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
    known = {"up", *_catalogue(), *(rule["record"] for rule in RECORDING_RULES)}
    for rule in (*RECORDING_RULES, *ALERT_RULES):
        names = _names(rule["expr"])
        assert names, rule
        assert names <= known, rule


def test_recorded_series_are_documented() -> None:
    page = TABLE.PAGE.read_text()
    for name in {rule["record"] for rule in RECORDING_RULES}:
        assert f"| `{name}" in page, name


def test_table_is_as_generated() -> None:
    assert TABLE.PAGE.read_text() == TABLE.page(), "run: python rules/table.py"


@pytest.mark.parametrize("name", ALERTS)
def test_alert_is_seen_firing_and_not(name: str) -> None:
    mine = [
        alert_test["exp_alerts"] for alert_test in ALERT_TESTS if alert_test["alertname"] == name
    ]
    fired = {alert["exp_labels"]["severity"] for expected in mine for alert in expected}
    assert fired == ALERTS[name]
    assert [] in mine


@dataclass(frozen=True)
class Mistake:
    """A way to spoil a rule. `None`: it cannot be made in this one."""

    name: str
    spoil: Callable[[Document], Document | None]


def _eager(rule: Document) -> Document | None:
    """Thresholds 1% too low."""
    expression, count = re.subn(
        r"(>=?) ([\d.e-]+)", lambda match: f"{match[1]} {float(match[2]) * 0.99}", rule["expr"]
    )
    # Above zero is above zero.
    return {**rule, "expr": expression} if count and not rule["expr"].endswith("> 0") else None


def _hasty(rule: Document) -> Document | None:
    """Half the patience."""
    if "for" not in rule:
        return None
    return {**rule, "for": f"{int(rule['for'][:-1]) * 30}s"}


def _forgetful(rule: Document) -> Document | None:
    """A failed scrape ends it."""
    spoilt = {**rule, "expr": re.sub(r"\[(?:1h|15m|5m)\]", "[1s]", rule["expr"])}
    return None if spoilt.pop("keep_firing_for", None) is None and spoilt == rule else spoilt


MISTAKES = [Mistake("eager", _eager), Mistake("hasty", _hasty), Mistake("forgetful", _forgetful)]


@pytest.mark.parametrize("critical", [False, True], ids=["others", "critical"])
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_promtool_tests_notice(
    promtool: str, tmp_path: Path, mistake: Mistake, critical: bool
) -> None:
    document = _load(RULES / "alerts.yaml")
    spoilt: set[str] = set()
    for group in document["groups"]:
        for index, rule in enumerate(group["rules"]):
            if (rule["labels"]["severity"] == "critical") == critical:
                changed = mistake.spoil(rule)
                if changed is not None:
                    group["rules"][index] = changed
                    spoilt.add(rule["alert"])
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(document))

    paths = []
    for path in TEST_FILES:
        tests = _load(path)
        tests["rule_files"] = [str(RULES / "recording.yaml"), str(tmp_path / "alerts.yaml")]
        tests["tests"] = [
            {**group, "promql_expr_test": [], "alert_rule_test": mine}
            for group in tests["tests"]
            if (mine := [t for t in group.get("alert_rule_test", []) if t["alertname"] in spoilt])
        ]
        if tests["tests"] and path.stem != "scenarios":
            paths.append(tmp_path / path.name)
            paths[-1].write_text(yaml.safe_dump(tests))

    def run(path: Path) -> str:
        done = subprocess.run(
            [promtool, "test", "rules", path], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        printed = "".join(pool.map(run, paths))
    noticed = set(re.findall(r"alertname: (\w+), time:", printed))
    assert spoilt - noticed == set()
