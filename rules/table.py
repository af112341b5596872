"""Writes the table of alerts in docs/alerts.md from alerts.yaml; what stands above it is kept."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "alerts.md"
MARK = "<!-- python rules/table.py writes what follows -->\n"
RUNBOOKS = (
    "https://github.com/binance-asset-index-exporter/binance-asset-index-exporter"
    "/blob/main/docs/runbooks.md"
)


def alerts() -> list[dict[str, Any]]:
    """Every alert rule, in the order of the file."""
    document = yaml.safe_load((ROOT / "rules" / "alerts.yaml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def page() -> str:
    """docs/alerts.md as it should be."""
    head, mark, _ = PAGE.read_text().partition(MARK)
    lines = ["| alert and runbook | severity | for | says | expression |", "| --- " * 5 + "|"]
    for rule in alerts():
        runbook = rule["annotations"]["runbook_url"].replace(RUNBOOKS, "runbooks.md")
        expression = " ".join(rule["expr"].split()).replace("|", "\\|")
        lines.append(
            f"| [{rule['alert']}]({runbook}) | {rule['labels']['severity']}"
            f" | {rule.get('for', 'at once')} | {rule['annotations']['summary']}"
            f" | `{expression}` |"
        )
    return f"{head}{mark}\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
