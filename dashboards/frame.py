"""What the dashboards have in common: variables, the link between them, and the grid."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from dashboards.queries import TARGET
from dashboards.style import DATASOURCE

TAG = "binance-asset-index"
GRID_WIDTH = 24

_ALL = models.VariableOption(text="All", value="$__all", selected=True)


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
        symbols: Selected at first; none for all.
        by_symbol: Whether symbols can be selected.
        boxes: Further variables.
        annotations: What its charts are marked with.
    """

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    symbols: Sequence[str] = ()
    by_symbol: bool = True
    boxes: Sequence[Builder[models.VariableModel]] = ()
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
            .variables(self._variables())
            .annotations(list(self.annotations))
            .build()
        )
        board.panels = _placed(self.rows)
        document = json.loads(JSONEncoder().encode(board))
        _drop_placement(document)
        return json.dumps(document, indent=2) + "\n"

    def _variables(self) -> list[Builder[models.VariableModel]]:
        metric = "binance_asset_index_up"
        prices = f"binance_asset_index_price_usd{{{TARGET}}}"
        first = list(self.symbols)
        chosen = models.VariableOption(text=first, value=first, selected=True) if first else _ALL
        symbol = _variable("symbol", "Symbol", f"label_values({prices}, symbol)").current(chosen)
        return [
            builders.DatasourceVariable("datasource").label("Data source").type("prometheus"),
            _variable("job", "Job", f"label_values({metric}, job)"),
            _variable("instance", "Instance", f'label_values({metric}{{job=~"$job"}}, instance)'),
            *([symbol] if self.by_symbol else []),
            *self.boxes,
        ]


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


def _variable(name: str, label: str, query: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(name)
        .label(label)
        .query({"query": query, "refId": name})
        .definition(query)
        .datasource(DATASOURCE)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(_ALL)
    )
