"""The assets of the simulator: the haircuts of each one, and how its price moves."""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

YEAR_SECONDS = 365 * 24 * 3600


class Buffers(NamedTuple):
    """Haircuts as fractions of the index, between 0 and 1."""

    bid: Decimal
    ask: Decimal
    auto_exchange_bid: Decimal
    auto_exchange_ask: Decimal

    @classmethod
    def symmetric(cls, both: str, auto_exchange: str | None = None) -> "Buffers":
        """Use one haircut for bid and ask, and the same or another one for auto-exchange."""
        usual = Decimal(both)
        auto = usual if auto_exchange is None else Decimal(auto_exchange)
        return cls(usual, usual, auto, auto)

    def raised(self, points: int) -> "Buffers":
        """Return all four, higher by so many percentage points."""
        return Buffers(*(fraction + Decimal(points) / 100 for fraction in self))


class Walk(NamedTuple):
    """How the logarithm of a price moves in one second.

    Attributes:
        volatility: Standard deviation of the asset's own noise.
        beta: Factor of the noise that all coins have in common.
        reversion: Fraction of the distance from the anchor that it loses.
        accrual: How much the anchor itself rises: the interest.
    """

    volatility: float
    beta: float = 0.0
    reversion: float = 0.0
    accrual: float = 0.0


@dataclass(frozen=True)
class Asset:
    """One asset of the list.

    Attributes:
        name: As in exchangeInfo; the symbol of its index is the name followed by `USD`.
        price: USD per unit when the walk starts, and its anchor.
        walk: How the price moves.
        buffers: Haircuts; all zero for an asset that only settles COIN-M contracts.
        threshold: `autoAssetExchange` as Binance writes it, in units of the asset; None if it is
            not a margin asset.
    """

    name: str
    price: float
    walk: Walk
    buffers: Buffers
    threshold: str | None = None

    @property
    def symbol(self) -> str:
        """The name of its index, such as `BTCUSD`."""
        return f"{self.name}USD"


def _coin(own_noise: float = 8e-5, beta: float = 1.2) -> Walk:
    return Walk(own_noise, beta=beta)


def _settlement(name: str, price: float) -> Asset:
    return Asset(name, price, _coin(), Buffers.symmetric("0"))


_PEGGED = Walk(4e-6, reversion=1 / 300)


def _yielding(yearly: float) -> Walk:
    # Full reversion: the noise lasts one second, the interest stays.
    return Walk(5e-8, reversion=1.0, accrual=yearly / YEAR_SECONDS)


# In Binance's order, which is not alphabetical and the same in every response. Haircuts that we
# have never seen (BNFCR, RWUSD, BFUSD's bid, USD1 and U except auto-exchange) are those of a
# similar asset.
ASSETS = (
    Asset("USDT", 0.9988, _PEGGED, Buffers.symmetric("0.0001"), "-10000"),
    Asset("BTC", 64180.0, _coin(3e-5, beta=1.0), Buffers.symmetric("0.05", "0.025"), "-0.10000000"),
    Asset("BNB", 571.4, _coin(5e-5, beta=0.9), Buffers.symmetric("0.05", "0.025"), "0"),
    Asset("ETH", 1868.0, _coin(5e-5), Buffers.symmetric("0.05", "0.025"), "0"),
    Asset("USDC", 0.9994, _PEGGED, Buffers.symmetric("0.0001"), "-10000"),
    Asset("FDUSD", 0.998, _PEGGED, Buffers.symmetric("0.011"), "0"),
    Asset("BNFCR", 0.9997, _PEGGED, Buffers.symmetric("0.0001"), "-5000"),
    Asset("BFUSD", 0.9989, _PEGGED, Buffers.symmetric("0.001"), "0"),
    Asset("LDUSDT", 1.1345, _yielding(0.035), Buffers.symmetric("0.001"), "0"),
    Asset("RWUSD", 1.0291, _yielding(0.042), Buffers.symmetric("0.001"), "0"),
    Asset("USD1", 0.9992, _PEGGED, Buffers.symmetric("0.01"), "0"),
    Asset("U", 0.9990, _PEGGED, Buffers.symmetric("0.01"), "0"),
    _settlement("SOL", 78.0),
    _settlement("UNI", 3.61),
    _settlement("TRX", 0.3266),
    _settlement("XRP", 1.117),
    _settlement("ADA", 0.1743),
    _settlement("DOGE", 0.0721),
    _settlement("LTC", 46.35),
    _settlement("LINK", 8.42),
    _settlement("DOT", 0.957),
    _settlement("AVAX", 6.71),
    _settlement("BCH", 212.6),
    _settlement("ETC", 7.38),
    _settlement("FIL", 0.842),
    _settlement("ATOM", 1.786),
    _settlement("NEAR", 2.031),
    _settlement("APT", 0.694),
    _settlement("SUI", 0.738),
    _settlement("AAVE", 88.2),
    _settlement("XLM", 0.1872),
    _settlement("ALGO", 0.0914),
)
