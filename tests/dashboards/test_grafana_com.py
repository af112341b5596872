"""The export for grafana.com, as an import reads it."""

import json
import sys

import pytest

from dashboards import grafana_com
from tests.dashboards.conftest import BOARDS, panels


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grafana.com")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["", str(folder / "new")])
        grafana_com.main()
    return {file.stem: json.loads(file.read_text()) for file in (folder / "new").iterdir()}


def imported(export, uid):
    """What Grafana makes of it: each input's name is replaced everywhere by the chosen value."""
    (source,) = export["__inputs"]
    assert (source["type"], source["pluginId"]) == ("datasource", "prometheus")
    return json.loads(json.dumps(export).replace(f"${{{source['name']}}}", uid))


def test_there_is_one_for_each_dashboard(exports):
    assert exports.keys() == BOARDS.keys()


@pytest.mark.parametrize("name", BOARDS)
def test_the_import_selects_the_prometheus_that_was_chosen(exports, name):
    board = imported(exports[name], "my-prometheus")
    variable = board["templating"]["list"][0]
    assert (variable["name"], variable["current"]["value"]) == ("datasource", "my-prometheus")


@pytest.mark.parametrize("name", BOARDS)
def test_it_requires_every_kind_of_panel_that_it_has(exports, name):
    required = {each["id"] for each in exports[name]["__requires"] if each["type"] == "panel"}
    assert required == {panel["type"] for panel in panels(BOARDS[name])}


@pytest.mark.parametrize("name", BOARDS)
def test_the_rest_is_the_dashboard(exports, name):
    export = dict(exports[name])
    for added in ("__inputs", "__requires", "id"):
        del export[added]
    export["templating"]["list"][0].pop("current")
    board = json.loads(json.dumps(BOARDS[name]))
    board["templating"]["list"][0].pop("current", None)
    board.pop("id", None)
    assert export == board
