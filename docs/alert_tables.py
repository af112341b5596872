"""The tables of alerts in docs/alerts.md and docs/collateral.md; the text above them is kept."""

import functools
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "alerts.md"
COLLATERAL_PAGE = ROOT / "docs" / "collateral.md"
MARK = "<!-- make docs writes what follows -->\n"
RUNBOOKS = (
    "https://github.com/binance-asset-index-exporter/binance-asset-index-exporter"
    "/blob/main/docs/runbooks.md"
)


@functools.cache
def alerts(file: str = "alerts.yaml") -> list[dict[str, Any]]:
    """Every alert rule, in the order of the file."""
    document = yaml.load((ROOT / "rules" / file).read_text(), yaml.CSafeLoader)
    return [rule for group in document["groups"] for rule in group["rules"] if "alert" in rule]


def page(path: Path = PAGE, file: str = "alerts.yaml") -> str:
    """A page as it should be, with the alerts of a rule file."""
    head, mark, _ = path.read_text().partition(MARK)
    lines = ["| alert and runbook | severity | for | says | expression |", "| --- " * 5 + "|"]
    for rule in alerts(file):
        runbook = rule["annotations"]["runbook_url"].replace(RUNBOOKS, "runbooks.md")
        expression = " ".join(rule["expr"].split()).replace("|", "\\|")
        lines.append(
            f"| [{rule['alert']}]({runbook}) | {rule['labels']['severity']}"
            f" | {rule.get('for', 'at once')} | {_readable(rule['annotations']['summary'])}"
            f" | `{expression}` |"
        )
    return f"{head}{mark}\n" + "\n".join(lines) + "\n"


def _readable(template: str) -> str:
    """A template for people: `{{ $labels.symbol }}` is SYMBOL."""
    always = re.sub(r"\{\{ with .*?\{\{ end \}\}", "", template)
    return re.sub(
        r"\{\{ [^$]*\$(?:labels\.)?(\w+)[^}]*\}\}", lambda found: found[1].upper(), always
    )
