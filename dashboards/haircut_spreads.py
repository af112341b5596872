"""Multi-Assets / Haircut spreads: the dashboard to begin with."""

from grafana_foundation_sdk.builders import stat, timeseries

from dashboards import lines
from dashboards.alerts import firing
from dashboards.annotations import changes_by_binance
from dashboards.frame import Board, Placed, Row
from dashboards.limits import AGE as AGE_LIMITS
from dashboards.limits import HAIRCUT_RISE
from dashboards.panels import colored_by_value, named, numbers, states, tile, words
from dashboards.queries import (
    AGE,
    COIN,
    DOLLAR_LIKE,
    IS_MARGIN,
    PRICE,
    auto_exchange_spread,
    by_symbol,
    change,
    haircut,
    index,
    largest,
    of_class,
    of_margin_assets,
    scrape,
    spread,
)
from dashboards.style import (
    BLUE,
    GREEN,
    NEUTRAL,
    NUMBER,
    ORANGE,
    PLAIN_SECONDS,
    RED,
    SHARE,
    YELLOW,
    Query,
)
from dashboards.tables import Column, by_asset, price
from dashboards.variables import symbols, targets

HAIRCUT = ((None, GREEN), (0.01, YELLOW), (0.05, ORANGE), (0.1, RED))
"""By size: what is lost of the value. A change from 5% to 10% changes the colour."""

SPREAD = tuple((value and 1.999 * value, color) for value, color in HAIRCUT)
"""The same for both sides together; a quotient of rates may be a little below 10%."""


_IN_A_DAY = "24 h change"


def build() -> Board:
    """The dashboard."""
    return Board(
        uid="binance-multi-assets-haircut-spreads",
        title="Multi-Assets / Haircut spreads",
        description="What each asset is worth as margin on Binance USDⓈ-M futures, and whether"
        " Binance has changed it.",
        variables=[*targets(), symbols()],
        annotations=changes_by_binance(),
        rows=[
            Row(1, "Is anything wrong, and is the index live?", _tiles()),
            Row(2, "What does each asset lose between bid and ask?", _spreads()),
            Row(4, "What are the terms of every margin asset now?", [_table()]),
            Row(5, "When did a haircut change?", [_steps()]),
            Row(3, "What is lost at auto-exchange?", _auto_exchange_spreads()),
        ],
    )


def _tiles() -> list[Placed]:
    live = words(
        tile(
            "Index",
            "Live: the last scrape of every selected exporter returned the index. No index: one"
            " failed, or none was scraped in the past 5 minutes. The dashboard Exporter and API"
            " shows why.",
            Query(f"min({scrape('binance_asset_index_up')}) or vector(0)", ""),
            NUMBER,
            [(None, RED), (1, GREEN)],
        ),
        {"0": ("no index", RED), "1": ("live", GREEN)},
    )
    age = tile(
        "Index age",
        "The age of the oldest row at its scrape. Binance computes the index every second. Above"
        " 30 s the index has stopped updating, and so have all prices below.",
        Query(f"max({AGE})", ""),
        PLAIN_SECONDS,
        AGE_LIMITS.rise(),
    ).decimals(0)
    widest = named(
        tile(
            "Widest spread",
            "The asset with the widest haircut spread: (ask rate - bid rate) / index.",
            Query(largest(1, by_symbol(spread()))),
            SHARE,
            SPREAD,
        )
    )
    selected = 'job=~"$job|", instance=~"$instance|", symbol=~"$symbol|"'
    return [
        Placed(firing(selected, scrape("instance:binance_asset_index_down:bool")), 5, 5),
        Placed(live, 3, 5),
        Placed(age, 3, 5),
        Placed(_margin_assets(), 4, 5),
        Placed(_lost(), 5, 5),
        Placed(widest, 4, 5),
    ]


def _margin_assets() -> stat.Panel:
    now = f"count(\n  {by_symbol(f'{IS_MARGIN} == 1')}\n)"
    day_ago = now.replace(IS_MARGIN, f"last_over_time({IS_MARGIN}[1h] offset 24h)")
    panel = numbers(
        "Margin assets",
        "How many of the selected assets count as margin now, and how many more or less than 24"
        " hours ago. COIN-M settlement assets are on Binance's list too, without a haircut, but"
        " they do not count as margin.",
        [Query(now, "now"), Query(f"{now}\n-\n{day_ago}", _IN_A_DAY)],
        NUMBER,
        {"now": BLUE},
    )
    return colored_by_value(panel, _IN_A_DAY, [(None, RED), (0, NEUTRAL), (1, BLUE)])


