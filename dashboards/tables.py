"""A table with a line for each asset."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models.common import TableColorTextCellOptions
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue as Property
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.style import (
    NUMBER,
    PRICE_DECIMALS,
    Query,
    Steps,
    asking,
    by_threshold,
    letter,
    thresholds,
)

ASSET_UID = "binance-multi-assets-asset"

_TO_ASSET = {
    "title": "Look at ${__value.raw} alone",
    "url": f"/d/{ASSET_UID}?var-symbol=${{__value.raw}}&${{datasource:queryparam}}"
    "&${job:queryparam}&${instance:queryparam}&${__url_time_range}",
}


@dataclass(frozen=True)
class Column:
    """A column; its query has one series a symbol."""

    name: str
    expr: str
    unit: str
    steps: Steps = ()
    decimals: int | None = None


def by_asset(title: str, description: str, columns: Sequence[Column], sort: str) -> table.Panel:
    """A line for each asset; its name leads to the dashboard of that asset."""
    panel = table.Panel()
    queries = [Query(column.expr, "") for column in columns]
    asking(panel, title, description, NUMBER, queries, now=True, form=PromQueryFormat.TABLE)
    names = {f"Value #{letter(number)}": column.name for number, column in enumerate(columns)}
    panel.with_transformation(DataTransformerConfig("merge", options={}))
    order = {name: number for number, name in enumerate(["symbol", *names])}
    organized = {
        "excludeByName": {"Time": True},
        "indexByName": order,
        "renameByName": {"symbol": "Asset", **names},
    }
    panel.with_transformation(DataTransformerConfig("organize", options=organized))
    panel.override_by_name("Asset", [Property("links", [_TO_ASSET])])
    for column in columns:
        panel.override_by_name(column.name, _properties(column))
    return panel.sort_by([common.TableSortByFieldState().display_name(sort).desc(True)])


def _properties(column: Column) -> list[Property]:
    properties = [Property("unit", column.unit)]
    if column.decimals is not None:
        properties.append(Property("decimals", column.decimals))
    if column.steps:
        properties += [
            Property("thresholds", thresholds(column.steps).build()),
            Property("color", by_threshold().build()),
            Property("custom.cellOptions", TableColorTextCellOptions()),
        ]
    return properties


def price(name: str, expr: str) -> Column:
    """A column of prices in USD."""
    return Column(name, expr, NUMBER, decimals=PRICE_DECIMALS)
