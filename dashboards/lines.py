"""Lines over time."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import common, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue as Property

from dashboards.style import Query, Steps, asking, fixed, thresholds


def lines(title: str, description: str, queries: Sequence[Query], unit: str) -> timeseries.Panel:
    """Lines, and beneath them a table of their last, lowest and highest values."""
    panel = asking(timeseries.Panel(), title, description, unit, queries)
    legend = common.VizLegendOptions().show_legend(True).calcs(["lastNotNull", "min", "max"])
    legend.display_mode(options.LegendDisplayMode.TABLE).placement(options.LegendPlacement.BOTTOM)
    tooltip = common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI)
    panel.legend(legend).tooltip(tooltip.sort(options.SortOrder.DESCENDING))
    panel.line_width(1).fill_opacity(0).show_points(options.VisibilityMode.NEVER)
    # by name: an asset has the same colour in every panel
    mode = models.FieldColorModeId.PALETTE_CLASSIC_BY_NAME
    return panel.color_scheme(builders.FieldColor().mode(mode))


def stepped(panel: timeseries.Panel) -> timeseries.Panel:
    """For values that hold until they change."""
    return panel.line_interpolation(options.LineInterpolation.STEP_AFTER)


def logarithmic(panel: timeseries.Panel) -> timeseries.Panel:
    """An axis on which 0.01% and 10% are both seen."""
    scale = common.ScaleDistributionConfig().type(options.ScaleDistribution.LOG).log(10)
    return panel.scale_distribution(scale)


def limits(panel: timeseries.Panel, steps: Steps) -> timeseries.Panel:
    """Dashed lines where alerts begin."""
    style = common.GraphThresholdsStyleConfig().mode(options.GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(thresholds(steps)).thresholds_style(style)


def colored(panel: timeseries.Panel, colors: Mapping[str, str]) -> timeseries.Panel:
    """Give series a colour by their name."""
    for name, color in colors.items():
        panel.override_by_name(name, [fixed(color)])
    return panel


def band(panel: timeseries.Panel, upper: str, lower: str, color: str) -> timeseries.Panel:
    """Fill between two series."""
    colored(panel, {upper: color, lower: color})
    fill = [Property("custom.fillBelowTo", lower), Property("custom.fillOpacity", 15)]
    return panel.override_by_name(upper, fill)


def stacked(panel: timeseries.Panel) -> timeseries.Panel:
    """Bars on top of each other, for counts."""
    stacking = common.StackingConfig().mode(options.StackingMode.NORMAL).group("A")
    panel.draw_style(options.GraphDrawStyle.BARS).fill_opacity(80)
    return panel.stacking(stacking).min(0)
