"""Multi-Assets / Asset: everything about each chosen asset, one below the other."""

from grafana_foundation_sdk.builders import stat, timeseries

from dashboards import lines
from dashboards.annotations import changes_by_binance
from dashboards.frame import Board, Placed, Row
from dashboards.limits import AGE as AGE_LIMITS
from dashboards.limits import FDUSD, PEG, PEG_OF_FDUSD
from dashboards.panels import numbers, tile, words
from dashboards.queries import (
    AGE,
    COIN,
    IS_MARGIN,
    PRICE,
    by_symbol,
    haircut,
    index,
    of_class,
    of_margin_assets,
    recorded,
)
from dashboards.style import (
    BLUE,
    GREEN,
    NUMBER,
    ORANGE,
    PLAIN_SECONDS,
    PRICE_DECIMALS,
    RED,
    SHARE,
    Query,
)
from dashboards.tables import ASSET_UID
from dashboards.variables import box, symbols, targets

_NOT_MARGIN = "not a margin asset, or no data"

_RATES = {
    "index": PRICE,
    "bid": of_margin_assets(index("bid_rate_usd")),
    "ask": of_margin_assets(index("ask_rate_usd")),
    "auto-exchange bid": of_margin_assets(index("auto_exchange_bid_rate_usd")),
    "auto-exchange ask": of_margin_assets(index("auto_exchange_ask_rate_usd")),
}

_HAIRCUTS = {
    "bid": ("bid", RED),
    "ask": ("ask", BLUE),
    "auto_exchange_bid": ("auto-exchange bid", ORANGE),
    "auto_exchange_ask": ("auto-exchange ask", GREEN),
}

_FROM_USDT = recorded("symbol:binance_asset_index_usdt_deviation:ratio")
_FROM_MEDIAN = recorded("symbol:binance_asset_index_median1h_deviation:ratio")
_HOUR = recorded("symbol:binance_asset_index_price_usd:change1h")
_AXIS_OF_DOLLARS = 0.001
"""At least: on an axis of 0.01% all ticks would be 0.00% or 0.01%."""
_LIMIT_LINES = "(warning|critical) .+"


def build() -> Board:
    """The dashboard."""
    row = Row(
        1,
        "What does $symbol count for, and what does it lose?",
        [
            Placed(_status(), 4, 4),
            Placed(_price(), 5, 4),
            Placed(_notional(), 15, 4),
            Placed(_bands(), 16, 11),
            Placed(_haircuts(), 8, 11),
            Placed(_movement(), 16, 9),
            Placed(_age(), 8, 9),
        ],
        repeat="symbol",
    )
    return Board(
        uid=ASSET_UID,
        title="Multi-Assets / Asset",
        description="The index of single assets, what a balance in them counts as margin, and what"
        " auto-exchange would cost. Select assets above.",
        variables=[
            *targets(),
            symbols("BTCUSD"),
            box("notional", "Amount, USD", "10000"),
        ],
        annotations=changes_by_binance(),
        rows=[row],
    )


def _status() -> stat.Panel:
    panel = tile(
        "Counts as margin?",
        "Whether Binance accepts $symbol as margin in Multi-Assets mode. COIN-M settlement assets"
        " have an index too, but do not count.",
        Query(f"max({IS_MARGIN} or 0 * {PRICE})", ""),
        NUMBER,
        [(None, BLUE)],
    )
    return words(panel, {"0": ("not a margin asset", BLUE), "1": ("yes", GREEN)})


def _price() -> stat.Panel:
    return tile(
        "$symbol: index, USD",
        "The price of one unit, as Binance published it for the last scrape.",
        Query(f"max({PRICE})", ""),
        NUMBER,
        [(None, BLUE)],
    ).decimals(PRICE_DECIMALS)


def _notional() -> stat.Panel:
    bid, ask = index("bid_rate_usd"), index("ask_rate_usd")
    sold = index("auto_exchange_bid_rate_usd")
    shares = {
        "counts as margin": (f"{bid} / {PRICE}", GREEN),
        "lost when auto-exchanged": (f"(1 - {sold} / {PRICE})", RED),
        "owed on top if it is a debt": (f"({ask} / {PRICE} - 1)", ORANGE),
    }
    panel = numbers(
        "$notional USD of $symbol, in USD",
        "For the amount above, at the index: what it counts as margin, what is lost when"
        " auto-exchange sells it, and what a debt of that size costs on top.",
        [
            Query(by_symbol(of_margin_assets(f"$notional * {share}")), name)
            for name, (share, _) in shares.items()
        ],
        NUMBER,
        {name: color for name, (_, color) in shares.items()},
        empty=_NOT_MARGIN,
    )
    return panel.decimals(2)


