import asyncio

import pytest

from benchmarks.contenders import OURS, PLAIN, Line
from benchmarks.measure import first_page
from benchmarks.processes import cpu_seconds, listening_on, memory_mib


@pytest.mark.parametrize("name", [OURS, PLAIN])
def test_a_contender_shows_all_assets_of_the_upstream(tmp_path, upstream, name):
    with Line(tmp_path, {}).start(name, upstream) as contender:
        asyncio.run(first_page(contender, 30))
        assert listening_on(int(contender.url.split(":")[2].split("/")[0])) == contender.pid
        assert cpu_seconds(contender.pid) > 0
        assert 10 < memory_mib(contender.pid) <= memory_mib(contender.pid, "VmHWM")
