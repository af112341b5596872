import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.simulator.assets import ASSETS, YEAR_SECONDS
from exporter.simulator.market import Market

from .conftest import START

START_PRICES = {asset.name: asset.price for asset in ASSETS}


def market_after(*seconds, seed=1):
    market = Market(ASSETS, seed, START)
    for second in seconds:
        market.advance(START + second)
    return market


def test_the_walk_begins_at_the_listed_prices():
    assert market_after().prices() == START_PRICES


@given(stops=st.lists(st.integers(0, 60)))
def test_prices_do_not_depend_on_when_they_were_asked_for(stops):
    assert market_after(*sorted(stops), 60).prices() == market_after(60).prices()


def test_another_seed_gives_other_prices():
    assert market_after(60, seed=2).prices() != market_after(60, seed=1).prices()


def test_a_past_second_changes_nothing():
    market = market_after(60)
    before = market.prices()
    market.advance(START)
    assert (market.second, market.prices()) == (START + 60, before)


def test_coins_move_together_and_stablecoins_do_not():
    market = market_after()
    returns = {"BTC": [], "ETH": [], "USDT": []}
    before = market.prices()
    for second in range(1, 601):
        market.advance(START + second)
        now = market.prices()
        for name, moves in returns.items():
            moves.append(now[name] / before[name] - 1)
        before = now
    assert statistics.correlation(returns["BTC"], returns["ETH"]) > 0.5
    assert abs(statistics.correlation(returns["BTC"], returns["USDT"])) < 0.2


STABLE = ("USDT", "USDC", "FDUSD", "BNFCR", "BFUSD")
YIELDS = {"LDUSDT": 0.035, "RWUSD": 0.042}


@pytest.fixture(scope="module")
def six_hours_later():
    """Prices of the assets that a test below asks for; those of all take seconds."""
    market = Market([asset for asset in ASSETS if asset.name in (*STABLE, *YIELDS)], 1, START)
    market.advance(START + 6 * 3600)
    return market.prices()


@pytest.mark.parametrize("name", STABLE)
def test_a_stablecoin_stays_at_its_peg(six_hours_later, name):
    assert six_hours_later[name] == pytest.approx(START_PRICES[name], abs=5e-4)


@pytest.mark.parametrize(("name", "yearly"), YIELDS.items())
def test_a_yield_token_accrues_its_interest(six_hours_later, name, yearly):
    growth = math.log(six_hours_later[name] / START_PRICES[name])
    assert growth == pytest.approx(yearly * 6 * 3600 / YEAR_SECONDS, abs=3e-7)
