"""The worked example of docs/collateral.md: the rules compute every number of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.rules.conftest import Promtool

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules" / "collateral.yaml"
TEXT = (ROOT / "docs" / "collateral.md").read_text()

BEFORE, AFTER = "4m", "6m"
"""Moments on either side of the change, which is at 5m."""
RESULTS = ("margin_value", "market_value", "haircut_cost", "haircut_plus_5_points")

Documents = list[dict[str, Any]]


def _rows(header: str) -> list[list[str]]:
    """The rows of the table under a header."""
    lines = TEXT.splitlines()
    start = lines.index(header) + 2
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines[start : lines.index("", start)]
    ]


def _number(text: str) -> float:
    value = float(text.replace(",", "").removesuffix(" %"))
    return value / 100 if text.endswith("%") else value


def _series(name: str, labels: str, before: float, after: float | None = None) -> dict[str, str]:
    then = before if after is None else after
    return {"series": f"{name}{{{labels}}}", "values": f"{before:.10g}x19 {then:.10g}x20"}


def _wallet(account: str, asset: str, equity: float) -> dict[str, str]:
    name = "account_symbol:binance_collateral_wallet:units"
    return _series(name, f'account="{account}",symbol="{asset}USD"', equity)


def _index(asset: str, price: float, before: float, after: float) -> Iterator[dict[str, str]]:
    """A row of the index; its haircut changes."""
    for name, first, then in (
        ("price_usd", price, price),
        ("bid_rate_usd", price * (1 - before), price * (1 - after)),
        ("ask_rate_usd", price * (1 + before), price * (1 + after)),
        ("bid_buffer_ratio", before, after),
        ("ask_buffer_ratio", before, after),
    ):
        yield _series(f"binance_asset_index_{name}", f'symbol="{asset}USD"', first, then)


def _expected(time: str, name: str, labels: str, text: str) -> dict[str, Any]:
    """A result, with as many digits as the page has."""
    digits = len(text.removesuffix(" %").partition(".")[2]) + 2 * text.endswith("%")
    return {
        "expr": f"round({name}{{{labels}}}, {10**-digits:.10f})",
        "eval_time": time,
        "exp_samples": [{"labels": f"{{{labels}}}", "value": _number(text)}],
    }


def _check(run_promtool: Promtool, folder: Path, series: Documents, expected: Documents) -> None:
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "15s",
        "tests": [{"interval": "15s", "input_series": series, "promql_expr_test": expected}],
    }
    (folder / "example.yaml").write_text(yaml.safe_dump(test))
    done = run_promtool("test", "rules", folder / "example.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_values_and_the_change_are_what_the_rules_compute(
    run_promtool: Promtool, tmp_path: Path
) -> None:
    *assets, total = _rows(
        "| asset | equity | index | haircut | margin value | market value | haircut cost"
        " | 5 points more |"
    )
    [(margin, shock, share)] = _rows("| margin value | shock | part of the margin value before |")
    change = re.search(r"raises (\w+)'s haircut to ([\d.]+ %)", TEXT)
    assert change is not None
    series: Documents = []
    expected: Documents = []
    for asset, equity, price, haircut, *results in assets:
        after = _number(change[2] if asset == change[1] else haircut)
        series += _index(asset, _number(price), _number(haircut), after)
        series.append(_wallet("main", asset, _number(equity)))
        labels = f'account="main",symbol="{asset}USD"'
        for name, result in zip(RESULTS, results, strict=True):
            series_name = f"account_symbol:binance_collateral_{name}:usd"
            expected.append(_expected(BEFORE, series_name, labels, result))
    account = 'account="main"'
    for name, result in zip(RESULTS, total[4:], strict=True):
        series_name = f"account:binance_collateral_{name}:usd"
        expected.append(_expected(BEFORE, series_name, account, result))
    for name, result in (
        ("margin_value:usd", margin),
        ("haircut_shock:usd", shock),
        ("haircut_shock:ratio", share),
    ):
        expected.append(_expected(AFTER, f"account:binance_collateral_{name}", account, result))
    _check(run_promtool, tmp_path, series, expected)


def test_room_to_auto_exchange_is_what_the_rules_compute(
    run_promtool: Promtool, tmp_path: Path
) -> None:
    debt = re.search(r"owes ([\d,]+) (\w+)\.", TEXT)
    assert debt is not None
    override = "account_symbol:binance_collateral_auto_exchange_threshold_override:units"
    series: Documents = []
    expected: Documents = []
    for threshold, used, room in _rows("| threshold | used share | headroom, units |"):
        labels = f'account="{threshold}",symbol="{debt[2]}USD"'
        series.append(_wallet(threshold, debt[2], -_number(debt[1])))
        series.append(_series(override, labels, _number(threshold)))
        for name, result in (("used:ratio", used), ("headroom:units", room)):
            series_name = f"account_symbol:binance_collateral_auto_exchange_{name}"
            expected.append(_expected(BEFORE, series_name, labels, result))
    _check(run_promtool, tmp_path, series, expected)
