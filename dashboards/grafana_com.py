"""The dashboards as grafana.com takes them: `python -m dashboards.grafana_com FOLDER`.

Whoever imports one is asked for a Prometheus. It becomes the first choice at "Data source", where
another can still be selected.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from dashboards.__main__ import texts

_INPUT = "DS_PROMETHEUS"
_OLDEST_GRAFANA = "10.4.0"

_PANEL_NAMES = {
    "heatmap": "Heatmap",
    "stat": "Stat",
    "state-timeline": "State timeline",
    "table": "Table",
    "timeseries": "Time series",
}


def exported(board: dict[str, Any]) -> dict[str, Any]:
    """A dashboard with its inputs and what it requires, in front of the rest."""
    source = {"name": _INPUT, "label": "Prometheus", "type": "datasource"}
    inputs = [{**source, "pluginId": "prometheus", "pluginName": "Prometheus", "description": ""}]
    kinds = sorted({panel["type"] for panel in board["panels"]} - {"row"})
    requires = [
        {"type": "grafana", "id": "grafana", "name": "Grafana", "version": _OLDEST_GRAFANA},
        {"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"},
        *(
            {"type": "panel", "id": kind, "name": _PANEL_NAMES[kind], "version": ""}
            for kind in kinds
        ),
    ]
    first, *others = board["templating"]["list"]
    chosen = {"text": "Prometheus", "value": f"${{{_INPUT}}}", "selected": True}
    variables = [{**first, "current": chosen}, *others]
    return {
        "__inputs": inputs,
        "__requires": requires,
        **board,
        "id": None,
        "templating": {"list": variables},
    }


def main() -> None:
    """Write a file for each dashboard."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.grafana_com")
    parser.add_argument("folder", type=Path, help="takes one JSON file for each dashboard")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts().items():
        document = json.dumps(exported(json.loads(text)), indent=2) + "\n"
        (folder / file.name).write_text(document)


if __name__ == "__main__":
    main()
