import sys

import pytest

from benchmarks.processes import running


@pytest.fixture(scope="module")
def upstream():
    with running([sys.executable, "-m", "benchmarks.upstream", "30"]) as process:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
