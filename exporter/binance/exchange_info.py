"""Which assets count as margin, and the weight limit: what we need of a megabyte of exchangeInfo.

Source: GET /fapi/v1/exchangeInfo, `assets[]` and `rateLimits[]`.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from exporter.binance.errors import BadPayload
from exporter.binance.rows import valid_symbol

_HIGHEST_LIMIT = 1_000_000_000  # of weight a minute; anything higher is a mistake
_MOST_ASSETS = 2000  # each one is two series on every page
_SIGNED_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class MarginAsset:
    """One asset's part in margin; a field that the response lacks is None."""

    available: bool | None
    """Whether a balance of it counts as margin."""
    auto_exchange_threshold: float | None
    """Wallet balance below which auto-exchange buys it back, in units of the asset."""


@dataclass(frozen=True, slots=True)
class ExchangeInfo:
    """What one response says."""

    assets: Mapping[str, MarginAsset]
    """By symbol of the asset index, the asset's name and USD."""
    weight_limit: int | None
    """Request weight a minute."""


class _Document(BaseModel):
    # pydantic builds only the named fields; the contracts, most of the megabyte, stay bytes
    assets: Annotated[list[Any], Field(max_length=_MOST_ASSETS)]
    rateLimits: list[Any] = []  # noqa: N815 - as in the API


def parse_exchange_info(body: bytes | bytearray) -> ExchangeInfo:
    """Decode the response; a malformed asset is left out.

    Raises:
        BadPayload: It is not JSON of the documented shape, or names no asset.
    """
    try:
        document = _Document.model_validate_json(body)
    except ValidationError as error:
        raise BadPayload(
            f"exchangeInfo is not JSON with a list of at most {_MOST_ASSETS} assets"
        ) from error
    assets: dict[str, MarginAsset] = {}
    for item in document.assets:
        if isinstance(item, dict) and isinstance(asset := item.get("asset"), str):
            symbol = f"{asset}USD"
            if asset and valid_symbol(symbol):
                margin_asset = MarginAsset(
                    available=_bool(item.get("marginAvailable")),
                    auto_exchange_threshold=_decimal(item.get("autoAssetExchange")),
                )
                assets.setdefault(symbol, margin_asset)  # of duplicates the first stays
    if not assets:
        raise BadPayload("exchangeInfo names no asset")
    return ExchangeInfo(assets, _weight_limit(document.rateLimits))


def _bool(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _decimal(value: object) -> float | None:
    if isinstance(value, str) and _SIGNED_DECIMAL.fullmatch(value):
        number = float(value) + 0.0  # + 0.0 turns -0 into 0
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            return None
    else:
        return None
    return number if math.isfinite(number) else None


def _weight_limit(rate_limits: list[Any]) -> int | None:
    for item in rate_limits:
        if (
            isinstance(item, dict)
            and item.get("rateLimitType") == "REQUEST_WEIGHT"
            and (item.get("interval"), item.get("intervalNum")) == ("MINUTE", 1)
            and type(limit := item.get("limit")) is int
            and 0 < limit <= _HIGHEST_LIMIT
        ):
            return limit
    return None
