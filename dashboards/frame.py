"""What the dashboards have in common: the link between them, and the grid."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from dashboards import variables

TAG = "binance-asset-index"
GRID_WIDTH = 24


@dataclass(frozen=True)
class Placed:
    """A panel and its size on the grid."""

    panel: Builder[models.Panel]
    width: int
    height: int


@dataclass(frozen=True)
class Row:
    """Panels under one question.

    Attributes:
        number: Stays with the row for good: the ids of its panels, and so links to them, depend
            on it. From 1 to 9.
        question: The title.
        panels: From left to right, line by line; a line is full and of one height.
        repeat: The variable for each of whose values the row is shown.
    """

    number: int
    question: str
    panels: Sequence[Placed]
    repeat: str | None = None


@dataclass(frozen=True)
class Board:
    """A dashboard.

    Attributes:
        uid: Stays for good: it is in people's bookmarks.
        title: Its name.
        description: What it answers.
        rows: From top to bottom.
        variables: What can be selected at the top, after the data source.
        annotations: What its charts are marked with.
    """

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    variables: Sequence[Builder[models.VariableModel]]
    annotations: Sequence[Builder[models.AnnotationQuery]] = ()

    def text(self) -> str:
        """Its JSON."""
        board = (
            builders.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([TAG])
            .readonly()
            .time("now-24h", "now")
            .refresh("1m")
            .tooltip(models.DashboardCursorSync.CROSSHAIR)
            .link(_link())
            .variables([variables.data_source(), *self.variables])
            .annotations(list(self.annotations))
            .build()
        )
        board.panels = _placed(self.rows)
        document = json.loads(JSONEncoder().encode(board))
        _drop_placement(document)
        return json.dumps(document, indent=2) + "\n"


def _placed(rows: Sequence[Row]) -> list[models.Panel | models.RowPanel]:
    """The panels with ids and positions."""
    result: list[models.Panel | models.RowPanel] = []
    y = 0
    for row in rows:
        position = models.GridPos(h=1, w=GRID_WIDTH, x=0, y=y)
        title = models.RowPanel(
            id_val=row.number, title=row.question, grid_pos=position, repeat=row.repeat
        )
        result.append(title)
        y += 1
        x = 0
        for number, placed in enumerate(row.panels, start=row.number * 10):
            panel = placed.panel.build()
            panel.id_val = number
            panel.grid_pos = models.GridPos(h=placed.height, w=placed.width, x=x, y=y)
            result.append(panel)
            x += placed.width
            if x >= GRID_WIDTH:
                x = 0
                y += placed.height
    return result


def _drop_placement(document: Any) -> None:
    """Take out what this release of the SDK puts on all links: they would hide in a menu."""
    if isinstance(document, dict):
        if "asDropdown" in document or "iconColor" in document:  # a link, an annotation
            document.pop("placement", None)
        for value in document.values():
            _drop_placement(value)
    elif isinstance(document, list):
        for value in document:
            _drop_placement(value)


def _link() -> builders.DashboardLink:
    return (
        builders.DashboardLink("Multi-Assets")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .tooltip("The other dashboards, for the same time and the same choice")
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(True)
    )
