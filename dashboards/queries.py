"""The PromQL that several panels share.

What rules/recording.yaml records is read from there: a name with a colon. So a dashboard and an
alert mean the same by "spread" or "margin asset".

Several instances may watch the same exchange: a panel has one line a symbol, not one an instance
and symbol.
"""

TARGET = 'job=~"$job", instance=~"$instance"'
SYMBOL = f'{TARGET}, symbol=~"$symbol"'
JOB = 'job=~"$job"'
RECORDED = f'{JOB}, symbol=~"$symbol"'
"""The rules aggregate the replicas of a job: what they record of the index has no instance."""

COIN = "coin"
DOLLAR_LIKE = "reference|stable|yield"
"""The class of USDT, of stablecoins and of tokens that accrue interest."""


def index(field: str) -> str:
    """A metric of the index, for the chosen symbols."""
    return f"binance_asset_index_{field}{{{SYMBOL}}}"


def recorded(rule: str, matchers: str = "") -> str:
    """A recorded series with a label `symbol`, for the chosen symbols."""
    return f"{rule}{{{RECORDED}{matchers}}}"


def scrape(metric: str, matchers: str = "") -> str:
    """A metric without symbol."""
    return f"{metric}{{{TARGET}{matchers}}}"


PRICE = index("price_usd")
IS_MARGIN = recorded("symbol:binance_asset_index_margin_asset:bool")
_UPDATED = index("update_timestamp_seconds")
AGE = f"min by (job, symbol) (timestamp({_UPDATED}) - {_UPDATED})"
"""Of each row when it was scraped, at the replica that is ahead."""


def of_margin_assets(expr: str) -> str:
    """Only the margin assets of an expression with a label `symbol`."""
    return f"{expr}\nand on (job, symbol) {IS_MARGIN}"


def of_class(expr: str, classes: str) -> str:
    """Only the assets of some classes."""
    kind = recorded("symbol:binance_asset_index_class:info", f', class=~"{classes}"')
    return f"{expr}\nand on (job, symbol) {kind}"


def by_symbol(expr: str, how: str = "max") -> str:
    """One series a symbol, whatever the number of instances."""
    return f"{how} by (symbol) (\n{indented(expr)}\n)"


def largest(number: int, expr: str) -> str:
    """The highest of an expression."""
    return f"topk({number},\n{indented(expr)}\n)"


def spread() -> str:
    """What a margin asset loses between the bid and the ask rate."""
    return recorded("symbol:binance_asset_index_haircut_spread:ratio")


def auto_exchange_spread() -> str:
    """The same at the rates of auto-exchange, which no rule records."""
    ask, bid = index("auto_exchange_ask_rate_usd"), index("auto_exchange_bid_rate_usd")
    return of_margin_assets(f"avg by (job, symbol) (({ask} - {bid}) / {PRICE})")


def haircut(buffer: str) -> str:
    """One of the four buffers of the margin assets."""
    return recorded("symbol_buffer:binance_asset_index_haircut:ratio", f', buffer="{buffer}"')


def change(span: str) -> str:
    """The change of a margin asset's index over 5m, 1h or 24h."""
    return by_symbol(of_margin_assets(_change(span)), "min")


def largest_fall() -> str:
    """The lowest of the three changes."""
    labelled = (
        f'label_replace({_change(span)}, "span", "{span}", "", "")' for span in ("5m", "1h", "24h")
    )
    changes = indented("\nor\n".join(labelled))
    return by_symbol(of_margin_assets(f"(\n{changes}\n)"), "min")


def _change(span: str) -> str:
    if span == "24h":  # no alert needs it, so no rule records it
        before = f"last_over_time({PRICE}[1h] offset {span})"
        return f"avg by (job, symbol) ({PRICE}) / avg by (job, symbol) ({before}) - 1"
    return recorded(f"symbol:binance_asset_index_price_usd:change{span}")


def indented(expr: str) -> str:
    """The expression, to stand inside brackets."""
    return "\n".join(f"  {line}" for line in expr.splitlines())
