"""What Grafana's dashboard-linter checks, as far as it matters here, and what the house asks for.

The linter is a Go program that is in no package registry; the names of its rules stand at the
tests.
"""

import json
import re

import pytest
import yaml

from exporter.metrics import catalogue
from tests.dashboards.conftest import BOARDS, ROOT, TARGETS, panels

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
each_target = pytest.mark.parametrize("target", TARGETS, ids=str)

ALL_PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items()
    for panel in panels(board)
]
each_panel = pytest.mark.parametrize("panel", ALL_PANELS)

UNITS = {"percentunit", "locale", "s", "suffix:s", "bytes"}
SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^{}]*)\}")
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def known_metrics():
    specs = [value for value in vars(catalogue).values() if isinstance(value, catalogue.Spec)]
    for spec in (*catalogue.INDEX.values(), *specs):
        yield spec.name
        if spec.type == "histogram":
            yield from (f"{spec.name}_{suffix}" for suffix in ("bucket", "count", "sum"))
    for file in ("recording.yaml", "collateral.yaml"):
        for group in yaml.safe_load((ROOT / "rules" / file).read_text())["groups"]:
            yield from (rule["record"] for rule in group["rules"] if "record" in rule)
    yield from ("up", "ALERTS", "process_cpu_seconds_total", "process_resident_memory_bytes")


KNOWN = set(known_metrics())


@each_board
def test_template_datasource_rule(board):
    first = board["templating"]["list"][0]
    assert (first["type"], first["name"]) == ("datasource", "datasource")
    assert (first["query"], first["label"]) == ("prometheus", "Data source")


@each_board
def test_template_job_rule_and_template_instance_rule(board):
    variables = [each for each in board["templating"]["list"][1:] if each["type"] != "textbox"]
    first = ["account"] if board is BOARDS["collateral"] else ["job", "instance"]
    assert [each["name"] for each in variables][: len(first)] == first
    for variable in variables:
        assert variable["type"] == "query"
        assert variable["label"]
        assert variable["datasource"] == DATASOURCE
        assert variable["multi"]
        assert variable["includeAll"]
        assert variable["allValue"] == ".+"


@each_board
def test_template_on_time_change_reload_rule(board):
    queries = [each for each in board["templating"]["list"] if each["type"] == "query"]
    assert {each["refresh"] for each in queries} == {2}


@each_board
def test_every_variable_is_used(board):
    text = json.dumps([board["panels"], board["annotations"]])
    for variable in board["templating"]["list"]:
        assert f"${variable['name']}" in text or f"${{{variable['name']}}}" in text


@each_board
def test_uneditable_dashboard(board):
    assert board["editable"] is False


@each_panel
def test_panel_title_description_rule(panel):
    assert panel["title"]
    assert panel["description"].endswith(".")


@each_panel
def test_panel_units_rule(panel):
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS


@each_panel
def test_panel_datasource_rule_and_panel_no_targets_rule(panel):
    assert panel["datasource"] == DATASOURCE
    assert panel["targets"]
    assert [each["refId"] for each in panel["targets"]] == list("ABCDEFGHIJKL")[
        : len(panel["targets"])
    ]
    for target in panel["targets"]:
        assert target["datasource"] == DATASOURCE


@each_target
def test_target_job_rule_and_target_instance_rule(target):
    selectors = SELECTOR.findall(target.expr)
    assert selectors
    for name, matchers in selectors:
        if target.board == "collateral":  # of accounts, whatever exporters there are
            assert 'account=~"$account"' in matchers or ":binance_asset_index" in name
        elif name == "ALERTS":
            # "no exporter at all" has neither label, and must not be missed here
            assert 'job=~"$job|", instance=~"$instance|"' in matchers
        elif name.startswith(("symbol", "job:")):
            assert 'job=~"$job"' in matchers  # recorded from all instances of a job
        else:
            assert 'job=~"$job", instance=~"$instance"' in matchers


@each_target
def test_target_rate_interval_rule(target):
    for _, window in re.findall(r"\b(i?rate|increase|i?delta)\([^[]*\[([^]]*)\]", target.expr):
        assert window == "$__rate_interval"


@each_target
def test_target_counter_agg_rule(target):
    for counter in re.finditer(r"\w+_total\{[^}]*\}", target.expr):
        assert re.search(r"(rate|increase)\($", target.expr[: counter.start()])


@each_target
def test_every_metric_is_known(target):
    assert {name for name, _ in SELECTOR.findall(target.expr)} <= KNOWN
    assert not re.findall(r"\b(?:binance_|process_|\w+:)[\w:]*(?![\w:{])", target.expr)


@each_board
def test_ids_are_unique(board):
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


@each_board
def test_the_grid_is_full_and_nothing_overlaps(board):
    cells = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in cells, panel["title"]
                cells.add((x, y))
    depth = max(y for _, y in cells) + 1
    assert cells == {(x, y) for x in range(24) for y in range(depth)}


@each_board
def test_a_row_s_title_is_the_question_that_it_answers(board):
    rows = [panel for panel in board["panels"] if panel["type"] == "row"]
    assert board["panels"][0] in rows
    assert all(row["title"].endswith("?") for row in rows)


@each_board
def test_one_link_leads_to_the_others_and_keeps_time_and_choice(board):
    (link,) = board["links"]
    assert link["type"] == "dashboards"
    assert link["asDropdown"]
    assert link["keepTime"]
    assert link["includeVars"]
    assert set(link["tags"]) <= set(board["tags"])


@each_panel
def test_lines_are_few(panel):
    """One for each symbol may be forty; of margin assets there are a dozen."""
    if panel["type"] not in ("timeseries", "state-timeline") or "$symbol" in panel["title"]:
        return
    few = ("margin_asset:bool", "_spread:ratio", "_haircut:ratio", "account_symbol:")
    for target in panel["targets"]:
        if "by (symbol)" in target["expr"]:
            assert any(each in target["expr"] for each in few)
