"""The PromQL that several panels share.

Pictures rest on the scraped metrics alone. What needs a memory or knows assets by name (medians,
drawdowns, classes) comes from rules/recording.yaml and is named with a colon.

Several instances may watch the same exchange: each picture has one line a symbol, not one an
instance and symbol.
"""

TARGET = 'job=~"$job", instance=~"$instance"'
SYMBOL = f'{TARGET}, symbol=~"$symbol"'

_PREFIX = "binance_asset_index"


def index(field: str) -> str:
    """A metric of the index, for the chosen symbols."""
    return f"{_PREFIX}_{field}{{{SYMBOL}}}"


def recorded(rule: str) -> str:
    """A recorded series with a label `symbol`, for the chosen symbols."""
    return f"{rule}{{{SYMBOL}}}"


def scrape(metric: str, matchers: str = "") -> str:
    """A metric without symbol."""
    return f"{metric}{{{TARGET}{matchers}}}"


PRICE = index("price_usd")

# Rows of COIN-M settlement assets have no haircut because they are no margin at all. The exchange's
# list tells them apart; without the list, a spread does.
_MARGIN = (
    f"and on (job, instance, symbol) (\n"
    f"  {_PREFIX}_margin_available{{{TARGET}}} == 1\n"
    f"  or\n"
    f"  {_PREFIX}_ask_rate_usd{{{TARGET}}} > {_PREFIX}_bid_rate_usd{{{TARGET}}}\n"
    f"  unless on (job, instance) {_PREFIX}_margin_available{{{TARGET}}}\n"
    f")"
)


def of_margin_assets(expr: str) -> str:
    """Only the margin assets of an expression with a label `symbol`."""
    return f"{expr}\n{_MARGIN}"


def by_symbol(expr: str, how: str = "max") -> str:
    """One series a symbol, whatever the number of instances."""
    return f"{how} by (symbol) (\n{_indented(expr)}\n)"


def largest(number: int, expr: str) -> str:
    """The highest of an expression."""
    return f"topk({number},\n{_indented(expr)}\n)"


def spread(prefix: str = "") -> str:
    """What buying and selling again at the exchange's own rates costs, as a share of the index."""
    between = f"({index(f'{prefix}ask_rate_usd')} - {index(f'{prefix}bid_rate_usd')})"
    return by_symbol(of_margin_assets(f"{between} / {PRICE}"))


def haircut(field: str) -> str:
    """One of the four buffers."""
    return by_symbol(of_margin_assets(index(f"{field}_buffer_ratio")))


def change(span: str) -> str:
    """The index against some time ago."""
    return by_symbol(f"{PRICE} / ({PRICE} offset {span}) - 1", "avg")


def _indented(expr: str) -> str:
    return "\n".join(f"  {line}" for line in expr.splitlines())
