"""Multi-Assets / Asset: everything about each chosen asset, one below the other."""

from grafana_foundation_sdk.builders import stat, timeseries

from dashboards import lines
from dashboards.annotations import changes_by_binance
from dashboards.frame import Board, Placed, Row
from dashboards.panels import numbers
from dashboards.queries import PRICE, by_symbol, haircut, index, of_margin_assets, recorded
from dashboards.style import BLUE, GREEN, NUMBER, ORANGE, PRICE_DECIMALS, RED, SECONDS, SHARE, Query
from dashboards.tables import ASSET_UID

_TOLD = index("update_timestamp_seconds")

_RATES = {
    "index": PRICE,
    "bid": of_margin_assets(index("bid_rate_usd")),
    "ask": of_margin_assets(index("ask_rate_usd")),
    "auto-exchange bid": of_margin_assets(index("auto_exchange_bid_rate_usd")),
    "auto-exchange ask": of_margin_assets(index("auto_exchange_ask_rate_usd")),
}

_DEPEG = ((None, RED), (-0.01, ORANGE), (-0.003, GREEN), (0.003, ORANGE), (0.01, RED))


def build() -> Board:
    """The dashboard."""
    row = Row(
        1,
        "What does $symbol count for, and what does it lose?",
        [
            Placed(_bands(), 16, 10),
            Placed(_haircuts(), 8, 10),
            Placed(_ten_thousand(), 8, 8),
            Placed(_distance(), 8, 8),
            Placed(_age(), 8, 8),
        ],
        repeat="symbol",
    )
    return Board(
        uid=ASSET_UID,
        title="Multi-Assets / Asset",
        description="The index of single assets, what a balance in them counts as margin, and what"
        " auto-exchange would cost. Choose assets above.",
        annotations=changes_by_binance(),
        rows=[row],
        symbols=["BTCUSD"],
    )


def _bands() -> timeseries.Panel:
    queries = [Query(by_symbol(expr), name) for name, expr in _RATES.items()]
    panel = lines.lines(
        "$symbol: index inside its bands, in USD",
        "Blue: the index. Red band: from what a positive balance counts as margin (bid) to what a"
        " negative one costs (ask). Orange band: the rates at which auto-exchange sells and buys."
        " The wider a band, the more is lost. Without bands: not a margin asset.",
        queries,
        NUMBER,
    ).decimals(PRICE_DECIMALS)
    lines.colored(panel, {"index": BLUE})
    lines.band(panel, "ask", "bid", RED)
    return lines.band(panel, "auto-exchange ask", "auto-exchange bid", ORANGE)


def _haircuts() -> timeseries.Panel:
    fields = {
        "bid": "bid",
        "ask": "ask",
        "auto_exchange_bid": "auto-exchange bid",
        "auto_exchange_ask": "auto-exchange ask",
    }
    queries = [Query(haircut(field), legend) for field, legend in fields.items()]
    panel = lines.lines(
        "$symbol: haircuts",
        "The four buffers of Binance. A step up: from then on the asset counts for less, or a debt"
        " in it costs more. Nothing: not a margin asset.",
        queries,
        SHARE,
    )
    return lines.stepped(panel).min(0)


def _ten_thousand() -> stat.Panel:
    queries = [
        Query(_of_ten_thousand(f"{index('bid_rate_usd')} / {PRICE}"), "counts as margin"),
        Query(
            _of_ten_thousand(f"(1 - {index('auto_exchange_bid_rate_usd')} / {PRICE})"),
            "lost when auto-exchanged",
        ),
        Query(
            _of_ten_thousand(f"({index('ask_rate_usd')} / {PRICE} - 1)"),
            "owed on top, if it is a debt",
        ),
    ]
    return numbers(
        "10,000 USD of $symbol, in USD",
        "For 10,000 USD of the asset at its index: what they count as margin; what is lost when"
        " auto-exchange sells them; what a debt of that size costs on top.",
        queries,
        NUMBER,
        {
            "counts as margin": GREEN,
            "lost when auto-exchanged": RED,
            "owed on top, if it is a debt": ORANGE,
        },
    )


def _of_ten_thousand(share: str) -> str:
    return by_symbol(of_margin_assets(f"10000 * {share}"))


def _distance() -> timeseries.Panel:
    from_usdt = recorded("symbol:binance_asset_index_usdt_deviation:ratio")
    from_median = recorded("symbol:binance_asset_index_median1h_deviation:ratio")
    panel = lines.lines(
        "$symbol: distance from USDT",
        "For assets that should be worth a dollar: how far the index is from USDT's, and, for"
        " those that accrue interest too, from its own median of the past hour. Alerts begin at"
        " the dashed lines. Empty for coins. Needs the recording rules.",
        [
            Query(by_symbol(from_usdt), "from USDT"),
            Query(by_symbol(from_median), "from its median of 1 h"),
        ],
        SHARE,
    )
    return lines.limits(panel, _DEPEG)


def _age() -> timeseries.Panel:
    panel = lines.lines(
        "$symbol: age of the index",
        "How old the row was when it was scraped. A rising line: Binance answers, but the index"
        " stands still.",
        [Query(by_symbol(f"timestamp({_TOLD}) - {_TOLD}"), "age")],
        SECONDS,
    )
    return lines.limits(panel, ((None, GREEN), (30, ORANGE), (120, RED))).min(0)
