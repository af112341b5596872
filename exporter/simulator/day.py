"""A day: calm, with each of the scenarios once."""

from dataclasses import replace

from exporter.simulator.assets import ASSETS
from exporter.simulator.market import Market
from exporter.simulator.scenarios import PERIOD_SECONDS, SCENARIOS, Moment

EPISODES = tuple(name for name in SCENARIOS if name != "calm")
SHORTEST_SECONDS = len(EPISODES) * 2 * PERIOD_SECONDS
"""Episodes take half of a day, and none is shorter than its scenario."""

_LONGEST_STRETCH = 6  # an hour: ten minutes are hard to see on a graph of a whole day


class Day:
    """A script in which each scenario except the calm one happens once, at equal distances.

    Scenarios are stretched, to an hour at most, so that a graph of the day shows them. The last
    prices are the first ones of a new exchange with any seed, so that one can take over.

    Args:
        seconds: Length of the day, at least `SHORTEST_SECONDS`.
        seed: The seed of the exchange that plays it.
    """

    def __init__(self, seconds: int, seed: int) -> None:
        self._slot = seconds // len(EPISODES)
        self._stretch = min(self._slot // (2 * PERIOD_SECONDS), _LONGEST_STRETCH)
        self._first = (self._slot - self._stretch * PERIOD_SECONDS) // 2
        market = Market(ASSETS, seed, 0)
        market.advance(seconds)
        last = market.prices()
        self._factors = {asset.name: asset.price / last[asset.name] for asset in ASSETS}

    def at(self, elapsed: int) -> Moment:
        """Return the state `elapsed` seconds after the start."""
        number, since = divmod(elapsed - self._first, self._slot)
        inside = 0 <= number < len(EPISODES) and since < self._stretch * PERIOD_SECONDS
        scenario = SCENARIOS[EPISODES[number] if inside else "calm"]
        moment = scenario.at(since // self._stretch)
        began = elapsed - since
        return replace(
            moment,
            began=began + moment.began * self._stretch,
            ends=began + moment.ends * self._stretch,
            price_factors={
                name: factor * moment.price_factors.get(name, 1.0)
                for name, factor in self._factors.items()
            },
        )
