"""Where alerts begin: the numbers of rules/alerts.yaml, as colours and as dashed lines.

A test compares each number with the alert that it names.
"""

import math
from dataclasses import dataclass

from dashboards.style import GREEN, ORANGE, RED, Steps


@dataclass(frozen=True)
class Limits:
    """The values from which an alert fires.

    Attributes:
        alert: Its name.
        warning: From here on with severity warning.
        critical: From here on with severity critical; infinite if that does not exist.
    """

    alert: str
    warning: float
    critical: float = math.inf

    def rise(self, factor: float = 1) -> Steps:
        """Colours of a value for which more is worse, multiplied by a factor."""
        steps = ((None, GREEN), (factor * self.warning, ORANGE), (factor * self.critical, RED))
        return tuple(step for step in steps if step[0] != math.inf)

    def fall(self) -> Steps:
        """Colours of a change for which less is worse."""
        return ((None, RED), (-self.critical, ORANGE), (-self.warning, GREEN))

    def distance(self) -> Steps:
        """Colours of a distance in either direction."""
        return (*self.fall(), (self.warning, ORANGE), (self.critical, RED))

    def lines_above(self) -> Steps:
        """Dashed lines; each has the colour of the step that it begins."""
        return ((None, "transparent"), (self.warning, ORANGE), (self.critical, RED))

    def lines_on_both_sides(self) -> Steps:
        """The same, mirrored at zero: there a line has the colour of what lies beneath it."""
        return (
            (None, "transparent"),
            (-self.critical, RED),
            (-self.warning, ORANGE),
            (self.warning, ORANGE),
            (self.critical, RED),
        )


AGE = Limits("BinanceAssetIndexStale", 30, 120)
HAIRCUT_RISE = Limits("BinanceHaircutIncreased", 1e-6, 0.01)
PEG = Limits("BinanceStablecoinDepegged", 0.003, 0.01)
PEG_OF_FDUSD = Limits("BinanceStablecoinDepegged", 0.005, 0.015)
USDT_PARITY = Limits("BinanceUsdtOffParity", 0.005, 0.015)
DRAWDOWN = Limits("BinanceYieldTokenDrawdown", 0.003, 0.01)
DROP = Limits("BinanceIndexDropped", 0.05, 0.1)
DROP_OF_AN_HOUR = Limits("BinanceIndexDropped", 0.1, 0.2)
FAILING = Limits("BinanceApiRequestsFailing", 0.1)
WEIGHT = Limits("BinanceApiWeightHigh", 0.5, 0.8)
HAIRCUT_LOSS = Limits("BinanceCollateralHaircutLoss", 0.01, 0.05)
AUTO_EXCHANGE = Limits("BinanceCollateralAutoExchangeNear", 0.8, 1)

FDUSD = "FDUSDUSD"
"""The one symbol with limits of its own."""
