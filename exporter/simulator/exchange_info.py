"""The exchangeInfo response: a few facts about margin assets in a megabyte of contracts."""

import functools
from collections.abc import Sequence

from exporter.simulator.answers import encode

CONTRACTS = 1000
"""Enough for more than a megabyte, which the real response has."""

_BASE = "BASE"

# nobody reads the contracts; they are here for their size
_CONTRACT = {
    "symbol": f"{_BASE}USDT",
    "pair": f"{_BASE}USDT",
    "contractType": "PERPETUAL",
    "deliveryDate": 4133404800000,
    "onboardDate": 1569398400000,
    "status": "TRADING",
    "maintMarginPercent": "2.5000",
    "requiredMarginPercent": "5.0000",
    "baseAsset": _BASE,
    "quoteAsset": "USDT",
    "marginAsset": "USDT",
    "pricePrecision": 2,
    "quantityPrecision": 3,
    "baseAssetPrecision": 8,
    "quotePrecision": 8,
    "underlyingType": "COIN",
    "underlyingSubType": ["PoW"],
    "triggerProtect": "0.0500",
    "liquidationFee": "0.012500",
    "marketTakeBound": "0.05",
    "maxMoveOrderLimit": 10000,
    "filters": [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": "556.80",
            "maxPrice": "4529764",
            "tickSize": "0.10",
        },
        {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
        {"filterType": "MIN_NOTIONAL", "notional": "100"},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": "1.0500",
            "multiplierDown": "0.9500",
            "multiplierDecimal": "4",
        },
    ],
    "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
    "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
}


def exchange_info(
    time_ms: int, weight_limit: int, margin_assets: Sequence[dict[str, str | bool]]
) -> bytes:
    """Return the encoded response.

    Args:
        time_ms: The server's Unix time in milliseconds.
        weight_limit: Request weight per minute.
        margin_assets: Objects with `asset`, `autoAssetExchange` and `marginAvailable`.
    """
    facts = {
        "timezone": "UTC",
        "serverTime": time_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [
            _rate_limit("REQUEST_WEIGHT", "MINUTE", 1, weight_limit),
            _rate_limit("ORDERS", "MINUTE", 1, 1200),
            _rate_limit("ORDERS", "SECOND", 10, 300),
        ],
        "exchangeFilters": [],
        "assets": margin_assets,
    }
    return b"".join((encode(facts)[:-1], b',"symbols":', _contracts(), b"}"))


def _rate_limit(kind: str, interval: str, intervals: int, limit: int) -> dict[str, str | int]:
    return {
        "rateLimitType": kind,
        "interval": interval,
        "intervalNum": intervals,
        "limit": limit,
    }


@functools.cache
def _contracts() -> bytes:
    contract = encode(_CONTRACT)
    base = _BASE.encode()
    numbered = (contract.replace(base, b"COIN%d" % number) for number in range(CONTRACTS))
    return b"[" + b",".join(numbered) + b"]"
