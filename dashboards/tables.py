"""Tables with a line for each asset, instance or holding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models.common import TableColorTextCellOptions
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue as Property
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.panels import words_for
from dashboards.style import (
    NUMBER,
    PRICE_DECIMALS,
    SHARE,
    SHARE_DECIMALS,
    Query,
    Steps,
    asking,
    by_threshold,
    letter,
    thresholds,
)

ASSET_UID = "binance-multi-assets-asset"

_NARROWEST = 96
"""Pixels. Columns share the room beyond; twelve of them fit into a window of 1,366."""

_TO_ASSET = {
    "title": "Show ${__value.raw} alone",
    "url": f"/d/{ASSET_UID}?var-symbol=${{__value.raw}}&${{datasource:queryparam}}"
    "&${job:queryparam}&${instance:queryparam}&${__url_time_range}",
}


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: Its head.
        expr: PromQL with one series a line of the table.
        unit: Grafana's name of the unit.
        steps: Colours of the text.
        decimals: How many at most; shares have two.
        words: Words and their colours in place of some numbers.
        label: Show this label of the series in place of the value.
    """

    name: str
    expr: str
    unit: str = NUMBER
    steps: Steps = ()
    decimals: int | None = None
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    label: str | None = None


def price(name: str, expr: str) -> Column:
    """A column of prices in USD."""
    return Column(name, expr, decimals=PRICE_DECIMALS)


def by_asset(
    title: str, description: str, columns: Sequence[Column], *, sort: str, descending: bool
) -> table.Panel:
    """A line for each asset; its name leads to the dashboard of that asset."""
    panel = _by({"symbol": "Asset"}, title, description, columns)
    return _sorted(_linked(panel), sort, descending=descending)


def by_instance(title: str, description: str, columns: Sequence[Column]) -> table.Panel:
    """A line for each exporter."""
    panel = _by({"instance": "Instance"}, title, description, columns)
    return _sorted(panel, "Instance", descending=False)


def by_holding(
    title: str, description: str, columns: Sequence[Column], *, sort: str, descending: bool
) -> table.Panel:
    """A line for each asset in each account."""
    panel = _by({"account": "Account", "symbol": "Asset"}, title, description, columns)
    return _sorted(_linked(panel), sort, descending=descending)


def _linked(panel: table.Panel) -> table.Panel:
    return panel.override_by_name("Asset", [Property("links", [_TO_ASSET])])


def _sorted(panel: table.Panel, column: str, *, descending: bool) -> table.Panel:
    return panel.sort_by([common.TableSortByFieldState().display_name(column).desc(descending)])


def _by(
    heads: Mapping[str, str], title: str, description: str, columns: Sequence[Column]
) -> table.Panel:
    """A table with a line for each combination of some labels, which have these heads."""
    panel = table.Panel()
    queries = [Query(column.expr, "") for column in columns]
    asking(panel, title, description, NUMBER, queries, now=True, form=PromQueryFormat.TABLE)
    panel.min_width(_NARROWEST)
    fields = {
        column.label or f"Value #{letter(number)}": column.name
        for number, column in enumerate(columns)
    }
    values = [f"Value #{letter(number)}" for number in range(len(columns))]
    organized = {
        "excludeByName": {"Time": True} | {each: True for each in values if each not in fields},
        "indexByName": {name: number for number, name in enumerate([*heads, *fields])},
        "renameByName": {**heads, **fields},
    }
    panel.with_transformation(DataTransformerConfig("merge", options={}))
    panel.with_transformation(DataTransformerConfig("organize", options=organized))
    for column in columns:
        panel.override_by_name(column.name, _properties(column))
    return panel


def _properties(column: Column) -> list[Property]:
    properties = [Property("unit", column.unit), Property("noValue", "-")]
    decimals = SHARE_DECIMALS if column.unit == SHARE else column.decimals
    if decimals is not None:
        properties.append(Property("decimals", decimals))
    if column.words:
        properties.append(Property("mappings", [words_for(column.words)]))
    if column.steps:
        properties.append(Property("thresholds", thresholds(column.steps).build()))
        properties.append(Property("color", by_threshold().build()))
    if column.steps or column.words:
        properties.append(Property("custom.cellOptions", TableColorTextCellOptions()))
    return properties
