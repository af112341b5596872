"""The measurements, each taken of all contenders in turns, so that all see the same machine."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.contenders import Contender, Line
from benchmarks.processes import cpu_seconds, memory_mib
from benchmarks.scraper import AS_PROMETHEUS, FORMATS, Scraper

CLIENTS = (1, 8, 64)
MEMORY = IDLE, AFTER, PEAK = ("idle", "after 1,000 scrapes", "peak")
_WARM_UP = 10  # scrapes
_BLOCK = 5  # scrapes of one contender before it is the next one's turn
_LOAD_ROUNDS = 3
_MEMORY_SCRAPES = 1000
_START_TIMEOUT = 20.0  # seconds
_BETWEEN_TRIES = 0.002  # seconds
_FIELDS = 9  # the decimals of a row, each a sample of a good page


@dataclass
class Figures:
    """What was measured of one contender with one number of assets; None is not known."""

    cpu_ms: dict[str, float | None] = field(default_factory=dict)
    """Median of a scrape, by format."""
    latency_ms: dict[str, dict[str, float]] = field(default_factory=dict)
    """By format, the percentiles."""
    scrapes_per_second: dict[int, float] = field(default_factory=dict)
    """By number of clients; pages that are no good do not count."""
    error_percent: dict[int, float] = field(default_factory=dict)
    """By number of clients: scrapes that brought no good page."""
    memory_mib: dict[str, float | None] = field(default_factory=dict)
    start_seconds: float | None = None


def is_good(samples: int, assets: int) -> bool:
    """Whether a page shows all assets: a failed fetch would look fast."""
    return samples >= _FIELDS * assets


async def first_page(contender: Contender, assets: int) -> None:
    """Wait until it gives a good page."""
    scraper = Scraper(contender.url, FORMATS[AS_PROMETHEUS])
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline:
        try:
            _, page = await scraper.scrape()
        except ConnectionError:
            pass
        else:
            if is_good(page.samples(), assets):
                scraper.close()
                return
        await asyncio.sleep(_BETWEEN_TRIES)
    raise SystemExit(f"{contender.name} gives no good page at {contender.url}")


async def start_seconds(line: Line, upstream: str, assets: int, rounds: int) -> dict[str, float]:
    """Median time from the start of the process to its first good page."""
    times: dict[str, list[float]] = {name: [] for name in line.own}
    for _ in range(rounds):
        for name, taken in times.items():
            begun_at = time.perf_counter()
            with line.start(name, upstream) as contender:
                await first_page(contender, assets)
                taken.append(time.perf_counter() - begun_at)
    return {name: statistics.median(taken) for name, taken in times.items()}


async def measure(
    contenders: Sequence[Contender], assets: int, scrapes: int, seconds: float
) -> dict[str, Figures]:
    """Measure running contenders.

    Args:
        contenders: Those that run.
        assets: How many each of their pages must show.
        scrapes: How many one after the other, in each format.
        seconds: How long each turn of scrapers at once takes.
    """
    figures = {contender.name: Figures() for contender in contenders}
    for contender in contenders:
        await first_page(contender, assets)
    _note_memory(contenders, figures, IDLE, "VmRSS")
    done = 0
    for name, headers in FORMATS.items():
        await _one_by_one(contenders, figures, (name, headers), scrapes, assets)
        done += scrapes
    for contender in contenders:
        scraper = Scraper(contender.url, FORMATS[AS_PROMETHEUS])
        for _ in range(_MEMORY_SCRAPES - done):
            await scraper.scrape()
        scraper.close()
    _note_memory(contenders, figures, AFTER, "VmRSS")
    for clients in CLIENTS:
        await _at_once(contenders, figures, clients, seconds, assets)
    _note_memory(contenders, figures, PEAK, "VmHWM")
    return figures


async def _one_by_one(
    contenders: Sequence[Contender],
    figures: dict[str, Figures],
    asked: tuple[str, dict[str, str]],
    scrapes: int,
    assets: int,
) -> None:
    """Latency and CPU time, one scrape after the other."""
    name, headers = asked
    scrapers = {each.name: Scraper(each.url, headers) for each in contenders}
    latencies: dict[str, list[float]] = {each.name: [] for each in contenders}
    cpu: dict[str, list[float]] = {each.name: [] for each in contenders}
    for scraper in scrapers.values():
        for _ in range(_WARM_UP):
            await scraper.scrape()
    for _ in range(scrapes // _BLOCK):
        for each in contenders:
            before = cpu_seconds(each.pid) if each.pid else 0.0
            for _ in range(_BLOCK):
                taken, page = await scrapers[each.name].scrape()
                latencies[each.name].append(1000 * taken)
            if each.pid:
                cpu[each.name].append(1000 * (cpu_seconds(each.pid) - before) / _BLOCK)
            if not is_good(page.samples(), assets):
                raise SystemExit(f"{each.name} gave a page without all assets")
    for each in contenders:
        scrapers[each.name].close()
        cuts = statistics.quantiles(latencies[each.name], n=100)
        percentiles = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}
        figures[each.name].latency_ms[name] = percentiles
        figures[each.name].cpu_ms[name] = statistics.median(cpu[each.name]) if each.pid else None


async def _at_once(
    contenders: Sequence[Contender],
    figures: dict[str, Figures],
    clients: int,
    seconds: float,
    assets: int,
) -> None:
    """Scrapes a second with several scrapers at once."""
    rates: dict[str, list[float]] = {each.name: [] for each in contenders}
    totals: dict[str, Counter[str]] = {each.name: Counter() for each in contenders}
    for each in list(contenders) * _LOAD_ROUNDS:
        tally: Counter[str] = Counter()
        scrapers = [asyncio.create_task(scrape_on(each.url, assets, tally)) for _ in range(clients)]
        await asyncio.sleep(seconds)
        for scraper in scrapers:
            scraper.cancel()
        await asyncio.wait(scrapers)
        await first_page(each, assets)  # by then it has worked off what was asked
        rates[each.name].append(tally["good"] / seconds)
        totals[each.name] += tally
    for each in contenders:
        total = totals[each.name]
        figures[each.name].error_percent[clients] = 100 * total["bad"] / total.total()
        figures[each.name].scrapes_per_second[clients] = statistics.median(rates[each.name])


async def scrape_on(url: str, assets: int, tally: Counter[str]) -> None:
    """Scrape until cancelled."""
    scraper = Scraper(url, FORMATS[AS_PROMETHEUS])
    least = 0
    try:
        while True:
            try:
                _, page = await scraper.scrape()
            except OSError:
                tally["bad"] += 1
                continue
            if not least and is_good(page.samples(), assets):
                least = len(page.body) // 2  # for the further pages their size is enough
            tally["good" if least and len(page.body) >= least else "bad"] += 1
    finally:
        scraper.close()


def _note_memory(
    contenders: Sequence[Contender], figures: dict[str, Figures], when: str, what: str
) -> None:
    for each in contenders:
        figures[each.name].memory_mib[when] = memory_mib(each.pid, what) if each.pid else None
