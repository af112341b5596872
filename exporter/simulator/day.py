"""A day at the exchange: calm, and now and then one of the scenarios."""

from dataclasses import replace

from exporter.simulator.assets import ASSETS
from exporter.simulator.market import Market
from exporter.simulator.scenarios import PERIOD_SECONDS, SCENARIOS, Moment

EPISODES = tuple(name for name in SCENARIOS if name != "calm")
SHORTEST_SECONDS = len(EPISODES) * 2 * PERIOD_SECONDS
"""Half of a day belongs to its episodes, and none is shorter than its scenario."""

_LONGEST_STRETCH = 6  # an hour: of ten minutes little is seen on a picture of a whole day


class Day:
    """A script in which each scenario but the calm one happens once, at even distances.

    A scenario is stretched, to an hour at most: a day should show it. Prices end where those of
    a new exchange with any seed begin, so that one can take over.

    Args:
        seconds: How long the day is, `SHORTEST_SECONDS` at least.
        seed: That of the exchange which plays it.
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
        """The state of things `elapsed` seconds after the start."""
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
