import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.simulator.day import EPISODES, SHORTEST_SECONDS, Day
from exporter.simulator.exchange import Exchange
from exporter.simulator.scenarios import CALM, SCENARIOS

pytestmark = pytest.mark.no_cover  # a day has many seconds, and each line counted takes longer

HOUR = 3600
DAY = Day(24 * HOUR, seed=3)


def eventful(keyframes):
    return [each for each, _ in itertools.groupby(keyframes) if each != CALM]


@pytest.mark.parametrize("seconds", [SHORTEST_SECONDS, 5 * HOUR, 24 * HOUR])
def test_every_scenario_is_played_once_from_its_first_keyframe_to_its_last(seconds):
    day = Day(seconds, seed=1)
    timelines = [SCENARIOS[name].timeline.values() for name in EPISODES]
    assert eventful(day.at(elapsed).keyframe for elapsed in range(seconds)) == eventful(
        itertools.chain.from_iterable(timelines)
    )


def test_it_begins_and_ends_calm():
    assert DAY.at(0).keyframe == DAY.at(24 * HOUR).keyframe == CALM


@given(elapsed=st.integers(0, 24 * HOUR))
def test_a_keyframe_applies_from_its_beginning_to_its_end(elapsed):
    moment = DAY.at(elapsed)
    assert moment.began <= elapsed < moment.ends
    assert DAY.at(moment.began).keyframe == moment.keyframe
    assert DAY.at(moment.ends - 1).keyframe == moment.keyframe


def test_a_new_exchange_takes_over_at_the_last_prices(clock):
    def prices(exchange):
        rows = json.loads(exchange.answer("/fapi/v1/assetIndex", {}).body)
        return {row["symbol"]: float(row["index"]) for row in rows}

    end = clock.now + 24 * HOUR
    old = Exchange(DAY, seed=3, clock=clock)
    clock.now = end
    assert prices(old) == pytest.approx(prices(Exchange(seed=9, clock=clock)), abs=1e-8)
