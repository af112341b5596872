"""What Prometheus keeps: scrapes of the simulator and what the rules make of them, in blocks."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scaling import history
from benchmarks.scaling.exchange import NO_LIMIT, assets
from exporter.history import load
from exporter.history.scrapes import Clock, Scrapes
from exporter.history.tape import Tape
from exporter.simulator.exchange import Exchange

STEP = 15
DAY = 24 * 3600
_SECONDS = 3600  # of history: two whole chunks of 120 samples


@dataclass
class Kept:
    """What some series take on disk.

    Attributes:
        series: How many.
        samples: Of one scrape or evaluation, on average.
        bytes_a_sample: In the chunks.
        index_bytes: Of a series, in each block; a compacted block holds a day or more.
    """

    series: int
    samples: float
    bytes_a_sample: float
    index_bytes: float

    @property
    def samples_a_day(self) -> float:
        """At a scrape each 15 s."""
        return self.samples * DAY / STEP

    @property
    def bytes_a_day(self) -> float:
        """With a block a day."""
        return self.samples_a_day * self.bytes_a_sample + self.series * self.index_bytes


@dataclass
class Store:
    """Both kinds of series."""

    scraped: Kept
    recorded: Kept


def measure(folder: Path, number: int) -> Store:
    """Load some hours of a calm exchange with so many assets, and look at the blocks."""
    data = folder / f"store-{number}"
    end = int(time.time()) // DAY * DAY  # whole blocks of two hours
    begin = end - _SECONDS
    clock = Clock()
    clock.now = begin
    listed = assets(number, margin=False)
    scrapes = Scrapes(Exchange(assets=listed, clock=clock, weight_limit=NO_LIMIT), clock, seed=1)
    tape = Tape({"job": history.JOB, "instance": "localhost:10198"})
    for moment in range(begin, end, STEP):
        tape.record(scrapes.at(moment), moment)
    data.mkdir()
    load.add_blocks(data, tape.lines())
    before = _blocks(data)
    load.record(data, {"start": begin, "end": end - STEP, "step": STEP})
    return Store(_kept(before), _kept(_blocks(data) - before))


def _blocks(folder: Path) -> set[Path]:
    return {meta.parent for meta in folder.glob("*/meta.json")}


def _kept(blocks: set[Path]) -> Kept:
    stats = [json.loads((block / "meta.json").read_text())["stats"] for block in blocks]
    series, samples = (sum(each[f"num{what}"] for each in stats) for what in ("Series", "Samples"))
    chunks = sum(file.stat().st_size for block in blocks for file in block.glob("chunks/*"))
    index = sum((block / "index").stat().st_size for block in blocks)
    return Kept(series, samples * STEP / _SECONDS, chunks / samples, index / series)
