"""Multi-Assets / Pegs and drops: what has lost value."""

from dashboards import lines
from dashboards.annotations import changes_by_binance
from dashboards.frame import Board, Placed, Row
from dashboards.limits import DRAWDOWN, DROP, DROP_OF_AN_HOUR, FDUSD, PEG, PEG_OF_FDUSD, USDT_PARITY
from dashboards.panels import except_for, named, tile
from dashboards.queries import (
    PRICE,
    TARGET,
    by_symbol,
    change,
    largest,
    largest_fall,
    of_margin_assets,
    recorded,
)
from dashboards.style import NUMBER, PRICE_DECIMALS, SHARE, Query
from dashboards.tables import Column, by_asset, price
from dashboards.variables import symbols, targets


def _of_margin(rule: str) -> str:
    return by_symbol(of_margin_assets(recorded(rule)))


_FROM_USDT = _of_margin("symbol:binance_asset_index_usdt_deviation:ratio")
_FROM_MEDIAN = _of_margin("symbol:binance_asset_index_median1h_deviation:ratio")
_OFF_PEG = _of_margin("symbol:binance_asset_index_depeg:ratio")
_BELOW_HIGH = _of_margin("symbol:binance_asset_index_drawdown24h:ratio")
_IN_USDT = _of_margin("symbol:binance_asset_index_usdt_price:median1h")


def build() -> Board:
    """The dashboard."""
    return Board(
        uid="binance-multi-assets-pegs-and-drops",
        title="Multi-Assets / Pegs and drops",
        description="Whether the dollar-like margin assets still are a dollar, whether the yield"
        " tokens hold their value, and what has moved most.",
        variables=[*targets(), symbols()],
        annotations=changes_by_binance(),
        rows=[
            Row(1, "Has any margin asset lost its peg, or fallen?", _tiles()),
            Row(2, "Is a dollar still a dollar?", _pegs()),
            Row(3, "Do the yield tokens hold their value?", _yield_tokens()),
            Row(4, "What has moved most?", _movers()),
        ],
    )


def _tiles() -> list[Placed]:
    usdt = f'binance_asset_index_price_usd{{{TARGET}, symbol="USDTUSD"}}'
    parity = tile(
        "USDT against 1 USD",
        "How far the index of USDT is from 1 USD. Alerts begin at 0.5% and at 1.5%.",
        Query(f"avg({usdt}) - 1", ""),
        SHARE,
        USDT_PARITY.distance(),
    )
    off_peg = tile(
        "Furthest off its peg",
        "The stablecoin that is furthest from its peg: from USDT, and from its own median of an"
        " hour or from 1 USD. If USDT alone moves, nothing shows here. FDUSD's limits are wider.",
        Query(largest(1, _OFF_PEG)),
        SHARE,
        PEG.rise(),
    )
    except_for(off_peg, FDUSD, PEG_OF_FDUSD.rise())
    below_high = tile(
        "Deepest below its high",
        "The yield token that is furthest below its high of 24 hours, priced in USDT.",
        Query(largest(1, _BELOW_HIGH)),
        SHARE,
        DRAWDOWN.rise(),
    )
    fall = tile(
        "Largest fall in 5 minutes",
        "The margin asset whose index fell most within the past 5 minutes.",
        Query(f"bottomk(1,\n{change('5m')}\n)"),
        SHARE,
        DROP.fall(),
    )
    return [Placed(each, 6, 4) for each in (parity, named(off_peg), named(below_high), named(fall))]


def _pegs() -> list[Placed]:
    from_usdt = lines.of_assets(
        "Stablecoins: distance from USDT",
        "index / index of USDT - 1. Below 0: the coin buys less than a USDT. All lines together:"
        " USDT itself has moved. Alerts begin at the dashed lines; FDUSD's are wider.",
        Query(_FROM_USDT),
        SHARE,
        highest_first=False,
    )
    from_median = lines.of_assets(
        "Distance from the median of an hour",
        "Stablecoins and yield tokens: index / its median of the past hour - 1. It shows a sudden"
        " move, whatever the usual price is. A lasting move fades here after half an hour; it stays"
        " in the chart beside.",
        Query(_FROM_MEDIAN),
        SHARE,
        highest_first=False,
    )
    return [
        Placed(lines.limits(each, PEG.lines_on_both_sides()), 12, 10)
        for each in (from_usdt, from_median)
    ]


def _yield_tokens() -> list[Placed]:
    below_high = lines.of_assets(
        "Yield tokens: below their high of 24 hours",
        "How far each token, priced in USDT, is below its high. Interest only adds, so 0% is usual"
        " and each rise of the line is a loss. Alerts begin at the dashed lines.",
        Query(_BELOW_HIGH),
        SHARE,
    )
    in_usdt = lines.of_assets(
        "Yield tokens: price in USDT",
        "The median of the past hour. It should rise a little each day; the slope is the interest.",
        Query(_IN_USDT),
        NUMBER,
    )
    return [
        Placed(lines.limits(below_high, DRAWDOWN.lines_above()).min(0), 12, 9),
        Placed(in_usdt.decimals(PRICE_DECIMALS), 12, 9),
    ]


def _movers() -> list[Placed]:
    margin_price = by_symbol(of_margin_assets(PRICE), "avg")
    at_left_edge = f"({PRICE} @ start() or avg_over_time({PRICE}[$__range] @ end()))"
    returns = lines.of_assets(
        "Returns since the left edge",
        "index / index at the left edge - 1, so that all margin assets share an axis. An asset that"
        " was missing at the left edge is compared with its average.",
        Query(f"{margin_price}\n/\n{by_symbol(at_left_edge, 'avg')} - 1"),
        SHARE,
        highest_first=False,
    )
    table = by_asset(
        "Movers",
        "Change of the index of each margin asset over three spans. Max fall: the lowest of the"
        " three. Orange and red: the falls at which alerts begin, 5% and 10% within 5 minutes, 10%"
        " and 20% within an hour. Click an asset to see it alone, or a head to sort.",
        [
            Column("Max fall", largest_fall(), SHARE),
            Column("5 minutes", change("5m"), SHARE, DROP.fall()),
            Column("1 hour", change("1h"), SHARE, DROP_OF_AN_HOUR.fall()),
            Column("24 hours", change("24h"), SHARE),
            price("Index, USD", by_symbol(of_margin_assets(PRICE))),
        ],
        sort="Max fall",
        descending=False,
    )
    return [Placed(returns, 12, 14), Placed(table, 12, 14)]
