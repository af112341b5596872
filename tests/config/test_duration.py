import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config import duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("500ms", 0.5),
        ("5s", 5),
        ("1m30s", 90),
        ("1h", 3600),
        ("1d", 86_400),
        ("1w", 604_800),
        ("1y", 31_536_000),
        ("1y2w3d4h5m6s7ms", 33_019_506.007),
    ],
)
def test_reads_what_prometheus_reads(text, seconds):
    assert duration.parse(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "5", "5 s", "-5s", "1.5s", "1s1m", "1s1s", "5S", "5s\n", "٥s", "1h,", "1us"]
)
def test_refuses_what_prometheus_refuses(text):
    with pytest.raises(ValueError, match=r"^$"):
        duration.parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.001, "1ms"), (90, "1m30s"), (604_800, "1w"), (7_776_000, "90d"), (3600, "1h")],
)
def test_writes_as_prometheus_writes(seconds, text):
    assert duration.render(seconds) == text


@pytest.mark.fuzz
@given(st.integers(min_value=0, max_value=10**12))
def test_reads_what_it_writes(milliseconds):
    assert duration.parse(duration.render(milliseconds / 1000)) == milliseconds / 1000
