"""Multi-Assets / Pegs and drops: what has lost value."""

from dashboards import lines
from dashboards.annotations import changes_by_binance
from dashboards.frame import Board, Placed, Row
from dashboards.panels import named, tile
from dashboards.queries import PRICE, TARGET, by_symbol, change, largest, recorded
from dashboards.style import GREEN, NUMBER, ORANGE, PRICE_DECIMALS, RED, SHARE, Query
from dashboards.tables import Column, by_asset, price

_FROM_USDT = by_symbol(recorded("symbol:binance_asset_index_usdt_deviation:ratio"))
_FROM_MEDIAN = by_symbol(recorded("symbol:binance_asset_index_median1h_deviation:ratio"))
_OFF_PEG = by_symbol(recorded("symbol:binance_asset_index_depeg:ratio"))
_DRAWDOWN = by_symbol(recorded("symbol:binance_asset_index_drawdown24h:ratio"))
_IN_USDT = by_symbol(recorded("symbol:binance_asset_index_usdt_price:median1h"))

_PEG = ((None, RED), (-0.01, ORANGE), (-0.003, GREEN), (0.003, ORANGE), (0.01, RED))
_USDT = ((None, RED), (-0.015, ORANGE), (-0.005, GREEN), (0.005, ORANGE), (0.015, RED))
_LOST = ((None, GREEN), (0.003, ORANGE), (0.01, RED))
_FALL = ((None, RED), (-0.1, ORANGE), (-0.05, GREEN))

_RULES = " Needs the recording rules."


def build() -> Board:
    """The dashboard."""
    return Board(
        uid="binance-multi-assets-pegs-and-drops",
        title="Multi-Assets / Pegs and drops",
        description="Whether the dollar-like assets still are a dollar, whether the yield tokens"
        " hold their value, and what has moved most.",
        annotations=changes_by_binance(),
        rows=[
            Row(1, "Has anything lost its peg, or fallen?", _tiles()),
            Row(2, "Is a dollar still a dollar?", _pegs()),
            Row(3, "Do the yield tokens hold their value?", _yield_tokens()),
            Row(4, "What has moved most?", _movers()),
        ],
    )


def _tiles() -> list[Placed]:
    usdt = f'binance_asset_index_price_usd{{{TARGET}, symbol="USDTUSD"}}'
    panels = [
        tile(
            "USDT against 1 USD",
            "How far the index of USDT is from 1 USD. Alerts begin at 0.5% and at 1.5%.",
            Query(f"avg({usdt}) - 1", ""),
            SHARE,
            _USDT,
        ),
        named(
            tile(
                "Furthest off its peg",
                "The stablecoin furthest from its peg: far from USDT, and from its own median of"
                " an hour or from 1 USD. When USDT alone moves, nothing shows here." + _RULES,
                Query(largest(1, _OFF_PEG)),
                SHARE,
                _LOST,
            )
        ),
        named(
            tile(
                "Deepest below its high",
                "The yield token that is furthest below its high of 24 hours, priced in USDT."
                + _RULES,
                Query(largest(1, _DRAWDOWN)),
                SHARE,
                _LOST,
            )
        ),
        named(
            tile(
                "Largest fall in 5 minutes",
                "The asset that has fallen most within the past 5 minutes.",
                Query(f"bottomk(1,\n{change('5m')}\n)"),
                SHARE,
                _FALL,
            )
        ),
    ]
    return [Placed(panel, 6, 4) for panel in panels]


def _pegs() -> list[Placed]:
    from_usdt = lines.lines(
        "Stablecoins: distance from USDT",
        "index / index of USDT - 1. Below 0: the coin buys less than a USDT. All lines together:"
        " it is USDT that has moved. Alerts begin at the dashed lines (FDUSD's are wider)."
        + _RULES,
        [Query(largest(10, _FROM_USDT))],
        SHARE,
    )
    from_median = lines.lines(
        "Stablecoins and yield tokens: distance from their median of an hour",
        "index / its median of the past hour - 1: a sudden move, whatever the price is used to be."
        " A lasting move fades here after half an hour; it stays in the picture beside." + _RULES,
        [Query(largest(10, _FROM_MEDIAN))],
        SHARE,
    )
    return [
        Placed(lines.limits(from_usdt, _PEG), 12, 10),
        Placed(lines.limits(from_median, _PEG), 12, 10),
    ]


def _yield_tokens() -> list[Placed]:
    drawdown = lines.lines(
        "Yield tokens: below their high of 24 hours",
        "How far each token, priced in USDT, is below its high. Interest only adds, so 0% is usual"
        " and each rise of the line is a loss. Alerts begin at the dashed lines." + _RULES,
        [Query(largest(10, _DRAWDOWN))],
        SHARE,
    )
    in_usdt = lines.lines(
        "Yield tokens: price in USDT",
        "The median of the past hour. It should rise a little each day; the slope is the interest."
        + _RULES,
        [Query(largest(10, _IN_USDT))],
        NUMBER,
    )
    return [
        Placed(lines.limits(drawdown, _LOST).min(0), 12, 10),
        Placed(in_usdt.decimals(PRICE_DECIMALS), 12, 10),
    ]


def _movers() -> list[Placed]:
    # of the shown time, hence one choice for all of it: the lines do not come and go
    restless = largest(
        10,
        by_symbol(
            f"stddev_over_time({PRICE}[$__range] @ end())"
            f" / avg_over_time({PRICE}[$__range] @ end())"
        ),
    )
    since_start = by_symbol(
        f"{PRICE} / ({PRICE} @ start() or avg_over_time({PRICE}[$__range] @ end())) - 1", "avg"
    )
    returns = lines.lines(
        "Returns since the left edge",
        "index / index at the left edge - 1, so that all assets share an axis; the ten that move"
        " most. One that was not there at the left edge is compared with its average.",
        [Query(f"{since_start}\nand\n{restless}")],
        SHARE,
    )
    table = by_asset(
        "Movers",
        "Change of the index over 5 minutes, 1 hour and 24 hours. Orange and red: falls of 5% and"
        " 10%. Click an asset to see it alone, or a head to sort.",
        [
            price("Index, USD", by_symbol(PRICE)),
            Column("5 minutes", change("5m"), SHARE, _FALL),
            Column("1 hour", change("1h"), SHARE, _FALL),
            Column("24 hours", change("24h"), SHARE, _FALL),
        ],
        sort="24 hours",
    )
    return [Placed(returns, 14, 14), Placed(table, 10, 14)]
