import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.simulator.assets import ASSETS
from exporter.simulator.scenarios import CALM, PERIOD_SECONDS, SCENARIOS

NAMES = {asset.name for asset in ASSETS}

scripted = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)


@scripted
def test_a_timeline_is_in_order_and_ends_within_the_period(scenario):
    starts = list(scenario.timeline)
    assert starts[0] == 0
    assert starts == sorted(starts)
    assert starts[-1] < PERIOD_SECONDS


@scripted
def test_a_description_is_one_line(scenario):
    assert scenario.description.isprintable()


@scripted
def test_a_script_names_assets_that_exist(scenario):
    for keyframe in scenario.timeline.values():
        named = {*keyframe.price_factors, *keyframe.haircut_points}
        assert named | keyframe.not_margin | keyframe.unlisted <= NAMES


@given(scenario=st.sampled_from(list(SCENARIOS.values())), elapsed=st.integers(0, 10**7))
def test_a_keyframe_applies_from_its_beginning_to_its_end(scenario, elapsed):
    moment = scenario.at(elapsed)
    assert moment.began <= elapsed < moment.ends
    assert scenario.timeline[moment.began % PERIOD_SECONDS] == moment.keyframe


@given(scenario=st.sampled_from(list(SCENARIOS.values())), elapsed=st.integers(0, PERIOD_SECONDS))
def test_a_timeline_repeats(scenario, elapsed):
    first, second = scenario.at(elapsed), scenario.at(elapsed + PERIOD_SECONDS)
    assert (first.keyframe, first.price_factors) == (second.keyframe, second.price_factors)


def test_calm_stays_calm():
    assert {SCENARIOS["calm"].at(second).keyframe == CALM for second in range(PERIOD_SECONDS)} == {
        True
    }


@pytest.mark.parametrize(
    ("elapsed", "factor"),
    [(0, 1.0), (60, 1.0), (120, 0.985), (180, 0.97), (240, 0.97), (360, 0.985), (420, 1.0)],
)
def test_a_price_factor_moves_in_a_straight_line(elapsed, factor):
    factors = SCENARIOS["depeg"].at(elapsed).price_factors
    assert factors.get("USDC", 1.0) == pytest.approx(factor)
