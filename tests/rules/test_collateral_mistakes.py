"""The promtool tests of rules/collateral.yaml notice planted mistakes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rules.conftest import Promtool

RULES = Path(__file__).parents[2] / "rules"
FILE = RULES / "collateral.yaml"

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


def _failures(run_promtool: Promtool, tmp_path: Path, rules: str, file: str) -> str:
    """What promtool prints of a test file on changed rules."""
    (tmp_path / "collateral.yaml").write_text(rules)
    test = yaml.safe_load((RULES / "tests" / file).read_text())
    *examples, _ = test["rule_files"]
    others = [str((RULES / "tests" / example).resolve()) for example in examples]
    test["rule_files"] = [*others, str(tmp_path / "collateral.yaml")]
    (tmp_path / file).write_text(yaml.safe_dump(test))
    done = run_promtool("test", "rules", tmp_path / file)
    return done.stdout + done.stderr


@pytest.mark.parametrize("mistake", MISTAKES)
def test_promtool_tests_notice(run_promtool: Promtool, tmp_path: Path, mistake: str) -> None:
    planted = MISTAKES[mistake]
    text = FILE.read_text()
    assert planted.right in text
    spoilt = text.replace(planted.right, planted.wrong)
    printed = _failures(run_promtool, tmp_path, spoilt, f"collateral_{planted.file}.yaml")
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
def test_alert_tests_notice(
    run_promtool: Promtool, tmp_path: Path, mistake: str, severity: str
) -> None:
    document = yaml.safe_load(FILE.read_text())
    spoilt = set()
    for rule in document["groups"][1]["rules"]:
        before = dict(rule)
        if rule["labels"]["severity"] == severity:
            ALERT_MISTAKES[mistake](rule)
        if rule != before:
            spoilt.add(rule["alert"])
    printed = _failures(run_promtool, tmp_path, yaml.safe_dump(document), "collateral_alerts.yaml")
    assert spoilt
    assert spoilt - set(re.findall(r"alertname: (\w+), time:", printed)) == set()
