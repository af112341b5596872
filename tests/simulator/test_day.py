import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.simulator.assets import ASSETS
from exporter.simulator.day import EPISODES, SHORTEST_SECONDS, Day
from exporter.simulator.exchange import Exchange
from exporter.simulator.scenarios import CALM, SCENARIOS

HOUR = 3600
SHORTEST_KEYFRAME_SECONDS = 60


def day_of_one_asset(seconds, seed):
    """What is played when does not depend on prices, and those of all assets take seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exporter.simulator.day.ASSETS", ASSETS[:1])
        return Day(seconds, seed)


@pytest.fixture(scope="module")
def day():
    return day_of_one_asset(24 * HOUR, seed=3)


def eventful(keyframes):
    return [each for each, _ in itertools.groupby(keyframes) if each != CALM]


@pytest.mark.parametrize("seconds", [SHORTEST_SECONDS, 5 * HOUR, 24 * HOUR])
def test_every_scenario_is_played_once_from_its_first_keyframe_to_its_last(seconds):
    day = day_of_one_asset(seconds, seed=1)
    timelines = [SCENARIOS[name].timeline.values() for name in EPISODES]
    moments = range(0, seconds, SHORTEST_KEYFRAME_SECONDS)
    assert eventful(day.at(elapsed).keyframe for elapsed in moments) == eventful(
        itertools.chain.from_iterable(timelines)
    )


def test_it_begins_and_ends_calm(day):
    assert day.at(0).keyframe == day.at(24 * HOUR).keyframe == CALM


@given(elapsed=st.integers(0, 24 * HOUR))
def test_a_keyframe_applies_from_its_beginning_to_its_end(day, elapsed):
    moment = day.at(elapsed)
    assert moment.began <= elapsed < moment.ends
    assert day.at(moment.began).keyframe == moment.keyframe
    assert day.at(moment.ends - 1).keyframe == moment.keyframe


def test_a_new_exchange_takes_over_at_the_last_prices(clock):
    def prices(exchange):
        rows = json.loads(exchange.answer("/fapi/v1/assetIndex", {}).body)
        return {row["symbol"]: float(row["index"]) for row in rows}

    end = clock.now + SHORTEST_SECONDS
    old = Exchange(Day(SHORTEST_SECONDS, seed=3), seed=3, clock=clock)
    clock.now = end
    assert prices(old) == pytest.approx(prices(Exchange(seed=9, clock=clock)), abs=1e-8)