def _lost() -> stat.Panel:
    bid = index("bid_buffer_ratio")
    raised = of_margin_assets(
        f"10000 * round(\n"
        f"  {bid}\n"
        f"  -\n"
        f"  (last_over_time({bid}[1h] offset 24h) or min_over_time({bid}[24h])),\n"
        f"  1e-8\n"
        f")"
    )
    removed = (
        f"10000 * (1 - min_over_time({bid}[24h]))\n"
        f"and on (job, symbol) max_over_time({IS_MARGIN}[24h]) == 1\n"
        f"unless on (job, symbol) {IS_MARGIN} == 1\n"
        f"and on (job) {scrape('binance_asset_index_up')} == 1"
    )
    loss = by_symbol(f"{raised}\nor\n{removed}")
    none = f'label_replace(0 * max({PRICE}), "symbol", "no asset", "", "")'
    return named(
        tile(
            "Lost in 24 h, per 10,000 USD",
            "How much less 10,000 USD of an asset count as margin than 24 hours ago, because"
            " Binance raised its bid haircut or removed it from margin. The asset that lost most;"
            " 0: none lost anything. With less than 24 hours of data: against the lowest haircut"
            " known.",
            Query(f"{largest(1, f'{loss} > 0')}\nor on () {none}"),
            NUMBER,
            HAIRCUT_RISE.rise(factor=10_000),
        ).decimals(2)
    )


def _both(title: str, description: str, spread: str) -> list[Placed]:
    """The coins beside the rest: on one linear axis 0.02% would be at the bottom of 10%."""

    def panel(who: str, classes: str) -> timeseries.Panel:
        query = Query(by_symbol(of_class(spread, classes)))
        return lines.stepped(lines.of_assets(f"{who}: {title}", description, query, SHARE)).min(0)

    return [
        Placed(panel("Coins", COIN), 12, 9),
        Placed(panel("Dollar-like and yield tokens", DOLLAR_LIKE), 12, 9),
    ]


def _spreads() -> list[Placed]:
    return _both(
        "haircut spread",
        "(ask rate - bid rate) / index of each margin asset. A step up: margin in this asset is"
        " worth less, or a debt in it costs more.",
        spread(),
    )


def _table() -> Placed:
    columns = [
        price("Index, USD", by_symbol(of_margin_assets(PRICE))),
        price("Bid rate", by_symbol(of_margin_assets(index("bid_rate_usd")))),
        price("Ask rate", by_symbol(of_margin_assets(index("ask_rate_usd")))),
        Column("Bid haircut", by_symbol(haircut("bid")), SHARE, HAIRCUT),
        Column("Ask haircut", by_symbol(haircut("ask")), SHARE, HAIRCUT),
        Column("Spread", by_symbol(spread()), SHARE, SPREAD),
        Column("Auto bid", by_symbol(haircut("auto_exchange_bid")), SHARE, HAIRCUT),
        Column("Auto ask", by_symbol(haircut("auto_exchange_ask")), SHARE, HAIRCUT),
        Column("Auto spread", by_symbol(auto_exchange_spread()), SHARE, SPREAD),
        Column("Threshold", by_symbol(of_margin_assets(index("auto_exchange_threshold")))),
        Column("24 h change", change("24h"), SHARE),
    ]
    table = by_asset(
        "Margin assets",
        "Click an asset to see it alone. Rates are in USD. Bid haircut: what a positive balance"
        " loses. Ask haircut: what a negative balance costs on top. Auto: the same at"
        " auto-exchange. Threshold, in units of the asset: Binance sells other assets when the"
        " balance falls below it. Binance publishes one threshold for everybody, but the real one"
        " depends on the account's VIP level; for a regular account or VIP 1 it is about half of"
        " what is shown.",
        columns,
        sort="Spread",
        descending=True,
    )
    return Placed(table, 24, 14)


def _steps() -> Placed:
    panel = states(
        "Steps of the bid haircut",
        "One band for each margin asset. A new piece is a new haircut on positive balances; a gap"
        " is a time without index.",
        Query(by_symbol(haircut("bid"))),
        SHARE,
        HAIRCUT,
    )
    return Placed(panel, 24, 11)


def _auto_exchange_spreads() -> list[Placed]:
    return _both(
        "auto-exchange spread",
        "(ask rate - bid rate) / index at the rates of auto-exchange: what is lost if Binance sells"
        " an asset to cover a debt, and the asset is bought back.",
        auto_exchange_spread(),
    )
