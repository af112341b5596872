"""What Binance has changed, marked in all pictures of a dashboard.

The series are recorded ones: without the recording rules nothing is marked. Grafana marks values
above zero only, hence the counts.
"""

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery

from dashboards.queries import TARGET, recorded
from dashboards.style import DATASOURCE

_CHANGE = recorded("symbol_buffer:binance_asset_index_haircut:delta10m")

_IS_MARGIN = recorded("symbol:binance_asset_index_margin_asset:bool")
_NOW = f"last_over_time({_IS_MARGIN}[1h])"
_BEFORE = f"last_over_time({_IS_MARGIN}[6h] offset 10m)"

# margin_assets was not switched on or off meanwhile, and there was a page to compare with
_LIST = f"instance:binance_asset_index_margin_list:bool{{{TARGET}}}"
_COMPARABLE = (
    f"and ignoring (symbol) last_over_time({_LIST}[1h]) == last_over_time({_LIST}[6h] offset 10m)"
)

_EVENTS = {
    # over the interval: on a picture of a month a point stands for more than 10 minutes
    ("Haircut raised", "red"): f"max_over_time({_CHANGE}[$__interval]) > 1e-6",
    ("Haircut lowered", "green"): f"min_over_time({_CHANGE}[$__interval]) < -1e-6",
    ("Margin asset removed", "dark-red"): f"{_NOW} == 0 and {_BEFORE} == 1 {_COMPARABLE}",
    ("Margin asset added", "blue"): f"{_NOW} == 1 unless {_BEFORE} == 1 {_COMPARABLE}",
}


def changes_by_binance() -> list[AnnotationQuery]:
    """Haircuts and margin assets."""
    return [
        AnnotationQuery()
        .name(name)
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color(color)
        .expr(f"count by (symbol) ({expr})")
        .step("1m")
        .title_format(name)
        .text_format("{{symbol}}")
        for (name, color), expr in _EVENTS.items()
    ]
