"""Tiles, bands of states, and the heat map."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import common, heatmap, stat, statetimeline
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue as Property
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.style import (
    BLUE,
    NEUTRAL,
    NUMBER,
    ON_TILE,
    SECONDS,
    Query,
    Steps,
    asking,
    by_threshold,
    fixed,
    thresholds,
)


def tile(title: str, description: str, query: Query, unit: str, steps: Steps) -> stat.Panel:
    """One number of now, on its colour."""
    panel = asking(stat.Panel(), title, description, unit, [query], now=True)
    panel.mappings([_nothing("no data", ON_TILE[NEUTRAL])])
    panel.thresholds(thresholds(backgrounds(steps))).color_scheme(by_threshold())
    panel.color_mode(options.BigValueColorMode.BACKGROUND_SOLID)
    panel.graph_mode(options.BigValueGraphMode.NONE)
    return panel.text_mode(options.BigValueTextMode.VALUE).reduce_options(_last())


def except_for(panel: stat.Panel, name: str, steps: Steps) -> stat.Panel:
    """Give one series colours from other values on."""
    own = Property("thresholds", thresholds(backgrounds(steps)).build())
    return panel.override_by_name(name, [own])


def named(panel: stat.Panel) -> stat.Panel:
    """Show the series' name above the number."""
    return panel.text_mode(options.BigValueTextMode.VALUE_AND_NAME).wide_layout(False)


def only_name(panel: stat.Panel) -> stat.Panel:
    """Show the series' name in place of the number."""
    return panel.text_mode(options.BigValueTextMode.NAME)


def listed(panel: stat.Panel) -> stat.Panel:
    """Show the names of several series, one below the other."""
    return only_name(panel).orientation(options.VizOrientation.HORIZONTAL)


def backgrounds(steps: Steps) -> Steps:
    """The shades that tiles have."""
    return [(value, ON_TILE[color]) for value, color in steps]


def words(panel: stat.Panel, values: Mapping[str, tuple[str, str]]) -> stat.Panel:
    """Show a word and its colour in place of some numbers."""
    shades = {value: (word, ON_TILE[color]) for value, (word, color) in values.items()}
    return panel.mappings([_nothing("no data", ON_TILE[NEUTRAL]), words_for(shades)])


def words_for(values: Mapping[str, tuple[str, str]]) -> models.ValueMap:
    """Words and their colours by number."""
    return models.ValueMap(
        {
            value: models.ValueMappingResult(text=word, color=color, index=number)
            for number, (value, (word, color)) in enumerate(values.items())
        }
    )


def numbers(
    title: str,
    description: str,
    queries: Sequence[Query],
    unit: str,
    colors: Mapping[str, str],
    *,
    empty: str = "no data",
) -> stat.Panel:
    """Some numbers of now beside each other, each of its colour."""
    panel = asking(stat.Panel(), title, description, unit, queries, now=True)
    panel.mappings([_nothing(empty, NEUTRAL)])
    panel.color_mode(options.BigValueColorMode.VALUE).graph_mode(options.BigValueGraphMode.NONE)
    named(panel).reduce_options(_last())
    for name, color in colors.items():
        panel.override_by_name(name, [fixed(color)])
    return panel


def colored_by_value(panel: stat.Panel, name: str, steps: Steps) -> stat.Panel:
    """Give one of the numbers a colour that depends on it."""
    own = [
        Property("thresholds", thresholds(steps).build()),
        Property("color", by_threshold().build()),
    ]
    return panel.override_by_name(name, own)


def states(
    title: str, description: str, query: Query, unit: str, steps: Steps
) -> statetimeline.Panel:
    """A band in time for each series, in pieces of one value.

    The colours come from ranges of values. Thresholds would do the same, but Grafana then joins
    what has the same colour, and 5% and 10% become one piece.
    """
    panel = asking(statetimeline.Panel(), title, description, unit, [query])
    neutral = builders.FieldColor().mode(models.FieldColorModeId.FIXED).fixed_color(BLUE)
    panel.mappings(_ranges(steps)).color_scheme(neutral).merge_values(True)
    panel.show_value(options.VisibilityMode.AUTO).line_width(1).fill_opacity(80)
    panel.row_height(0.85)
    return panel.legend(common.VizLegendOptions().show_legend(False))


def _nothing(text: str, color: str) -> models.SpecialValueMap:
    """What stands in place of a number that is missing; without this it would be green."""
    return models.SpecialValueMap(
        models.DashboardSpecialValueMapOptions(
            match=models.SpecialValueMatch.NULL_AND_NAN,
            result=models.ValueMappingResult(text=text, color=color, index=0),
        )
    )


def _ranges(steps: Steps) -> list[models.ValueMapping]:
    ends = [value for value, _ in steps[1:]] + [None]
    return [
        models.RangeMap(
            models.DashboardRangeMapOptions(
                from_val=begin,
                to=None if end is None else end - 1e-9,  # both ends belong to a range
                result=models.ValueMappingResult(color=color, index=number),
            )
        )
        for number, ((begin, color), end) in enumerate(zip(steps, ends, strict=True))
    ]


def latencies(title: str, description: str, buckets: str) -> heatmap.Panel:
    """A heat map over the buckets of a histogram in seconds."""
    panel = heatmap.Panel()
    query = Query(buckets, "{{le}}")
    asking(panel, title, description, NUMBER, [query], form=PromQueryFormat.HEATMAP)
    color = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues")
    panel.calculate(False).color(color.exponent(0.5).steps(64).min(0))
    return panel.y_axis(heatmap.YAxisConfig().unit(SECONDS))


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])
