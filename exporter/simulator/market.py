"""Prices: a random walk of one step per second, reproducible by its seed and start."""

import math
import random
from collections.abc import Sequence

from exporter.simulator.assets import Asset

COMMON_VOLATILITY = 7e-5
"""Standard deviation, in one second, of the noise that all coins share: about 40% a year."""


class Market:
    """The prices of assets, second by second.

    The logarithm of each price moves away from its anchor: that of a coin without return, that of
    a stablecoin for minutes, that of a yield token hardly, while its anchor rises.

    Attributes:
        second: Unix time of the prices, in seconds.
    """

    def __init__(self, assets: Sequence[Asset], seed: int, start: int) -> None:
        self.second = start
        self._start = start
        self._assets = assets
        self._strays = [0.0] * len(assets)
        self._steps = [
            (1 - asset.walk.reversion, asset.walk.beta, asset.walk.volatility) for asset in assets
        ]
        self._random = random.Random(seed)  # noqa: S311 - reproducible, no secret

    def advance(self, second: int) -> None:
        """Move on to `second`, Unix time; a second in the past changes nothing.

        A whole day takes one or two seconds of CPU.
        """
        gauss = self._random.gauss
        for _ in range(second - self.second):
            common = gauss(0, COMMON_VOLATILITY)
            self._strays = [
                kept * stray + beta * common + gauss(0, volatility)
                for stray, (kept, beta, volatility) in zip(self._strays, self._steps, strict=True)
            ]
        self.second = max(second, self.second)

    def prices(self) -> dict[str, float]:
        """Return USD per unit, by name of the asset."""
        elapsed = self.second - self._start
        return {
            asset.name: asset.price * math.exp(stray + asset.walk.accrual * elapsed)
            for asset, stray in zip(self._assets, self._strays, strict=True)
        }
