"""Multi-Assets / Haircut spreads: the one that people open first."""

from dashboards import lines
from dashboards.annotations import changes_by_binance
from dashboards.frame import Board, Placed, Row
from dashboards.panels import bars, named, states, tile, words
from dashboards.queries import (
    PRICE,
    by_symbol,
    change,
    haircut,
    index,
    largest,
    of_margin_assets,
    scrape,
    spread,
)
from dashboards.style import (
    BLUE,
    GREEN,
    NUMBER,
    ORANGE,
    RED,
    SECONDS,
    SHARE,
    YELLOW,
    Query,
)
from dashboards.tables import Column, by_asset, price

HAIRCUT = ((None, GREEN), (0.01, YELLOW), (0.05, ORANGE), (0.15, RED))
"""By size: what is lost of the value."""

_TOLD = index("update_timestamp_seconds")
_MOVED = "max_over_time({0}[24h]) - min_over_time({0}[24h])"


def _of_side(field: str) -> str:
    return index(f"{field}_buffer_ratio")


def _both_sides(pattern: str) -> str:
    """One expression for the bid and the ask buffer, told apart by a label."""
    bid, ask = (pattern.format(_of_side(side)) for side in ("bid", "ask"))
    return (
        f'label_replace({bid}, "side", "bid", "", "")\n'
        f"or\n"
        f'label_replace({ask}, "side", "ask", "", "")'
    )


def build() -> Board:
    """The dashboard."""
    return Board(
        uid="binance-multi-assets-haircut-spreads",
        title="Multi-Assets / Haircut spreads",
        description="What each asset is worth as margin on Binance USDⓈ-M futures, and whether"
        " Binance has changed it.",
        annotations=changes_by_binance(),
        rows=[
            Row(1, "Is the index live, and is anything wrong?", _tiles()),
            Row(2, "What does each asset lose between bid and ask?", _spreads()),
            Row(3, "On which side, and at auto-exchange?", _sides()),
            Row(4, "What are the terms of every asset now?", [_table()]),
            Row(5, "When did a haircut change?", [_steps()]),
        ],
    )


def _tiles() -> list[Placed]:
    firing = (
        'ALERTS{alertname=~"Binance.+", alertstate="firing", severity=~"warning|critical",'
        ' job=~"$job|", instance=~"$instance|"}'
    )
    moved = of_margin_assets(f"(\n{_both_sides(_MOVED)}\n)")
    panels = [
        words(
            tile(
                "Index",
                "Live: every exporter chosen above got the index with its last scrape."
                " No index: one did not, or none has been scraped for 5 minutes;"
                " the dashboard Exporter and API tells why.",
                Query(f"min({scrape('binance_asset_index_up')}) or vector(0)", ""),
                NUMBER,
                [(None, RED), (1, GREEN)],
            ),
            {"0": ("no index", RED), "1": ("live", GREEN)},
        ),
        tile(
            "Age of the index",
            "How old the oldest row was when it was scraped. Binance computes the index each"
            " second: above 30 s it stands still, and so do all prices below.",
            Query(f"max(timestamp({_TOLD}) - {_TOLD})", ""),
            SECONDS,
            [(None, GREEN), (30, ORANGE), (120, RED)],
        ),
        tile(
            "Margin assets",
            "How many of the chosen assets count as margin. COIN-M settlement assets are on"
            " Binance's list too, without a haircut, but are no margin.",
            Query(f"count(\n  {by_symbol(of_margin_assets(PRICE))}\n)", ""),
            NUMBER,
            [(None, BLUE)],
        ),
        named(
            tile(
                "Widest spread",
                "The asset with the widest haircut spread, and how wide it is: of 100 USD of it,"
                " owed and owned at once, so much is missing in the margin.",
                Query(largest(1, spread())),
                SHARE,
                HAIRCUT,
            )
        ),
        named(
            tile(
                "Largest haircut change in 24 hours",
                "The asset whose bid or ask haircut has moved most within the past 24 hours, up"
                " or down. 0%: no haircut has changed.",
                Query(largest(1, by_symbol(moved))),
                SHARE,
                [(None, GREEN), (1e-6, ORANGE), (0.01, RED)],
            )
        ),
        tile(
            "Alerts firing",
            "How many alerts of rules/alerts.yaml fire for the chosen exporters, those that only"
            " inform left out.",
            Query(f"count({firing}) or vector(0)", ""),
            NUMBER,
            [(None, GREEN), (1, RED)],
        ),
    ]
    return [Placed(panel, 4, 4) for panel in panels]


