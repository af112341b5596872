"""Multi-Assets / Collateral: what haircuts mean for the money in accounts."""

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.models.common import VizOrientation

from dashboards import lines
from dashboards.alerts import firing
from dashboards.annotations import changes_by_binance
from dashboards.frame import Board, Placed, Row
from dashboards.limits import AUTO_EXCHANGE, HAIRCUT_LOSS
from dashboards.panels import named, numbers, tile
from dashboards.queries import indented, largest
from dashboards.style import BLUE, MONEY_DECIMALS, NUMBER, RED, SHARE, Query
from dashboards.tables import Column, by_holding
from dashboards.variables import accounts, box

_ACCOUNT = 'account=~"$account"'
_MOVED = f'{_ACCOUNT}, symbol=~"$moved"'
_NAME = "{{account}}"
_HOLDING = "{{account}} {{symbol}}"

_NO_DEBT = "no debt with a threshold, or no data"
_NEGATIVE = " Negative: a debt."


def _of_account(what: str, unit: str = "usd") -> str:
    return f"account:binance_collateral_{what}:{unit}{{{_ACCOUNT}}}"


def _of_holding(what: str, unit: str = "usd", matchers: str = _ACCOUNT) -> str:
    return f"account_symbol:binance_collateral_{what}:{unit}{{{matchers}}}"


_USED = _of_holding("auto_exchange_used", "ratio")
_ROOM = _of_holding("auto_exchange_headroom")

_MARGIN_NOW = _of_holding("margin_value", matchers=_MOVED)
_MARKET_NOW = _of_holding("market_value", matchers=_MOVED)
# a haircut takes from what is owned, to nothing at most, and adds to what is owed
_MARGIN_THEN = (
    f"(1 + $index / 100)\n"
    f"* (\n"
    f"  clamp_min({_MARGIN_NOW} - $points / 100 * {_MARKET_NOW}, 0) and {_MARKET_NOW} >= 0\n"
    f"  or\n"
    f"  {_MARGIN_NOW} + $points / 100 * {_MARKET_NOW} and {_MARKET_NOW} < 0\n"
    f")"
)
_LOST = f"{_MARGIN_NOW}\n-\n{_MARGIN_THEN}"


def build() -> Board:
    """The dashboard."""
    return Board(
        uid="binance-multi-assets-collateral",
        title="Multi-Assets / Collateral",
        description="What the haircuts of Binance USDⓈ-M futures mean for the accounts whose"
        " holdings you record: margin, its cost, the room to auto-exchange, and what-if.",
        variables=[
            *accounts(),
            box("points", "haircuts rise by points", "10"),
            box("index", "and indexes move by %", "-20"),
        ],
        annotations=changes_by_binance(job="", symbol='symbol=~".+"'),
        rows=[
            Row(1, "How much margin is there, and is any of it in danger?", _tiles()),
            Row(2, "What would a change cost, and which asset hurts most?", _what_if()),
            Row(3, "How did margin and its cost develop?", _by_account()),
            Row(4, "How near is auto-exchange?", _auto_exchange()),
            Row(5, "Which asset is the margin made of?", _by_asset()),
        ],
    )


def _tiles() -> list[Placed]:
    margin = tile(
        "Margin value, USD",
        "What the selected accounts count as margin, after haircuts. No data: at least one holding"
        " has no price, so there is no total.",
        Query(f"sum({_of_account('margin_value')})", ""),
        NUMBER,
        [(None, BLUE)],
    )
    cost = tile(
        "Haircut cost, USD",
        "Market value less margin value: what the haircuts take now.",
        Query(f"sum({_of_account('haircut_cost')})", ""),
        NUMBER,
        [(None, BLUE)],
    )
    shock = named(
        tile(
            "Lost to changes",
            "The account that lost most to haircut changes of the past day, as a share of its"
            " margin value before: against the lowest haircut of the day, at today's balance and"
            " price.",
            Query(largest(1, _of_account("haircut_shock", "ratio")), _NAME),
            SHARE,
            HAIRCUT_LOSS.rise(),
        )
    )
    nearest = named(
        tile(
            "Nearest to auto-exchange",
            "The debt that uses most of its threshold. At 100% Binance sells other assets to cover"
            " it.",
            Query(largest(1, _USED), _HOLDING),
            SHARE,
            AUTO_EXCHANGE.rise(),
        )
    )
    selected = 'account=~"$account"'
    return [
        Placed(firing(selected, _of_account("margin_value")), 6, 5),
        Placed(margin.decimals(0), 5, 5),
        Placed(cost.decimals(0), 4, 5),
        Placed(shock, 4, 5),
        Placed(nearest, 5, 5),
    ]


