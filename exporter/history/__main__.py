"""Write a day of history: `python -m exporter.history > history.om`.

`promtool tsdb create-blocks-from openmetrics history.om DATA` turns it into blocks of Prometheus.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from datetime import datetime

from prometheus_client import disable_created_metrics

from exporter import log
from exporter.config import duration
from exporter.history.progress import shown
from exporter.history.scrapes import Clock, Scrapes
from exporter.history.tape import Tape
from exporter.simulator.day import EPISODES, SHORTEST_SECONDS, Day
from exporter.simulator.exchange import Exchange


def main(argv: Sequence[str] | None = None) -> int:
    """Write the history to standard output; returns the process's exit status."""
    flags = _parser().parse_args(argv)
    log.configure("error", "logfmt")  # the simulated outages are no news
    disable_created_metrics()  # type: ignore[no-untyped-call]
    end = int(flags.end // flags.step) * flags.step
    begin = end - int(flags.duration // flags.step) * flags.step
    clock = Clock()
    clock.now = begin
    exchange = Exchange(Day(end - begin, flags.seed), flags.seed, clock)
    scrapes = Scrapes(exchange, clock, flags.seed)
    tape = Tape({"job": flags.job, "instance": flags.instance})
    moments = range(begin, end + 1, flags.step)
    for moment in shown(moments, len(moments), "history: scrapes"):
        tape.record(scrapes.at(moment), moment)
    sys.stdout.writelines(tape.lines())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m exporter.history",
        description="Writes what Prometheus would have scraped from this exporter with its"
        " simulator, as OpenMetrics text with timestamps: a calm day with these scenarios, one by"
        f" one: {', '.join(EPISODES)}.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    shortest = duration.render(SHORTEST_SECONDS)
    add(
        "--duration",
        type=_duration,
        default="24h",
        help=f"length of the history, at least {shortest} (default %(default)s)",
    )
    add("--step", type=_step, default="15s", help="scrape interval (default %(default)s)")
    add(
        "--end",
        type=_end,
        default="now",
        help="time of the last scrape, now or RFC 3339 (default now)",
    )
    add(
        "--job",
        default="binance_asset_index",
        help="label job of all samples (default %(default)s)",
    )
    add(
        "--instance",
        default="localhost:10198",
        help="label instance of all samples (default %(default)s)",
    )
    add("--seed", type=int, default=1, help="seed of prices and latencies (default %(default)s)")
    return parser


def _duration(text: str) -> int:
    return _duration_from(text, SHORTEST_SECONDS)


def _step(text: str) -> int:
    return _duration_from(text, 1)


def _duration_from(text: str, least: int) -> int:
    try:
        seconds = int(duration.parse(text))
    except ValueError:
        seconds = 0
    if seconds < least:
        needed = f"a duration of at least {duration.render(least)}"
        raise argparse.ArgumentTypeError(f"expected {needed}, got {text!r}")
    return seconds


def _end(text: str) -> float:
    if text == "now":
        return time.time()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        needed = "now, or a time such as 2026-01-31T12:00:00Z"
        raise argparse.ArgumentTypeError(f"expected {needed}, got {text!r}")
    return moment.timestamp()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # there is nothing to clean up
    sys.exit(main())
