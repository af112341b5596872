"""Charts of lines, and bars, over time."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import common, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue as Property

from dashboards.style import (
    ASSET_COLORS,
    Query,
    Steps,
    asking,
    fixed,
    thresholds,
)


def lines(title: str, description: str, queries: Sequence[Query], unit: str) -> timeseries.Panel:
    """Lines, and beneath them a table of their last, lowest and highest values."""
    panel = asking(timeseries.Panel(), title, description, unit, queries)
    tooltip = common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI)
    panel.legend(_legend(["lastNotNull", "min", "max"]))
    panel.tooltip(tooltip.sort(options.SortOrder.DESCENDING))
    panel.line_width(1).fill_opacity(0).show_points(options.VisibilityMode.NEVER)
    return panel.color_scheme(builders.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC))


def of_assets(
    title: str, description: str, query: Query, unit: str, *, highest_first: bool = True
) -> timeseries.Panel:
    """A line for each asset in the asset's colour; beside them a table sorted by the last value."""
    panel = colored(lines(title, description, [query], unit), ASSET_COLORS)
    by_name = models.FieldColorModeId.PALETTE_CLASSIC_BY_NAME  # of those that are not listed
    panel.color_scheme(builders.FieldColor().mode(by_name))
    extreme = "max" if highest_first else "min"
    return beside(panel, ["lastNotNull", extreme], "Last *", descending=highest_first)


def beside(
    panel: timeseries.Panel, calcs: list[str], sort: str, *, descending: bool = True
) -> timeseries.Panel:
    """Move the table to the right of the lines, and sort it."""
    legend = _legend(calcs).placement(options.LegendPlacement.RIGHT)
    return panel.legend(legend.sort_by(sort).sort_desc(descending))


def counts(
    title: str, description: str, query: Query, unit: str, colors: Mapping[str, str]
) -> timeseries.Panel:
    """Bars on top of each other; the table begins with the largest."""
    panel = colored(lines(title, description, [query], unit), colors)
    stacking = common.StackingConfig().mode(options.StackingMode.NORMAL).group("A")
    panel.draw_style(options.GraphDrawStyle.BARS).fill_opacity(80).stacking(stacking)
    panel.min(0).axis_soft_max(1)
    return panel.legend(_legend(["max", "lastNotNull"]).sort_by("Max").sort_desc(True))


def areas(panel: timeseries.Panel) -> timeseries.Panel:
    """Areas on top of each other; what is negative goes below zero."""
    stacking = common.StackingConfig().mode(options.StackingMode.NORMAL).group("A")
    return panel.fill_opacity(50).stacking(stacking)


def stepped(panel: timeseries.Panel) -> timeseries.Panel:
    """For values that hold until they change."""
    return panel.line_interpolation(options.LineInterpolation.STEP_AFTER)


def limits(panel: timeseries.Panel, steps: Steps) -> timeseries.Panel:
    """Dashed lines where alerts begin, and an axis that reaches them."""
    style = common.GraphThresholdsStyleConfig().mode(options.GraphThresholdsStyleMode.DASHED)
    values = [value for value, _ in steps if value is not None]
    panel.axis_soft_max(1.1 * max(values))
    if min(values) < 0:
        panel.axis_soft_min(1.1 * min(values))
    return panel.thresholds(thresholds(steps)).thresholds_style(style)


def colored(panel: timeseries.Panel, colors: Mapping[str, str]) -> timeseries.Panel:
    """Give series a colour by their name."""
    for name, color in colors.items():
        panel.override_by_name(name, [fixed(color)])
    return panel


def dashed(panel: timeseries.Panel, *names: str) -> timeseries.Panel:
    """Let what lies beneath some lines be seen through them."""
    style = common.LineStyle().fill("dash").dash([8, 8]).build()
    for name in names:
        panel.override_by_name(name, [Property("custom.lineStyle", style)])
    return panel


def unlisted(panel: timeseries.Panel, pattern: str) -> timeseries.Panel:
    """Keep some lines out of the table and the tooltip."""
    hidden = {"legend": True, "tooltip": True, "viz": False}
    return panel.override_by_regexp(pattern, [Property("custom.hideFrom", hidden)])


def band(panel: timeseries.Panel, upper: str, lower: str, color: str) -> timeseries.Panel:
    """Fill between two series."""
    colored(panel, {upper: color, lower: color})
    fill = [Property("custom.fillBelowTo", lower), Property("custom.fillOpacity", 15)]
    return panel.override_by_name(upper, fill)


def _legend(calcs: list[str]) -> common.VizLegendOptions:
    legend = common.VizLegendOptions().show_legend(True).calcs(calcs)
    legend.display_mode(options.LegendDisplayMode.TABLE)
    return legend.placement(options.LegendPlacement.BOTTOM)