def _bands() -> timeseries.Panel:
    queries = [Query(by_symbol(expr), name) for name, expr in _RATES.items()]
    panel = lines.lines(
        "$symbol: index and its bands, USD",
        "Blue: the index. Red band: from what a positive balance counts as margin (bid) to what a"
        " negative one costs (ask). Orange band: the rates at which auto-exchange sells and buys."
        " A wider band: more is lost. No bands: not a margin asset.",
        queries,
        NUMBER,
    ).decimals(PRICE_DECIMALS)
    lines.beside(panel, ["lastNotNull"], "Last *")
    lines.colored(panel, {"index": BLUE})
    lines.band(panel, "ask", "bid", RED)
    return lines.band(panel, "auto-exchange ask", "auto-exchange bid", ORANGE)


def _haircuts() -> timeseries.Panel:
    queries = [Query(by_symbol(haircut(field)), name) for field, (name, _) in _HAIRCUTS.items()]
    panel = lines.lines(
        "$symbol: haircuts",
        "Binance's four buffers. A step up: from then on the asset counts for less, or a debt in"
        " it costs more. Dashed: the ask side, which is often equal to the bid side.",
        queries,
        SHARE,
    ).no_value(_NOT_MARGIN)
    lines.colored(panel, dict(_HAIRCUTS.values()))
    lines.dashed(panel, "ask", "auto-exchange ask")
    return lines.stepped(panel).line_width(2).min(0).axis_soft_max(_AXIS_OF_DOLLARS)


def _movement() -> timeseries.Panel:
    """Coins and dollars in one: a repeated row has the same panels for every asset."""
    shown = {
        "from USDT": _FROM_USDT,
        "from its median of 1 h": _FROM_MEDIAN,
        "change over 1 h": of_class(_HOUR, COIN),
    }
    queries = [Query(by_symbol(expr), name) for name, expr in shown.items()]
    panel = lines.lines(
        "$symbol: distance from its peg, or change over 1 h",
        "A coin: the change of its index over 1 hour; alerts begin at -10%. A dollar-like asset:"
        " its distance from USDT and from its own median of the past hour; alerts begin at the"
        " dashed lines. A token that accrues interest, and USDT: the distance from the median"
        " alone.",
        [*queries, *_peg_limits()],
        SHARE,
    ).no_value(_NOT_MARGIN)
    panel.axis_soft_min(-_AXIS_OF_DOLLARS).axis_soft_max(_AXIS_OF_DOLLARS)
    lines.colored(panel, dict(zip(shown, (BLUE, "purple", BLUE), strict=True)))
    lines.colored(panel, {f"warning {sign}": ORANGE for sign in "+-"})
    lines.colored(panel, {f"critical {sign}": RED for sign in "+-"})
    lines.dashed(panel, *(f"{each} {sign}" for each in ("warning", "critical") for sign in "+-"))
    return lines.unlisted(panel, f"/{_LIMIT_LINES}/")


def _peg_limits() -> list[Query]:
    """As series, so that a coin has none: dashed lines of a panel are there for every asset."""
    others = recorded("symbol:binance_asset_index_usdt_deviation:ratio", f', symbol!="{FDUSD}"')
    fdusd = recorded("symbol:binance_asset_index_usdt_deviation:ratio", f', symbol="{FDUSD}"')
    limits = {
        "warning": (PEG.warning, PEG_OF_FDUSD.warning),
        "critical": (PEG.critical, PEG_OF_FDUSD.critical),
    }
    return [
        Query(
            by_symbol(f"{sign}{most} + 0 * {others}\nor\n{sign}{own} + 0 * {fdusd}"),
            f"{name} {sign}",
        )
        for name, (most, own) in limits.items()
        for sign in "+-"
    ]


def _age() -> timeseries.Panel:
    panel = lines.lines(
        "$symbol: age of the index",
        "The age of the row at its scrape. A rising line: Binance answers, but the index has"
        " stopped updating. Alerts begin at the dashed lines.",
        [Query(by_symbol(AGE), "age")],
        PLAIN_SECONDS,
    )
    lines.colored(panel, {"age": BLUE})
    return lines.limits(panel, AGE_LIMITS.lines_above()).min(0).decimals(0)
