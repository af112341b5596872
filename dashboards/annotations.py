"""What Binance has changed, marked in all charts of a dashboard.

Grafana fills labels into the text of a mark, but not its value. So `count_values` turns the amount
into a label; the value that remains is above zero, as Grafana wants it for a mark.
"""

from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery

from dashboards.queries import JOB, RECORDED
from dashboards.style import DATASOURCE


@dataclass(frozen=True)
class _Mark:
    title: str
    color: str
    expr: str
    text: str = "{{symbol}}"


def changes_by_binance(job: str = JOB, symbol: str = RECORDED) -> list[AnnotationQuery]:
    """Haircuts and margin assets. Nobody needs a switch for each: they are hidden above.

    Args:
        job: Selects the jobs.
        symbol: Selects the jobs and the assets.
    """
    return [
        AnnotationQuery()
        .name(mark.title)
        .datasource(DATASOURCE)
        .enable(True)
        .hide(True)
        .icon_color(mark.color)
        .expr(mark.expr)
        .step("15s")
        .title_format(mark.title)
        .text_format(mark.text)
        for mark in (*_of_haircuts(symbol), *_of_margin_assets(job, symbol))
    ]


# A point of the chart stands for an interval, which is compared with what was known before it:
# so each change is marked once, on a chart of an hour and on one of a month.


def _of_haircuts(symbol: str) -> tuple[_Mark, ...]:
    haircut = f"symbol_buffer:binance_asset_index_haircut:ratio{{{symbol}}}"
    was = f"last_over_time({haircut}[6h] offset $__interval)"
    rise = f"max by (symbol) (max_over_time({haircut}[$__interval]) - {was}) > 1e-6"
    fall = f"min by (symbol) (min_over_time({haircut}[$__interval]) - {was}) < -1e-6"
    return (
        _Mark("Haircut raised", "red", _in_points(rise), "{{symbol}}: +{{points}} points"),
        _Mark("Haircut lowered", "green", _in_points(fall), "{{symbol}}: {{points}} points"),
    )


def _in_points(change: str) -> str:
    return f'count_values by (symbol) ("points", round(100 * ({change}), 0.01))'


def _of_margin_assets(job: str, symbol: str) -> tuple[_Mark, ...]:
    is_margin = f"symbol:binance_asset_index_margin_asset:bool{{{symbol}}}[$__interval]"
    now, before = f"last_over_time({is_margin})", f"last_over_time({is_margin} offset $__interval)"
    # margin_assets was not switched on or off meanwhile, and there was a page to compare with
    listed = f"job:binance_asset_index_margin_list:bool{{{job}}}[$__interval]"
    comparable = (
        f"and on (job) last_over_time({listed}) == last_over_time({listed} offset $__interval)"
    )
    removed = f"count by (symbol) ({before} unless {now} {comparable})"
    added = f"count by (symbol) ({now} unless {before} {comparable})"
    return (
        _Mark("Margin asset removed", "dark-red", removed),
        _Mark("Margin asset added", "blue", added),
    )
