"""How the panels look, as far as the JSON shows it. The rest is seen in Grafana."""

import re

import pytest

from dashboards.panels import states
from dashboards.style import ASSET_COLORS, ON_TILE, PRICE_DECIMALS, Query
from exporter.binance.errors import HOLD_REASONS, REASONS
from exporter.binance.rows import REJECT_REASONS
from tests.dashboards.conftest import BOARDS, panels

ALL_PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items()
    for panel in panels(board)
]
each_panel = pytest.mark.parametrize("panel", ALL_PANELS)
each_table = pytest.mark.parametrize(
    "panel", [each for each in ALL_PANELS if each.values[0]["type"] == "table"]
)

WINDOW = 1366
"""Pixels, the narrowest laptop."""

GRID_COLUMN = (WINDOW - 32) / 24
CHARACTER = 6.9
BESIDE_THE_TITLE = 80
"""The margins, the `i`, and the menu that appears under the mouse."""


def properties(panel, name):
    """The overrides of a series or column."""
    return {
        each["id"]: each.get("value")
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"] == {"id": "byName", "options": name}
        for each in override["properties"]
    }


LABELS = {"Account", "Asset", "Instance"}


def columns(panel):
    """Fields of a table by their new names."""
    return list(panel["transformations"][-1]["options"]["renameByName"].values())


@each_panel
def test_a_share_has_two_decimals(panel):
    defaults = panel["fieldConfig"]["defaults"]
    if defaults["unit"] == "percentunit":
        assert defaults["decimals"] == 2
    for override in panel["fieldConfig"]["overrides"]:
        values = {each["id"]: each.get("value") for each in override["properties"]}
        if values.get("unit") == "percentunit":
            assert values["decimals"] == 2


@each_panel
def test_a_title_fits_at_1366_pixels(panel):
    title = panel["title"].replace("$symbol", "LDUSDTUSD").replace("$notional", "1000000")
    room = panel["gridPos"]["w"] * GRID_COLUMN - BESIDE_THE_TITLE
    assert len(title) * CHARACTER <= room


@each_table
def test_all_columns_of_a_table_fit_at_1366_pixels(panel):
    width = panel["fieldConfig"]["defaults"]["custom"]["minWidth"]
    assert width * len(columns(panel)) <= panel["gridPos"]["w"] * GRID_COLUMN - 24


@each_table
def test_the_heads_of_a_table_fit_at_1366_pixels(panel):
    names = columns(panel)
    column = (panel["gridPos"]["w"] * GRID_COLUMN - 24) / len(names)
    sort = panel["options"]["sortBy"][0]["displayName"]
    assert sort in names
    for name in names:
        arrow = 22 if name == sort else 0
        assert len(name) * CHARACTER + arrow <= column - 12


@each_table
def test_a_price_of_six_digits_fits_at_1366_pixels(panel):
    names = columns(panel)
    column = (panel["gridPos"]["w"] * GRID_COLUMN - 24) / len(names)
    for name in names:
        if properties(panel, name).get("decimals") == PRICE_DECIMALS:
            assert len("100,000.12345") * CHARACTER <= column - 12


@each_table
def test_a_column_without_values_shows_a_dash_and_not_a_sentence(panel):
    for name in set(columns(panel)) - LABELS:
        assert properties(panel, name)["noValue"] == "-"


@each_panel
def test_what_merges_equal_values_is_not_coloured_by_thresholds(panel):
    """Grafana would merge what has the same colour: 5% and 10%."""
    if panel["options"].get("mergeValues"):
        assert panel["fieldConfig"]["defaults"]["color"]["mode"] != "thresholds"


def test_an_axis_of_tiny_distances_has_different_ticks():
    """A yield token stays within 0.001% of its median, and an axis has two decimals."""
    (panel,) = (each for each in panels(BOARDS["asset"]) if "distance" in each["title"])
    custom = panel["fieldConfig"]["defaults"]["custom"]
    assert custom["axisSoftMax"] == -custom["axisSoftMin"] >= 0.001


