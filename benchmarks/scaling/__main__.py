"""The run: `make scaling`, or `python -m benchmarks.scaling --help`."""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.contenders import Line
from benchmarks.scaling import one_exporter, report, rules, store
from benchmarks.scaling.rules import Case
from benchmarks.upstream import upstreams

_SIZES = (30, 300, 1000, 2000)


@dataclass(frozen=True)
class Plan:
    """What a run measures.

    Attributes:
        sizes: Numbers of assets of one exporter.
        scrapers: Numbers of scrapers of one exporter.
        seconds: How long these scrape as fast as they can.
        stores: Numbers of assets in the store.
        cases: What the rules are evaluated with.
    """

    sizes: Sequence[int] = _SIZES
    scrapers: Sequence[int] = (1, 10, 100)
    seconds: float = 3.0
    stores: Sequence[int] = (30, 1000)
    cases: Sequence[Case] = (
        *(Case(assets, exporters) for exporters in (1, 10) for assets in _SIZES),
        Case(1000, 1, margin=True),
    )


def main() -> None:
    """Measure what many scrapers, assets and exporters take; write the tables."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), Plan())
    tables = report.parts(results)
    print("\n".join(tables.values()), end="")
    if options.json:
        options.json.write_text(json.dumps(results.as_json(), indent=1) + "\n")
    if options.page:
        options.page.write_text(report.page(options.page.read_text(), tables))


def measure(folder: Path, plan: Plan) -> report.Results:
    """Measure all of a plan; the folder is for what is written on the way."""
    line = Line(folder, {})
    with contextlib.ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        with upstreams(plan.sizes) as urls:
            bare = {size: one_exporter.bare_fetch_ms(url) for size, url in urls.items()}
            _say("one exporter ...")
            loads = runner.run(one_exporter.measure(line, urls, plan.scrapers, plan.seconds))
        kept = {}
        for size in plan.stores:
            _say(f"the store with {size:,} assets ...")
            kept[size] = store.measure(folder, size)
        costs = {}
        for case in plan.cases:
            _say(f"the rules with {case} ...")
            costs[case] = runner.run(rules.measure(line, folder, case))
    return report.Results(loads, bare, kept, costs, os.cpu_count() or 1)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=main.__doc__)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there")
    parser.add_argument("--page", metavar="FILE", type=Path, help="put the tables into this page")
    return parser


if __name__ == "__main__":
    main()
