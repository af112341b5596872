"""What all panels share: colours with a meaning, units, and how a query is attached."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")

# Red: money is lost. Orange: a warning. Green: as it should be. Blue: neutral.
RED, ORANGE, YELLOW, GREEN, BLUE = "red", "orange", "dark-yellow", "green", "blue"
NEUTRAL = "text"

ON_TILE = {color: f"dark-{color}" for color in (RED, ORANGE, GREEN, BLUE)}
ON_TILE |= {YELLOW: YELLOW, NEUTRAL: "#6E7178"}
"""The same as a background, dark enough for white text."""

# One colour for each margin asset, distinct in both themes; the same in every panel.
ASSET_COLORS = {
    "BTCUSD": "#F28E2B",
    "ETHUSD": "#7A7FD6",
    "BNBUSD": "#D9B000",
    "USDTUSD": "#2CA58D",
    "USDCUSD": "#3D85D8",
    "FDUSDUSD": "#7FB13D",
    "USD1USD": "#B07AA1",
    "UUSD": "#E0699F",
    "BNFCRUSD": "#8F8F8F",
    "BFUSDUSD": "#A9745A",
    "LDUSDTUSD": "#17A7C4",
    "RWUSDUSD": "#C7922E",
}

SHARE = "percentunit"
NUMBER = "locale"  # 64,180.5: the units for money and counts would make 64.2K of it
SECONDS = "s"
PLAIN_SECONDS = "suffix:s"  # on an axis, where "s" would make 8.33 mins of 500 s
BYTES = "bytes"
SHARE_DECIMALS = 2
PRICE_DECIMALS = 5
MONEY_DECIMALS = 2

Steps = Sequence[tuple[float | None, str]]
"""Colours, each from a value on; the first from None, which is minus infinity."""


_RECORDED = re.compile(r"[a-z]:binance")


@dataclass(frozen=True)
class Query:
    """PromQL, and the name of its series."""

    expr: str
    legend: str = "{{symbol}}"


class _Panel(Protocol):
    """What the SDK's panels have in common."""

    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def datasource(self, datasource: common.DataSourceRef) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def decimals(self, decimals: float) -> Self: ...
    def no_value(self, no_value: str) -> Self: ...
    def with_target(self, target: Builder[Dataquery]) -> Self: ...


_P = TypeVar("_P", bound=_Panel)


def asking(
    panel: _P,
    title: str,
    description: str,
    unit: str,
    queries: Sequence[Query],
    *,
    now: bool = False,
    form: PromQueryFormat = PromQueryFormat.TIME_SERIES,
) -> _P:
    """Attach what every panel has.

    Args:
        panel: The SDK's builder.
        title: What it shows.
        description: How to read it.
        unit: Grafana's name of the unit.
        queries: In the order of their letters, A first.
        now: Whether to query the last moment only.
        form: How Grafana shapes the result.
    """
    panel.title(title).description(description).datasource(DATASOURCE).unit(unit)
    panel.no_value(_hint(queries))
    if unit == SHARE:
        panel.decimals(SHARE_DECIMALS)
    for number, query in enumerate(queries):
        target = prometheus.Dataquery().ref_id(letter(number)).datasource(DATASOURCE)
        target.expr(query.expr).legend_format(query.legend).format(form)
        panel.with_target(target.instant() if now else target.range())
    return panel


def _hint(queries: Sequence[Query]) -> str:
    """What an empty panel says."""
    if any("binance_collateral" in query.expr for query in queries):
        return "No data. Has Prometheus loaded rules/collateral.yaml and your holdings?"
    recorded = [query.expr for query in queries if _RECORDED.search(query.expr)]
    if any("$symbol" in expr for expr in recorded):  # a coin is no stablecoin
        return "No data for the selected assets, or rules/recording.yaml is not loaded"
    if recorded:
        return "No data. Has Prometheus loaded rules/recording.yaml?"
    return "No data. Does Prometheus scrape the exporter?"


def letter(number: int) -> str:
    """The name Grafana gives to a panel's query."""
    return chr(ord("A") + number)


def thresholds(steps: Steps) -> builders.ThresholdsConfig:
    """Colours by value."""
    return (
        builders.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value, color) for value, color in steps])
    )


def by_threshold() -> builders.FieldColor:
    """Take the colour from the thresholds."""
    return builders.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)


def fixed(color: str) -> models.DynamicConfigValue:
    """One colour for a series."""
    return models.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})
