"""Tiles, bars, states and the heat map."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import bargauge, common, heatmap, stat, statetimeline
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.style import (
    NUMBER,
    SECONDS,
    Query,
    Steps,
    asking,
    by_threshold,
    fixed,
    thresholds,
)

_BARS_AT_MOST = 40


def tile(title: str, description: str, query: Query, unit: str, steps: Steps) -> stat.Panel:
    """One number of now, on its colour."""
    panel = asking(stat.Panel(), title, description, unit, [query], now=True)
    panel.thresholds(thresholds(steps)).color_scheme(by_threshold())
    panel.color_mode(options.BigValueColorMode.BACKGROUND)
    panel.graph_mode(options.BigValueGraphMode.NONE)
    return panel.text_mode(options.BigValueTextMode.VALUE).reduce_options(_last())


def named(panel: stat.Panel) -> stat.Panel:
    """Show the series' name above the number."""
    return panel.text_mode(options.BigValueTextMode.VALUE_AND_NAME)


def only_name(panel: stat.Panel) -> stat.Panel:
    """Show the series' name in place of the number."""
    return panel.text_mode(options.BigValueTextMode.NAME)


def words(panel: stat.Panel, values: Mapping[str, tuple[str, str]]) -> stat.Panel:
    """Show a word and its colour in place of some numbers."""
    results = {
        value: models.ValueMappingResult(text=word, color=color, index=number)
        for number, (value, (word, color)) in enumerate(values.items())
    }
    return panel.mappings([models.ValueMap(results)])


def numbers(
    title: str, description: str, queries: Sequence[Query], unit: str, colors: Mapping[str, str]
) -> stat.Panel:
    """Some numbers beside each other, each of its colour, with their course behind them."""
    panel = asking(stat.Panel(), title, description, unit, queries)
    panel.color_mode(options.BigValueColorMode.VALUE).graph_mode(options.BigValueGraphMode.AREA)
    panel.text_mode(options.BigValueTextMode.VALUE_AND_NAME).reduce_options(_last()).decimals(2)
    for name, color in colors.items():
        panel.override_by_name(name, [fixed(color)])
    return panel


def bars(
    title: str, description: str, query: Query, unit: str, *, label: str, steps: Steps
) -> bargauge.Panel:
    """A bar for each value of the one label that the query leaves, in alphabetical order."""
    panel = bargauge.Panel()
    asking(panel, title, description, unit, [query], now=True, form=PromQueryFormat.TABLE)
    panel.thresholds(thresholds(steps)).color_scheme(by_threshold()).min(0)
    panel.display_mode(options.BarGaugeDisplayMode.BASIC).min_viz_height(8)
    panel.orientation(options.VizOrientation.HORIZONTAL)
    panel.reduce_options(_last().values(True).limit(_BARS_AT_MOST))
    without_time = {"excludeByName": {"Time": True}, "indexByName": {}, "renameByName": {}}
    panel.with_transformation(models.DataTransformerConfig("organize", options=without_time))
    in_order = {"fields": {}, "sort": [{"field": label}]}
    return panel.with_transformation(models.DataTransformerConfig("sortBy", options=in_order))


def states(
    title: str, description: str, query: Query, unit: str, steps: Steps
) -> statetimeline.Panel:
    """A band in time for each series, in pieces of one value."""
    panel = asking(statetimeline.Panel(), title, description, unit, [query])
    panel.thresholds(thresholds(steps)).color_scheme(by_threshold()).merge_values(True)
    panel.show_value(options.VisibilityMode.AUTO).line_width(0).fill_opacity(80)
    return panel.legend(common.VizLegendOptions().show_legend(False))


def latencies(title: str, description: str, buckets: str) -> heatmap.Panel:
    """A heat map over the buckets of a histogram in seconds."""
    panel = heatmap.Panel()
    query = Query(buckets, "{{le}}")
    asking(panel, title, description, NUMBER, [query], form=PromQueryFormat.HEATMAP)
    color = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues")
    panel.calculate(False).color(color.exponent(0.5).steps(64))
    return panel.y_axis(heatmap.YAxisConfig().unit(SECONDS))


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])