def _what_if() -> list[Placed]:
    lost, all_margin = f"sum(\n{indented(_LOST)}\n)", f"sum({_of_account('margin_value')})"
    answer = numbers(
        "Margin lost, USD",
        "How much less the selected accounts together would count as margin if the haircuts of the"
        " assets chosen above rose by so many points and their index changed by so many percent,"
        " both at once.",
        [Query(lost, "lost"), Query(f"{all_margin}\n-\n{lost}", "remains")],
        NUMBER,
        {"lost": RED, "remains": BLUE},
    )
    answer.orientation(VizOrientation.HORIZONTAL)
    order = by_holding(
        "In the order in which they hurt",
        "What each of the assets would lose. Share: of the account's margin value now." + _NEGATIVE,
        [
            Column("Lost, USD", _max(_LOST), decimals=MONEY_DECIMALS),
            Column(
                "Share",
                _max(f"({_LOST})\n/ on (account) group_left ()\n{_of_account('margin_value')}"),
                SHARE,
                HAIRCUT_LOSS.rise(),
            ),
            Column("Margin now", _max(_MARGIN_NOW), decimals=MONEY_DECIMALS),
            Column("Margin then", _max(_MARGIN_THEN), decimals=MONEY_DECIMALS),
        ],
        sort="Lost, USD",
        descending=True,
    )
    return [Placed(answer.decimals(0), 8, 8), Placed(order, 16, 8)]


def _by_account() -> list[Placed]:
    margin = _money(
        "Margin value by account", "What each account counts as margin.", "margin_value"
    )
    cost = _money(
        "Haircut cost by account",
        "Market value less margin value. A step up: Binance raised a haircut.",
        "haircut_cost",
    )
    return [Placed(margin, 12, 9), Placed(cost, 12, 9)]


def _money(title: str, description: str, what: str) -> timeseries.Panel:
    panel = lines.lines(f"{title}, USD", description, [Query(_of_account(what), _NAME)], NUMBER)
    return panel.decimals(0).line_width(2)


def _auto_exchange() -> list[Placed]:
    used = lines.lines(
        "Used share of the auto-exchange threshold",
        "How much of its threshold each debt uses. At 100% Binance sells other assets to cover it."
        " The threshold depends on the VIP level of the account: record your own.",
        [Query(f"{_USED} > 0", _HOLDING)],
        SHARE,
    ).no_value(_NO_DEBT)
    room = lines.lines(
        "Room to auto-exchange, USD",
        "How much more each debt may grow before Binance sells other assets. Below zero: the"
        " threshold is passed.",
        [Query(f"{_ROOM}\nand\n{_USED} > 0", _HOLDING)],
        NUMBER,
    ).no_value(_NO_DEBT)
    return [
        Placed(lines.limits(used, AUTO_EXCHANGE.lines_above()).min(0).line_width(2), 12, 9),
        Placed(room.decimals(0).line_width(2).axis_soft_min(0), 12, 9),
    ]


def _by_asset() -> list[Placed]:
    stack = lines.of_assets(
        "Margin value by asset, USD",
        "The selected accounts together. Below zero: debts.",
        Query(f"sum by (symbol) (\n  {_of_holding('margin_value')}\n)"),
        NUMBER,
    )
    columns = [
        Column("Market value", _max(_of_holding("market_value")), decimals=MONEY_DECIMALS),
        Column("Margin value", _max(_of_holding("margin_value")), decimals=MONEY_DECIMALS),
        Column("Cost", _max(_of_holding("haircut_cost")), decimals=MONEY_DECIMALS),
        Column("Used", _max(_USED), SHARE, AUTO_EXCHANGE.rise()),
        Column("Room", _max(_ROOM), decimals=MONEY_DECIMALS),
    ]
    table = by_holding(
        "Holdings",
        "In USD."
        + _NEGATIVE
        + " Cost: of the haircut. Used: the share of the auto-exchange threshold. Room: up to it.",
        columns,
        sort="Cost",
        descending=True,
    )
    return [Placed(lines.areas(stack).decimals(0), 9, 12), Placed(table, 15, 12)]


def _max(expr: str) -> str:
    """Only the labels that a line of a table has."""
    return f"max by (account, symbol) (\n{indented(expr)}\n)"
