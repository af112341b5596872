"""One exporter process: what it takes at so many scrapers and assets."""

import asyncio
import contextlib
import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import requests

from benchmarks.contenders import OURS, Contender, Line
from benchmarks.measure import first_page, scrape_on
from benchmarks.processes import cpu_seconds, memory_mib
from benchmarks.scraper import AS_PROMETHEUS, AS_TEXT, FORMATS, Scraper

INTERVALS = (15, 5)  # seconds
_MANY = 10  # scrapes a second, which load a core: measured one number of assets after the other
_BARE_FETCHES = 30
_FETCHES = re.compile(rb'^binance_api_requests_total\{endpoint="assetIndex"\} (\S+)$', re.MULTILINE)


@dataclass
class Load:
    """What one process took with one number of scrapers."""

    cpu_percent: dict[int, float] = field(default_factory=dict)
    """Of one core, by scrape interval in seconds."""
    memory_mib: float = 0.0
    """At these intervals."""
    peak_mib: float = 0.0
    """With all scrapers as fast as they can."""
    scrapes_per_second: float = 0.0
    """As fast as they can, as the next three."""
    cpu_ms: float = 0.0
    """Of a scrape."""
    fetches: float = 0.0
    """Of a scrape: 1 if no two share one."""
    bad_percent: float = 0.0
    """Scrapes that brought no good page."""


@dataclass(frozen=True)
class _Case:
    assets: int
    scrapers: int
    contender: Contender
    load: Load


Loads = dict[int, dict[int, Load]]
"""By number of assets, by number of scrapers."""


async def measure(
    line: Line, upstreams: dict[int, str], scrapers: Sequence[int], seconds: float
) -> Loads:
    """Measure a process for each combination.

    Args:
        line: Starts them.
        upstreams: Where to fetch so many assets from.
        scrapers: How many at once.
        seconds: How long they scrape as fast as they can.
    """
    loads: Loads = {assets: {} for assets in upstreams}
    cases = []
    with contextlib.ExitStack() as stack:
        for assets, upstream in upstreams.items():
            for number in scrapers:
                contender = stack.enter_context(line.start(OURS, upstream))
                await first_page(contender, assets)
                loads[assets][number] = Load()
                cases.append(_Case(assets, number, contender, loads[assets][number]))
        for interval in INTERVALS:
            few = [case for case in cases if case.scrapers / interval < _MANY]
            await asyncio.gather(*(_at_interval(case, interval, 2 * interval) for case in few))
            for case in cases:
                if case not in few:
                    await _at_interval(case, interval, interval)
        for case in cases:
            case.load.memory_mib = memory_mib(_pid(case))
            await _as_fast_as_they_can(case, seconds)
            case.load.peak_mib = memory_mib(_pid(case), "VmHWM")
    return loads


def bare_fetch_ms(upstream: str) -> float:
    """CPU time of a fetch with `requests` that decodes the JSON: what no exporter avoids."""
    with requests.Session() as session:
        begun_at = time.process_time()
        for _ in range(_BARE_FETCHES):
            session.get(f"{upstream}/fapi/v1/assetIndex", timeout=10).json()
        return 1000 * (time.process_time() - begun_at) / _BARE_FETCHES


async def _at_interval(case: _Case, interval: int, seconds: float) -> None:
    """Scrape at an interval; like Prometheus, each scraper has a phase of its own."""
    phases = random.Random(1)  # noqa: S311 - the same in each run, no secret

    async def scrape(phase: float) -> None:
        scraper = Scraper(case.contender.url, FORMATS[AS_PROMETHEUS])
        loop = asyncio.get_running_loop()
        begun_at = loop.time()
        try:
            while phase < seconds:
                await asyncio.sleep(begun_at + phase - loop.time())
                await scraper.scrape()
                phase += interval
        finally:
            scraper.close()

    before = cpu_seconds(_pid(case))
    begun_at = time.perf_counter()
    scrapes = (scrape(phases.uniform(0, interval)) for _ in range(case.scrapers))
    await asyncio.gather(*scrapes, asyncio.sleep(seconds))
    taken = cpu_seconds(_pid(case)) - before
    case.load.cpu_percent[interval] = 100 * taken / (time.perf_counter() - begun_at)


async def _as_fast_as_they_can(case: _Case, seconds: float) -> None:
    tally: Counter[str] = Counter()
    fetches, cpu = await _fetches(case.contender), cpu_seconds(_pid(case))
    tasks = [
        asyncio.create_task(scrape_on(case.contender.url, case.assets, tally))
        for _ in range(case.scrapers)
    ]
    await asyncio.sleep(seconds)
    scrapes, bad = tally.total(), tally["bad"]
    cpu = cpu_seconds(_pid(case)) - cpu
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await first_page(case.contender, case.assets)  # by then it has worked off what was asked
    fetches = await _fetches(case.contender) - fetches - 2  # less those of this function
    case.load.scrapes_per_second = (scrapes - bad) / seconds
    case.load.bad_percent = 100 * bad / scrapes
    case.load.cpu_ms = 1000 * cpu / scrapes
    case.load.fetches = min(1.0, fetches / scrapes)


async def _fetches(contender: Contender) -> float:
    scraper = Scraper(contender.url, FORMATS[AS_TEXT])
    _, page = await scraper.scrape()
    scraper.close()
    match = _FETCHES.search(page.body)
    assert match
    return float(match[1])


def _pid(case: _Case) -> int:
    assert case.contender.pid
    return case.contender.pid
