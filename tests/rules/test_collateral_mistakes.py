"""The promtool tests of the rules on collateral notice each mistake that is planted in a record."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rules.conftest import Promtool
from tests.rules.promtool_files import RULES, Document, load, write

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


@pytest.mark.parametrize("mistake", MISTAKES)
def test_promtool_tests_notice(run_promtool: Promtool, tmp_path: Path, mistake: str) -> None:
    planted = MISTAKES[mistake]
    text = FILE.read_text()
    assert planted.right in text
    rules = tmp_path / "rules.yaml"
    rules.write_text(text.replace(planted.right, planted.wrong))
    file = RULES / "tests" / f"collateral_{planted.file}.yaml"
    test = load(file)
    *examples, _ = test["rule_files"]
    test["rule_files"] = [*(str(file.parent / example) for example in examples), str(rules)]

    def fails(scene: Document) -> bool:
        path = write(tmp_path / "test.yaml", {**test, "tests": [scene]})
        done = run_promtool("test", "rules", path)
        printed = done.stdout + done.stderr
        assert "error" not in printed
        return "FAILED:\n" in printed

    assert any(fails(scene) for scene in test["tests"])
