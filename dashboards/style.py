"""What all panels share: colours with a meaning, units, and how a query is attached."""

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

# Red loses money, orange is on the way there, green is as it should be; blue says neither.
RED, ORANGE, YELLOW, GREEN, BLUE = "red", "orange", "yellow", "green", "blue"

SHARE = "percentunit"
NUMBER = "locale"  # 64,180.5: the units for money and counts would make 64.2K of it
SECONDS = "s"
BYTES = "bytes"
PRICE_DECIMALS = 5

Steps = Sequence[tuple[float | None, str]]
"""Colours, each from a value on; the first from None, which is minus infinity."""


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
        panel: the SDK's builder.
        title: what it shows.
        description: how to read it.
        unit: Grafana's name of the unit.
        queries: in the order of their letters, A first.
        now: whether to ask for the last moment only.
        form: how Grafana shapes the answer.
    """
    panel.title(title).description(description).datasource(DATASOURCE).unit(unit)
    for number, query in enumerate(queries):
        target = prometheus.Dataquery().ref_id(letter(number)).datasource(DATASOURCE)
        target.expr(query.expr).legend_format(query.legend).format(form)
        panel.with_target(target.instant() if now else target.range())
    return panel


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
