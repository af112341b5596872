"""Each alert has its runbook, complete."""

import re
from pathlib import Path

import pytest

from docs import alert_tables

TEXT = (Path(__file__).parents[2] / "docs" / "runbooks.md").read_text()


@pytest.mark.parametrize(
    ("mark", "file"), [("##", "alerts.yaml"), ("###", "collateral.yaml")], ids=lambda each: each
)
def test_runbooks_are_complete(mark: str, file: str) -> None:
    pattern = rf"^{mark} (Binance\w+)\n(.*?)(?=^##|\Z)"
    sections = re.findall(pattern, TEXT, re.MULTILINE | re.DOTALL)
    alerts = {rule["alert"] for rule in alert_tables.alerts(file)}
    assert sorted(name for name, _ in sections) == sorted(alerts)
    for name, body in sections:
        parts = re.findall(r"^\*\*(.+?)\.\*\* \S", body, re.MULTILINE)
        assert parts == ["Meaning", "Impact", "How to check", "What to do"], name
