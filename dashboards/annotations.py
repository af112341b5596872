"""What Binance has changed, marked in all charts of a dashboard.

Grafana fills labels into the text of a mark, but not its value. So `count_values` turns the amount
into a label; the value that remains is above zero, as Grafana wants it for a mark.
"""

from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery

from dashboards.queries import IS_MARGIN, TARGET, recorded
from dashboards.style import DATASOURCE

# A point of the chart stands for an interval, which is compared with what was known before it:
# so each change is marked once, on a chart of an hour and on one of a month.
_HAIRCUT = recorded("symbol_buffer:binance_asset_index_haircut:ratio")
_WAS = f"last_over_time({_HAIRCUT}[6h] offset $__interval)"
_RISE = f"max by (symbol) (max_over_time({_HAIRCUT}[$__interval]) - {_WAS}) > 1e-6"
_FALL = f"min by (symbol) (min_over_time({_HAIRCUT}[$__interval]) - {_WAS}) < -1e-6"

_NOW = f"last_over_time({IS_MARGIN}[1h])"
_BEFORE = f"last_over_time({IS_MARGIN}[6h] offset $__interval)"

# margin_assets was not switched on or off meanwhile, and there was a page to compare with
_LIST = f"instance:binance_asset_index_margin_list:bool{{{TARGET}}}"
_COMPARABLE = (
    f"and ignoring (symbol) last_over_time({_LIST}[1h])"
    f" == last_over_time({_LIST}[6h] offset $__interval)"
)


@dataclass(frozen=True)
class _Mark:
    title: str
    color: str
    expr: str
    text: str = "{{symbol}}"


_MARKS = (
    _Mark("Haircut raised", "red", _RISE, "{{symbol}}: +{{points}} points"),
    _Mark("Haircut lowered", "green", _FALL, "{{symbol}}: {{points}} points"),
    _Mark("Margin asset removed", "dark-red", f"{_NOW} == 0 and {_BEFORE} == 1 {_COMPARABLE}"),
    _Mark("Margin asset added", "blue", f"{_NOW} == 1 unless {_BEFORE} == 1 {_COMPARABLE}"),
)


def changes_by_binance() -> list[AnnotationQuery]:
    """Haircuts and margin assets. Nobody needs a switch for each: they are hidden above."""
    return [
        AnnotationQuery()
        .name(mark.title)
        .datasource(DATASOURCE)
        .enable(True)
        .hide(True)
        .icon_color(mark.color)
        .expr(_counted(mark))
        .step("15s")
        .title_format(mark.title)
        .text_format(mark.text)
        for mark in _MARKS
    ]


def _counted(mark: _Mark) -> str:
    if "points" in mark.text:
        return f'count_values by (symbol) ("points", round(100 * ({mark.expr}), 0.01))'
    return f"count by (symbol) ({mark.expr})"
