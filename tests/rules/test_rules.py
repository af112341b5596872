"""The rules against the contract, and their promtool tests against planted mistakes."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs import alert_tables
from exporter.metrics import catalogue

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"
RULE_FILES = [RULES / "recording.yaml", RULES / "alerts.yaml"]
TEST_FILES = [
    path
    for path in sorted((RULES / "tests").glob("*.yaml"))
    if not path.stem.startswith("collateral")  # test_collateral.py
]

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

Document = dict[str, Any]


def _load(path: Path) -> Document:
    document: Document = yaml.safe_load(path.read_text())
    return document


ALERT_RULES = alert_tables.alerts()
DASHBOARDS = {json.loads(path.read_text())["uid"] for path in (ROOT / "dashboards").glob("*.json")}
RECORDING_RULES = [rule for group in _load(RULE_FILES[0])["groups"] for rule in group["rules"]]
BY_JOB_ONLY = {"BinanceRowsRejected"}
"""Alerts with neither `symbol` nor `instance`: what is wrong is wrong for all replicas."""


@dataclass(frozen=True)
class Expectation:
    """What a promtool test says of one alert at one moment: the severities that fire."""

    alert: str
    severities: frozenset[str]


def _expectations() -> Iterator[Expectation]:
    for path in TEST_FILES:
        for group in _load(path)["tests"]:
            for each in group.get("promql_expr_test", []):
                if len(names := _alert_names(each["expr"])) == 1:
                    fired = re.findall(r'severity="(\w+)"', str(each["exp_samples"]))
                    yield Expectation(*names, frozenset(fired))


def _alert_names(expression: str) -> set[str]:
    return set(re.findall(r'alertname="(\w+)"', expression))


@pytest.fixture(scope="module")
def promtool(tool: Callable[[str, str], str]) -> str:
    return tool("promtool", "prometheus")


def test_promtool_reads_the_rules(promtool: str) -> None:
    done = subprocess.run(
        [promtool, "check", "rules", *RULE_FILES], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _promtool_tests(promtool: str, paths: Iterable[Path]) -> list[str]:
    """What promtool prints of each test file; nothing of those that pass. On all cores."""

    def run(path: Path) -> str:
        done = subprocess.run(
            [promtool, "test", "rules", path], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr if done.returncode else ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(run, paths))


def test_promtool_passes(promtool: str) -> None:
    assert _promtool_tests(promtool, TEST_FILES) == [""] * len(TEST_FILES)


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
    known = {"up", "ALERTS", *_catalogue(), *(rule["record"] for rule in RECORDING_RULES)}
    for rule in (*RECORDING_RULES, *ALERT_RULES):
        names = _names(rule["expr"])
        assert names, rule
        assert names <= known, rule


def test_recorded_series_are_documented() -> None:
    page = alert_tables.PAGE.read_text()
    for name in {rule["record"] for rule in RECORDING_RULES}:
        assert f"| `{name}" in page, name


@pytest.mark.parametrize("name", ALERTS)
def test_alert_is_seen_firing_and_not(name: str) -> None:
    mine = {each.severities for each in _expectations() if each.alert == name}
    assert frozenset().union(*mine) == ALERTS[name]
    assert frozenset() in mine


Mistake = Callable[[Document], Document | None]
"""A way to spoil a rule. None: it cannot be made in this one."""


def _eager(rule: Document) -> Document | None:
    """Thresholds 1% too low."""
    expression, count = re.subn(
        r"(>=?) (\d[\d.e-]*)", lambda match: f"{match[1]} {float(match[2]) * 0.99}", rule["expr"]
    )
    # Above zero is above zero.
    return {**rule, "expr": expression} if count and not rule["expr"].endswith("> 0") else None


def _hasty(rule: Document) -> Document | None:
    """Half the patience."""
    if "for" not in rule:
        return None
    seconds = int(rule["for"][:-1]) * {"s": 1, "m": 60}[rule["for"][-1]]
    return {**rule, "for": f"{seconds // 2}s"}


def _forgetful(rule: Document) -> Document | None:
    """A failed scrape ends it."""
    spoilt = {**rule, "expr": re.sub(r"\[(?:1h|15m|5m|90s)\]", "[1s]", rule["expr"])}
    return None if spoilt.pop("keep_firing_for", None) is None and spoilt == rule else spoilt


MISTAKES: dict[str, Mistake] = {"Eager": _eager, "Hasty": _hasty, "Forgetful": _forgetful}


def _spoilt_rules() -> tuple[Document, set[str]]:
    """The alerts with each mistake in turn, under names of their own, and these names."""
    document = _load(RULES / "alerts.yaml")
    names = set()
    for group in document["groups"]:
        spoilt = []
        for rule in group["rules"]:
            severity = rule["labels"]["severity"]
            for mistake, spoil in MISTAKES.items():
                if changed := spoil(rule):
                    name = f"{rule['alert']}{mistake}{severity.capitalize()}"
                    spoilt.append({**changed, "alert": name})
                    names.add(name)
        group["rules"] += spoilt
    return document, names


def _asked_of(name: str, each: Document) -> Document:
    """The expectation of an alert, for one of its severities alone, under the name of a mistake."""
    (alert,) = _alert_names(each["expr"])
    severity = re.findall("[A-Z][a-z]+", name)[-1].lower()
    renamed = f'alertname="{name}",severity="{severity}"'
    expression = each["expr"].replace(f'alertname="{alert}"', renamed)
    others = [
        sample
        for sample in each["exp_samples"]
        if f'severity="{severity}"' in sample["labels"] or "severity=" not in sample["labels"]
    ]
    return {**each, "expr": expression, "exp_samples": others}


def test_promtool_tests_notice_each_mistake(promtool: str, tmp_path: Path) -> None:
    """All mistakes at once: each rule that can be spoilt stands there three times more."""
    document, names = _spoilt_rules()
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(document))
    paths = []
    for path in TEST_FILES:
        if path.stem in ("scenarios", "texts", "weeks"):
            continue
        tests = _load(path)
        tests["rule_files"] = [str(RULES / "recording.yaml"), str(tmp_path / "alerts.yaml")]
        for group in tests["tests"]:
            group["promql_expr_test"] = [
                _asked_of(name, each)
                for each in group["promql_expr_test"]
                if len(alerts := _alert_names(each["expr"])) == 1
                for name in names
                if re.fullmatch(f"{min(alerts)}({'|'.join(MISTAKES)})[A-Z][a-z]+", name)
            ]
        tests["tests"] = [group for group in tests["tests"] if group["promql_expr_test"]]
        paths.append(tmp_path / path.name)
        paths[-1].write_text(yaml.safe_dump(tests))

    printed = "".join(_promtool_tests(promtool, paths))
    noticed = set(re.findall(r'expr: .*?alertname=\\"(\w+)\\"', printed))
    assert names - noticed == set()
