"""rules/collateral.yaml: its promtool tests against planted mistakes, its docs, its examples."""

import importlib.util
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

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


def _table() -> Any:
    spec = importlib.util.spec_from_file_location("table", RULES / "table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLE = _table()
ALERT_RULES = TABLE.alerts(FILE.name)
RECORDS = [
    rule["record"]
    for group in yaml.safe_load(FILE.read_text())["groups"]
    for rule in group["rules"]
    if "record" in rule
]


@pytest.fixture(scope="module")
def promtool(tool: Callable[[str, str], str]) -> str:
    return tool("promtool", "prometheus")


def _run(*command: str | Path, text: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", [FILE, *EXAMPLES], ids=lambda path: path.stem)
def test_promtool_reads_the_rules(promtool: str, path: Path) -> None:
    done = _run(promtool, "check", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_reads_the_example_of_a_textfile(promtool: str) -> None:
    text = (RULES / "examples" / "collateral.prom").read_text()
    done = _run(promtool, "check", "metrics", text=text)
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
    assert rule["annotations"]["runbook_url"] == f"{TABLE.RUNBOOKS}#{rule['alert'].lower()}"
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


def test_table_is_as_generated() -> None:
    assert PAGE.read_text() == TABLE.page(PAGE, FILE.name), "run: python rules/table.py"


def test_examples_are_linked() -> None:
    text = PAGE.read_text()
    for path in EXAMPLES:
        assert f"(../rules/examples/{path.name})" in text


# --- The worked example of the docs, computed ---------------------------------------------------


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("| \n").split("|")]


def _rows(heading: str) -> list[list[str]]:
    """The rows of the table under a header."""
    lines = PAGE.read_text().splitlines()
    start = lines.index(heading) + 2
    end = lines.index("", start)
    return [_cells(line) for line in lines[start:end]]


def _number(text: str) -> float:
    value = float(text.replace(",", "").removesuffix(" %"))
    return value / 100 if text.endswith("%") else value


def _index_row(symbol: str, price: float, before: float, after: float) -> list[dict[str, str]]:
    """The input of one symbol, whose haircut changes at 5m."""
    series = {
        "price_usd": (price, price),
        "bid_rate_usd": (price * (1 - before), price * (1 - after)),
        "ask_rate_usd": (price * (1 + before), price * (1 + after)),
        "bid_buffer_ratio": (before, after),
        "ask_buffer_ratio": (before, after),
    }
    return [
        {
            "series": f'binance_asset_index_{name}{{symbol="{symbol}"}}',
            "values": f"{first:.10g}x19 {then:.10g}x20",
        }
        for name, (first, then) in series.items()
    ]


def _expectation(time: str, name: str, labels: str, value: float, places: float) -> dict[str, Any]:
    return {
        "expr": f"round({name}{{{labels}}}, {places})",
        "eval_time": time,
        "exp_samples": [{"labels": f"{{{labels}}}", "value": value}],
    }


def test_worked_example_is_what_the_rules_compute(promtool: str, tmp_path: Path) -> None:
    *assets, account = _rows(
        "| asset | equity | index | haircut | margin value | market value | haircut cost"
        " | 5 points more |"
    )
    [(margin, shock, share)] = _rows("| margin value | shock | part of the margin value before |")
    names = ("margin_value", "market_value", "haircut_cost", "haircut_plus_5_points")
    raised = re.search(r"raises (\w+)'s haircut to ([\d.]+ %)", PAGE.read_text())
    assert raised is not None
    series: list[dict[str, str]] = []
    expected: list[dict[str, Any]] = []
    for asset, equity, price, haircut, *results in assets:
        before = _number(haircut)
        after = _number(raised[2]) if asset == raised[1] else before
        series += _index_row(f"{asset}USD", _number(price), before, after)
        holding = f'account="a",symbol="{asset}USD"'
        wallet = f"account_symbol:binance_collateral_wallet:units{{{holding}}}"
        series.append({"series": wallet, "values": f"{_number(equity)}x40"})
        expected += [
            _expectation(
                "4m",
                f"account_symbol:binance_collateral_{name}:usd",
                holding,
                _number(result),
                0.01,
            )
            for name, result in zip(names, results, strict=True)
        ]
    after_change = {"margin_value": margin, "haircut_shock": shock}
    for time, values in (
        ("4m", dict(zip(names, account[4:], strict=True))),
        ("6m", after_change),
    ):
        expected += [
            _expectation(
                time,
                f"account:binance_collateral_{name}:usd",
                'account="a"',
                _number(result),
                0.01,
            )
            for name, result in values.items()
        ]
    name = "account:binance_collateral_haircut_shock:ratio"
    expected.append(_expectation("6m", name, 'account="a"', _number(share), 0.0001))
    test = {
        "rule_files": [str(FILE)],
        "evaluation_interval": "15s",
        "tests": [{"interval": "15s", "input_series": series, "promql_expr_test": expected}],
    }
    (tmp_path / "example.yaml").write_text(yaml.safe_dump(test))
    done = _run(promtool, "test", "rules", tmp_path / "example.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


# --- Planted mistakes -----------------------------------------------------------------------------

LOST = """
          unless on (account)
          account_symbol:binance_collateral_holding_lost:bool"""
OVERRIDE = "account_symbol:binance_collateral_auto_exchange_threshold_override:units"
PART = "account_symbol:binance_collateral_margin_value:usd"


@dataclass(frozen=True)
class Mistake:
    """A change to the text of the rules, and the test file that must notice it."""

    right: str
    wrong: str
    file: str


MISTAKES = {
    "the better bid": Mistake("* min by (symbol) ({__n", "* max by (symbol) ({__n", "exchange"),
    "the better ask": Mistake("max by (symbol) ({__n", "min by (symbol) ({__n", "exchange"),
    "the better haircut": Mistake(
        "max by (symbol) (binance_asset_index_bid_b",
        "min by (symbol) (binance_asset_index_bid_b",
        "exchange",
    ),
    "the larger threshold": Mistake("min by (symbol) (abs(", "max by (symbol) (abs(", "exchange"),
    "the larger override": Mistake("0 - min by (account", "0 - max by (account", "holdings"),
    "the sign of an override": Mistake(f"(abs({OVERRIDE}))", f"({OVERRIDE})", "thresholds_vip_0_1"),
    "the larger holding": Mistake(
        "lowest\n        expr: min", "lowest\n        expr: max", "holdings"
    ),
    "everything is margin": Mistake("_asset:bool\n          *", "_asset:bool ^ 0 *", "exchange"),
    "rows that the list lacks": Mistake("  0 * (binance", "  1 + 0 * (binance", "exchange"),
    "half a row": Mistake(
        "          and on (symbol) binance_asset_index_ask_rate_usd\n", "", "holdings"
    ),
    "a sum that lacks a part": Mistake(
        f"(account_symbol:binance_collateral_equity:units unless {PART})", "vector(1)", "holdings"
    ),
    "a sum that lacks what was lost": Mistake(LOST, "", "holdings"),
    "an odd response": Mistake("max1m[1d]", "ratio[1d]", "exchange"),
    "half a day": Mistake("max1m[1d]", "max1m[12h]", "day"),
    "no rounding": Mistake("              1e-8\n", "              1e-20\n", "exchange"),
    "profit in auto-exchange": Mistake(
        "wallet:lowest\n            /", "equity:units\n            /", "holdings"
    ),
    "a haircut over 100%": Mistake(
        "clamp_max(1 - symbol:binance_collateral_long_haircut:ratio, 0.2)",
        "clamp_max(1 + symbol:binance_collateral_long_haircut:ratio, 0.2)",
        "exchange",
    ),
    "no price in an outage": Mistake(
        "\n          and on () binance_asset_index_up == 1", "", "holdings"
    ),
}


def _failures(promtool: str, tmp_path: Path, rules: str, file: str) -> str:
    """What promtool prints of a test file on changed rules."""
    (tmp_path / "collateral.yaml").write_text(rules)
    test = yaml.safe_load((RULES / "tests" / file).read_text())
    *examples, _ = test["rule_files"]
    others = [str((RULES / "tests" / example).resolve()) for example in examples]
    test["rule_files"] = [*others, str(tmp_path / "collateral.yaml")]
    (tmp_path / file).write_text(yaml.safe_dump(test))
    done = _run(promtool, "test", "rules", tmp_path / file)
    return done.stdout + done.stderr


@pytest.mark.parametrize("mistake", MISTAKES)
def test_promtool_tests_notice(promtool: str, tmp_path: Path, mistake: str) -> None:
    planted = MISTAKES[mistake]
    text = FILE.read_text()
    assert planted.right in text
    spoilt = text.replace(planted.right, planted.wrong)
    printed = _failures(promtool, tmp_path, spoilt, f"collateral_{planted.file}.yaml")
    assert "FAILED:\n" in printed
    assert "error" not in printed


def _eager(expr: str) -> str:
    return re.sub(r"(>=|<) ([\d.]+)$", lambda found: f"{found[1]} {float(found[2]) * 0.99}", expr)


ALERT_MISTAKES: dict[str, Callable[[dict[str, Any]], None]] = {
    "thresholds 1% too low": lambda rule: rule.update(expr=_eager(rule["expr"])),
    "half the patience": lambda rule: rule.update(
        {"for": f"{int(rule['for'][:-1]) * 30}s"} if "for" in rule else {}
    ),
    "a failed scrape ends it": lambda rule: (
        rule.pop("keep_firing_for", None),
        rule.update(expr=rule["expr"].replace("[1h]", "[1s]")),
    )[-1],
}


@pytest.mark.parametrize("mistake", ALERT_MISTAKES)
@pytest.mark.parametrize("severity", ["warning", "critical"])
def test_alert_tests_notice(promtool: str, tmp_path: Path, mistake: str, severity: str) -> None:
    document = yaml.safe_load(FILE.read_text())
    spoilt = set()
    for rule in document["groups"][1]["rules"]:
        before = dict(rule)
        if rule["labels"]["severity"] == severity:
            ALERT_MISTAKES[mistake](rule)
        if rule != before:
            spoilt.add(rule["alert"])
    printed = _failures(promtool, tmp_path, yaml.safe_dump(document), "collateral_alerts.yaml")
    assert spoilt
    assert spoilt - set(re.findall(r"alertname: (\w+), time:", printed)) == set()
