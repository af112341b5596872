"""The catalogue: every metric's name, type, labels, unit and help text.

`make docs` generates docs/metrics.md from it.
"""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Spec:
    """One metric family. `unit` is the OpenMetrics unit, and the name then ends with it."""

    name: str
    help: str
    type: Literal["gauge", "counter", "histogram"] = "gauge"
    unit: str = ""
    labels: tuple[str, ...] = ()
    values: str = field(default="", kw_only=True)
    """The range of the values, for the table in the docs."""


def _index_gauge(name: str, help_text: str, unit: str, values: str) -> Spec:
    return Spec(
        f"binance_asset_index_{name}", help_text, unit=unit, labels=("symbol",), values=values
    )


INDEX = {
    "index": _index_gauge(
        "price_usd", "Index price of one unit of the asset (API field index).", "usd", "> 0"
    ),
    "bid_rate": _index_gauge(
        "bid_rate_usd",
        "What one unit of a positive balance counts as margin (API field bidRate).",
        "usd",
        "> 0",
    ),
    "ask_rate": _index_gauge(
        "ask_rate_usd",
        "What one unit of a negative balance costs in margin (API field askRate).",
        "usd",
        "> 0",
    ),
    "bid_buffer": _index_gauge(
        "bid_buffer_ratio",
        "Haircut on a positive balance (API field bidBuffer).",
        "ratio",
        "0 to 1",
    ),
    "ask_buffer": _index_gauge(
        "ask_buffer_ratio",
        "Surcharge on a negative balance (API field askBuffer).",
        "ratio",
        "0 to 1",
    ),
    "auto_exchange_bid_rate": _index_gauge(
        "auto_exchange_bid_rate_usd",
        "What one unit yields when auto-exchange sells it (API field autoExchangeBidRate).",
        "usd",
        "> 0",
    ),
    "auto_exchange_ask_rate": _index_gauge(
        "auto_exchange_ask_rate_usd",
        "What one unit costs when auto-exchange buys it (API field autoExchangeAskRate).",
        "usd",
        "> 0",
    ),
    "auto_exchange_bid_buffer": _index_gauge(
        "auto_exchange_bid_buffer_ratio",
        "Haircut when auto-exchange sells the asset (API field autoExchangeBidBuffer).",
        "ratio",
        "0 to 1",
    ),
    "auto_exchange_ask_buffer": _index_gauge(
        "auto_exchange_ask_buffer_ratio",
        "Surcharge when auto-exchange buys the asset (API field autoExchangeAskBuffer).",
        "ratio",
        "0 to 1",
    ),
    "time": _index_gauge(
        "update_timestamp_seconds",
        "When Binance computed this row, Unix time (API field time, milliseconds).",
        "seconds",
        "> 0",
    ),
}
"""By the attribute of `exporter.binance.rows.Row` that holds the value."""

MARGIN_AVAILABLE = _index_gauge(
    "margin_available",
    "1 if the asset counts as margin (exchangeInfo field marginAvailable).",
    "",
    "0 or 1",
)
AUTO_EXCHANGE_THRESHOLD = _index_gauge(
    "auto_exchange_threshold",
    "Wallet balance below which auto-exchange buys the asset back, in units of the asset"
    " (exchangeInfo field autoAssetExchange). Binance publishes one value for everybody; the real"
    " one depends on the account's VIP level (regular and VIP 1: half of it for USDT and USDC).",
    "",
    "any",
)

UP = Spec(
    "binance_asset_index_up",
    "1 if the last fetch succeeded, 0 if not (no index series are exposed).",
    values="0 or 1",
)
SCRAPE_DURATION = Spec(
    "binance_asset_index_scrape_duration_seconds",
    "Time that this scrape took inside the exporter.",
    unit="seconds",
)
SCRAPE_SYMBOLS = Spec("binance_asset_index_scrape_symbols", "Rows exposed on this page.")
SCRAPE_REJECTED_ROWS = Spec(
    "binance_asset_index_scrape_rejected_rows", "Rows of this fetch that were refused."
)
FETCH_TIMESTAMP = Spec(
    "binance_asset_index_fetch_timestamp_seconds",
    "When the fetch of these values finished, Unix time.",
    unit="seconds",
)

REQUESTS = Spec(
    "binance_api_requests_total",
    "Requests sent to Binance.",
    "counter",
    labels=("endpoint",),
)
REQUEST_FAILURES = Spec(
    "binance_api_request_failures_total",
    "Requests to Binance without a usable response.",
    "counter",
    labels=("endpoint", "reason"),
)
REQUEST_DURATION = Spec(
    "binance_api_request_duration_seconds",
    "Time from connecting to the last byte of the response, failed requests included.",
    "histogram",
    unit="seconds",
    labels=("endpoint",),
)
REJECTED_ROWS = Spec(
    "binance_api_rejected_rows_total",
    "Rows in Binance's responses that were refused.",
    "counter",
    labels=("reason",),
)
SCRAPES_HELD = Spec(
    "binance_api_scrapes_held_total",
    "Scrapes answered without contacting Binance because of a rate limit, a ban or the weight"
    " ceiling.",
    "counter",
    labels=("reason",),
)
USED_WEIGHT = Spec(
    "binance_api_used_weight",
    "Request weight that this IP address has used in the current UTC minute: what Binance last"
    " reported, plus the requests sent since.",
)
WEIGHT_LIMIT = Spec(
    "binance_api_weight_limit", "Request weight that Binance allows one IP address per minute."
)
BLOCKED_UNTIL = Spec(
    "binance_api_blocked_until_timestamp_seconds",
    "Unix time until which no request is sent because of a rate limit, a ban or the weight ceiling;"
    " 0 if requests may be sent.",
    unit="seconds",
)

BUILD_INFO = Spec(
    "binance_asset_index_exporter_build_info",
    "Always 1; the labels show what is running.",
    labels=("version", "revision", "pythonversion"),
    values="1",
)
DEMO = Spec(
    "binance_asset_index_exporter_demo",
    "Always 1, and only with --demo: the values come from a simulator, not from Binance.",
    labels=("scenario",),
    values="1",
)
CONFIG_RELOAD_SUCCESSFUL = Spec(
    "binance_asset_index_exporter_config_last_reload_successful",
    "1 if the last attempt to load the configuration succeeded.",
    values="0 or 1",
)
CONFIG_RELOAD_TIMESTAMP = Spec(
    "binance_asset_index_exporter_config_last_reload_success_timestamp_seconds",
    "When the active configuration was loaded, Unix time.",
    unit="seconds",
)
