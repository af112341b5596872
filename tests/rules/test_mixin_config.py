"""`_config` of mixin.libsonnet: selector, limits and links in one place."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]

Document = dict[str, Any]
Render = Callable[[str], list[Document]]


@pytest.fixture
def rendered(jsonnet: Callable[[str], list[Document]]) -> Render:
    """All rules under a configuration, written in jsonnet."""
    return lambda config: jsonnet(
        f"local mixin = (import 'mixin.libsonnet') + {{ _config+:: {config} }};"
        "mixin.prometheusRules.groups + mixin.prometheusAlerts.groups"
    )


def _rules(groups: list[Document]) -> list[Document]:
    return [rule for group in groups for rule in group["rules"]]


def test_every_scraped_metric_gets_the_selector(rendered: Render) -> None:
    for rule in _rules(rendered("""{ selector: 'env="live"' }""")):
        bare = re.findall(r'(?<![\w:".])(?:binance_\w+|up)\b(?!\{env="live")', rule["expr"])
        assert bare == [], rule["expr"]
        assert "live" not in re.sub(r'(?<![\w:".])(?:binance_\w+|up|)\{[^}]*\}', "", rule["expr"])


def test_rules_with_a_selector_and_other_limits_are_valid(
    rendered: Render, tool: Callable[[str, str], str], tmp_path: Path
) -> None:
    limits = "{ BinanceIndexDropped+: { critical: ['0.2', '0.4'] } }"
    groups = rendered(f"""{{ selector: 'env="live"', limits+: {limits} }}""")
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": groups}))
    done = subprocess.run(
        [tool("promtool", "prometheus"), "check", "rules", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_limit_is_replaced_only_in_the_rules_it_belongs_to(rendered: Render) -> None:
    before = _rules(rendered("{}"))
    after = _rules(rendered("{ limits+: { BinanceIndexDropped+: { critical: ['0.2', '0.1'] } } }"))
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    ((old, new),) = changed
    assert (old["alert"], old["labels"]["severity"]) == ("BinanceIndexDropped", "critical")
    numbers = re.compile(r">= ([\d.]+)")
    assert numbers.findall(old["expr"]) == ["0.1", "0.2"]
    assert numbers.findall(new["expr"]) == ["0.2", "0.1"]


def test_every_default_limit_is_in_its_rule(rendered: Render) -> None:
    """Else a limit of one's own would change nothing."""
    text = (ROOT / "mixin.libsonnet").read_text()
    alerts = dict(re.findall(r"^    (Binance\w+): \{(.*?)\}", text, re.MULTILINE))
    assert alerts
    own = ", ".join(f"{name}: {{{each}}}" for name, each in alerts.items())
    own = re.sub(r"'[\d.]+'", "'77'", own)
    for rule in _rules(rendered(f"{{ limits: {{ {own} }} }}")):
        limits = alerts.get(rule.get("alert", ""), "")
        limited = f"{rule['labels']['severity']}: [" in limits if limits else False
        assert (" 77" in rule["expr"]) == limited, rule["expr"]
        if limited and rule["alert"] != "BinanceHaircutSpreadUnusual":
            assert set(re.findall(r">=? (\S+)", rule["expr"])) == {"77"}


def test_links_begin_where_the_configuration_says(rendered: Render) -> None:
    config = "{ runbookUrl: 'https://wiki.test/r', dashboardUrl: 'https://grafana.test/d' }"
    for rule in _rules(rendered(config)):
        if "alert" in rule:
            assert rule["annotations"]["runbook_url"].startswith("https://wiki.test/r#")
            assert rule["annotations"]["dashboard_url"].startswith("https://grafana.test/d/")
