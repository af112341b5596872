from tests.soak.__main__ import soak


def test_a_short_soak_finds_nothing():
    assert soak(4, seed=1, growth=False) == []  # it is too short to be warm
