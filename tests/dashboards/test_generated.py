"""The committed JSON is what the program writes, and Grafana's own model reads it."""

import json

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.__main__ import texts
from tests.dashboards.conftest import BOARDS, FILES, panels


def test_the_committed_files_are_what_the_program_writes():
    written = {file: file.read_text() for file in FILES}
    assert written == texts(), "run `make dashboards`"


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_the_model_knows_every_field(board):
    """A field that the model did not know would be lost on the way through it."""

    def fields(document, path=""):
        if isinstance(document, dict):
            for key, value in document.items():
                yield from fields(value, f"{path}.{key}")
        elif isinstance(document, list):
            for number, value in enumerate(document):
                yield from fields(value, f"{path}[{number}]")
        else:
            yield path, document

    through = json.loads(JSONEncoder().encode(Dashboard.from_json(board)))
    assert set(fields(board)) <= set(fields(through))


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_it_is_of_the_classic_schema(board):
    assert board["schemaVersion"] <= 42
    assert "elements" not in board


def test_nothing_hides_in_the_controls_menu():
    assert "inControlsMenu" not in "".join(file.read_text() for file in FILES)


def test_uids_are_those_of_people_s_bookmarks():
    assert {board["uid"] for board in BOARDS.values()} == {
        "binance-multi-assets-collateral",
        "binance-multi-assets-haircut-spreads",
        "binance-multi-assets-asset",
        "binance-multi-assets-pegs-and-drops",
        "binance-multi-assets-exporter-and-api",
    }


def test_the_tables_of_assets_lead_to_the_dashboard_of_one_asset():
    uid = BOARDS["asset"]["uid"]
    titles = ("Margin assets", "Movers", "In the order in which they hurt", "Holdings")
    tables = [
        panel
        for board in BOARDS.values()
        for panel in panels(board)
        if panel["type"] == "table" and panel["title"] in titles
    ]
    assert len(tables) == len(titles)
    for table in tables:
        links = [
            link
            for override in table["fieldConfig"]["overrides"]
            if override["matcher"] == {"id": "byName", "options": "Asset"}
            for prop in override["properties"]
            if prop["id"] == "links"
            for link in prop["value"]
        ]
        assert links[0]["url"].startswith(f"/d/{uid}?var-symbol=${{__value.raw}}&")
