"""The prices: a random walk of one step a second, the same for the same seed and start."""

import math
import random
from collections.abc import Sequence

from exporter.simulator.assets import Asset

COMMON_VOLATILITY = 7e-5
"""Standard deviation, in one second, of the noise that all coins share: some 40% a year."""


class Market:
    """Prices of some assets, at one second after another.

    The logarithm of each price strays from its anchor: a coin for good, a stablecoin until it
    is drawn back, a yield token by a hair while its anchor rises.

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
        self._random = random.Random(seed)  # noqa: S311  a walk that can be repeated, no secret

    def advance(self, second: int) -> None:
        """Walks on to `second`, Unix time; a second that is past changes nothing.

        A day that nobody asked in costs one or two seconds of CPU.
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
        """USD per unit, by name of the asset."""
        elapsed = self.second - self._start
        return {
            asset.name: asset.price * math.exp(stray + asset.walk.accrual * elapsed)
            for asset, stray in zip(self._assets, self._strays, strict=True)
        }
