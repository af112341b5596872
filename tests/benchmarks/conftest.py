import pytest

from benchmarks.upstream import upstreams


@pytest.fixture(scope="module")
def upstream():
    with upstreams([30]) as urls:
        yield urls[30]