def test_the_bands_of_haircuts_merge_and_show_their_values():
    (panel,) = (each for each in panels(BOARDS["haircut_spreads"]) if "Steps" in each["title"])
    assert panel["options"]["mergeValues"]
    ranges = [each["options"] for each in panel["fieldConfig"]["defaults"]["mappings"]]
    assert [each["from"] for each in ranges] == [None, 0.01, 0.05, 0.1]
    assert not any("text" in each["result"] for each in ranges)


def test_ranges_of_colours_do_not_overlap():
    panel = states("", "", Query(""), "percentunit", [(None, "green"), (1, "red")]).build()
    first, second = (each.options for each in panel.field_config.defaults.mappings)
    assert first.from_val is None
    assert first.to < second.from_val == 1
    assert second.to is None


@each_panel
def test_an_empty_panel_names_the_likely_reason(panel):
    if panel["type"] == "stat":
        nothing = panel["fieldConfig"]["defaults"]["mappings"][0]
        assert nothing["options"]["match"] == "null+nan"
        assert nothing["options"]["result"]["text"]
    else:
        assert panel["fieldConfig"]["defaults"]["noValue"]


@each_panel
def test_nothing_stands_behind_a_number(panel):
    if panel["type"] == "stat":
        assert panel["options"]["graphMode"] == "none"


@each_panel
def test_a_coloured_tile_is_dark_enough_for_white_text(panel):
    if panel["type"] == "stat" and panel["options"]["colorMode"].startswith("background"):
        defaults = panel["fieldConfig"]["defaults"]
        own = [
            each["value"]
            for override in panel["fieldConfig"]["overrides"]
            for each in override["properties"]
            if each["id"] == "thresholds"
        ]
        steps = [step for each in (defaults["thresholds"], *own) for step in each["steps"]]
        assert {step["color"] for step in steps} <= set(ON_TILE.values())


@each_panel
def test_an_axis_reaches_its_dashed_lines(panel):
    defaults = panel["fieldConfig"]["defaults"]
    if defaults.get("custom", {}).get("thresholdsStyle", {}).get("mode") == "dashed":
        steps = [each["value"] for each in defaults["thresholds"]["steps"]][1:]
        assert defaults["custom"]["axisSoftMax"] > max(steps)
        assert defaults["custom"].get("axisSoftMin", 0) < min(steps)


@each_panel
def test_an_asset_has_the_same_colour_in_every_chart(panel):
    legends = {each["legendFormat"] for each in panel["targets"]}
    if panel["type"] == "timeseries" and "{{symbol}}" in legends:
        for symbol, color in ASSET_COLORS.items():
            value = properties(panel, symbol)["color"]
            assert value == {"mode": "fixed", "fixedColor": color}


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_marks_are_hidden_from_the_header(board):
    assert all(mark["hide"] for mark in board["annotations"]["list"])


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_marks_of_haircuts_name_the_amount(board):
    for mark in board["annotations"]["list"]:
        if "Haircut" in mark["name"]:
            assert "{{points}} points" in mark["textFormat"]
            assert '("points",' in mark["expr"]


@pytest.mark.parametrize(
    ("title", "reasons"),
    [
        ("Failures a minute", REASONS),
        ("Scrapes held a minute", HOLD_REASONS),
        ("Rows refused a minute", REJECT_REASONS),
    ],
)
def test_every_reason_has_a_colour_of_its_own(title, reasons):
    (panel,) = (each for each in panels(BOARDS["exporter_and_api"]) if each["title"] == title)
    colors = [properties(panel, reason)["color"]["fixedColor"] for reason in reasons]
    assert len(set(colors)) == len(colors)


@each_panel
def test_a_description_is_true_in_the_dark_and_in_the_light_theme(panel):
    assert not re.search(r"\b(dark|light|bright)(er|est)?\b", panel["description"])


@each_panel
def test_the_colours_of_a_heat_map_begin_at_zero(panel):
    """Or the usual number of requests would be white in the light theme."""
    if panel["type"] == "heatmap":
        assert panel["options"]["color"]["min"] == 0
