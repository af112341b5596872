"""The promtool tests notice each mistake that is planted in an alert."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.rules.conftest import Promtool
from tests.rules.promtool_files import RULES, Document, groups_of, load, needed, write

Spoil = Callable[[Document], Document | None]
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


MISTAKES: dict[str, Spoil] = {
    "Right": lambda rule: rule,
    "Eager": _eager,
    "Hasty": _hasty,
    "Forgetful": _forgetful,
}
"""The first one is none: what is noticed of the others is not noticed of it."""


def _copies(groups: list[Document]) -> Iterator[tuple[str, Document]]:
    """Each alert with each mistake: its name, and a rule under another one."""
    for rule in (rule for group in groups for rule in group["rules"] if "alert" in rule):
        for mistake, spoil in MISTAKES.items():
            if changed := spoil(rule):
                name = f"{rule['alert']}{rule['labels']['severity'].capitalize()}{mistake}"
                yield rule["alert"], {**changed, "alert": name}


def _expected_of(alert: str, copy: Document, each: Document) -> Document | None:
    """What a test expects of an alert, for the severity and under the name of its copy."""
    name, severity = copy["alert"], copy["labels"]["severity"]
    if each.get("alertname") == alert:
        labels = [firing["exp_labels"] for firing in each["exp_alerts"]]
        mine = [{"exp_labels": each} for each in labels if each["severity"] == severity]
        return {**each, "alertname": name, "exp_alerts": mine}
    if re.findall(r'alertname="(\w+)"', each.get("expr", "")) == [alert]:
        samples = each["exp_samples"]
        if not all("severity=" in sample["labels"] for sample in samples):
            return None  # it is about all severities together
        old, new = f'alertname="{alert}"', f'alertname="{name}"'
        mine = [
            {**sample, "labels": sample["labels"].replace(old, new)}
            for sample in samples
            if f'severity="{severity}"' in sample["labels"]
        ]
        expression = each["expr"].replace(old, f'{new},severity="{severity}"')
        return {**each, "expr": expression, "exp_samples": mine}
    return None


TESTS = [
    path
    for path in sorted(RULES.glob("tests/*.yaml"))
    if path.stem not in {"scenarios", "texts", "weeks"}  # long, and they notice nothing more
]


@pytest.mark.parametrize(
    "files", [("recording.yaml", "alerts.yaml"), ("collateral.yaml",)], ids=lambda files: files[-1]
)
def test_promtool_tests_notice_each_mistake(
    run_promtool: Promtool, tmp_path: Path, files: tuple[str, ...]
) -> None:
    """All mistakes at once: beside the alerts stand their copies, each spoilt in one way."""
    groups = groups_of(*(RULES / file for file in files))
    copies = list(_copies(groups))
    groups.append({"name": "copies", "rules": [copy for _, copy in copies]})
    paths = []
    for test in map(load, TESTS):
        for scene in test["tests"]:
            for kind in ("promql_expr_test", "alert_rule_test"):
                scene[kind] = [
                    expected
                    for alert, copy in copies
                    for each in scene.get(kind, ())
                    if (expected := _expected_of(alert, copy, each))
                ]
            if asked := scene["promql_expr_test"] + scene["alert_rule_test"]:
                number = len(paths)
                rules = {"groups": needed(groups, [str(asked)])}
                test["rule_files"] = [str(write(tmp_path / f"rules{number}.yaml", rules))]
                test["group_eval_order"] = [group["name"] for group in groups]
                paths.append(write(tmp_path / f"test{number}.yaml", {**test, "tests": [scene]}))

    done = run_promtool("test", "rules", *paths)
    noticed = set(re.findall(r'alertname(?:=\\"|: )(\w+)', done.stdout + done.stderr))
    assert noticed == {copy["alert"] for _, copy in copies if not copy["alert"].endswith("Right")}