def _spreads() -> list[Placed]:
    panel = lines.lines(
        "Haircut spread by asset",
        "(ask rate - bid rate) / index of each margin asset, the ten widest. A step up: margin in"
        " this asset has become worth less, or a debt in it dearer. The axis is logarithmic, so"
        " that a stablecoin's 0.02% is seen beside a coin's 10%: equal distances are equal"
        " factors.",
        [Query(largest(10, spread()))],
        SHARE,
    )
    return [Placed(lines.logarithmic(lines.stepped(panel)), 24, 12)]


def _sides() -> list[Placed]:
    both = of_margin_assets(f"(\n{_both_sides('{0}')}\n)")
    both_named = f'label_join(\n{both},\n"haircut", " ", "symbol", "side")'
    sides = bars(
        "Bid and ask haircuts",
        "For each asset two bars. Bid: what a positive balance loses as margin. Ask: what a"
        " negative balance costs on top.",
        Query(f"max by (haircut) (\n{both_named}\n)", ""),
        SHARE,
        label="haircut",
        steps=HAIRCUT,
    )
    auto_exchange = lines.lines(
        "Auto-exchange spread by asset",
        "(ask - bid) / index at the rates of auto-exchange, the ten widest: what is lost when"
        " Binance sells an asset to cover a debt, and buys it back. Logarithmic axis.",
        [Query(largest(10, spread("auto_exchange_")))],
        SHARE,
    )
    return [
        Placed(sides, 12, 12),
        Placed(lines.logarithmic(lines.stepped(auto_exchange)), 12, 12),
    ]


def _table() -> Placed:
    falls = ((None, RED), (-0.05, ORANGE), (-0.01, GREEN))
    columns = [
        price("Index, USD", by_symbol(PRICE)),
        price("Bid rate, USD", by_symbol(of_margin_assets(index("bid_rate_usd")))),
        price("Ask rate, USD", by_symbol(of_margin_assets(index("ask_rate_usd")))),
        Column("Bid haircut", haircut("bid"), SHARE, HAIRCUT),
        Column("Ask haircut", haircut("ask"), SHARE, HAIRCUT),
        Column("Auto bid haircut", haircut("auto_exchange_bid"), SHARE, HAIRCUT),
        Column("Auto ask haircut", haircut("auto_exchange_ask"), SHARE, HAIRCUT),
        Column("Spread", spread(), SHARE, HAIRCUT),
        Column("Auto spread", spread("auto_exchange_"), SHARE, HAIRCUT),
        Column("Threshold", by_symbol(index("auto_exchange_threshold")), NUMBER),
        Column("24 h change", change("24h"), SHARE, falls),
    ]
    table = by_asset(
        "All assets",
        "Click an asset to see it alone. Without rates and haircuts: no margin asset. Auto: at"
        " auto-exchange, which buys the asset back when its balance falls below the threshold"
        " (in units of the asset). Red: the most money is lost.",
        columns,
        sort="Spread",
    )
    return Placed(table, 24, 14)


def _steps() -> Placed:
    panel = states(
        "Steps of the bid haircut",
        "One band for each margin asset, the ten largest haircuts. A new colour or number is a"
        " new haircut on positive balances; a gap is a time without index.",
        Query(largest(10, haircut("bid"))),
        SHARE,
        HAIRCUT,
    )
    return Placed(panel, 24, 10)
