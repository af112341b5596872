"""mixin.libsonnet hands out the very files."""

import pytest
import yaml

from tests.dashboards.conftest import BOARDS, ROOT


@pytest.fixture(scope="module")
def mixin(jsonnet):
    return jsonnet(
        "local mixin = import 'mixin.libsonnet';"
        "{ boards: mixin.grafanaDashboards, rules: mixin.prometheusRules,"
        " alerts: mixin.prometheusAlerts,"
        " with_collateral: (mixin { _config+:: { collateral: true } }).prometheusRules }"
    )


def test_the_dashboards_are_those_in_the_folder_by_their_uid(mixin):
    assert mixin["boards"] == {f"{board['uid']}.json": board for board in BOARDS.values()}


def folded(document):
    """Jsonnet 0.18 and PyYAML disagree on line breaks in a folded text; PromQL sees none."""
    if isinstance(document, dict):
        return {key: folded(value) for key, value in document.items()}
    if isinstance(document, list):
        return [folded(value) for value in document]
    return " ".join(document.split()) if isinstance(document, str) else document


@pytest.mark.parametrize(("key", "file"), [("rules", "recording.yaml"), ("alerts", "alerts.yaml")])
def test_the_rules_are_those_in_the_folder(mixin, key, file):
    written = yaml.safe_load((ROOT / "rules" / file).read_text())
    assert folded(mixin[key]) == folded(written)


def test_the_rules_on_collateral_are_added_where_asked_for(mixin):
    written = yaml.safe_load((ROOT / "rules" / "collateral.yaml").read_text())
    groups = mixin["with_collateral"]["groups"]
    assert folded(groups) == folded(mixin["rules"]["groups"] + written["groups"])
