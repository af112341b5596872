import pytest

from exporter.simulator.exchange import Exchange
from exporter.simulator.scenarios import SCENARIOS

START = 1_800_000_000
"""The first second of a UTC minute."""


class Clock:
    """Unix time that moves when a test says so."""

    def __init__(self, now=float(START)):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def open_exchange(clock):
    def open_exchange(scenario="calm", **options):
        assert scenario in SCENARIOS
        return Exchange(scenario, clock=clock, **options)

    return open_exchange
