"""The run: `make bench`, or `python -m benchmarks --help`."""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import uvloop

from benchmarks import measure, parts, plot, report
from benchmarks.contenders import Line, build_go
from benchmarks.upstream import upstreams

_SCRAPES = {30: 400, 300: 200, 1000: 100}
"""By number of assets, how many scrapes one after the other, in each format."""
_LOAD_SECONDS = 1.5
_STARTS = 7
_PARTS = 500  # scrapes that the parts are the mean of


def main() -> None:
    """Measure, print the table, write the files."""
    options = _parser().parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        line = Line(folder, dict(options.peer), build_go(folder))
        urls = stack.enter_context(upstreams(options.assets))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            results = runner.run(_run(line, urls))
            of_parts = {size: runner.run(parts.measure(urls[size], size, _PARTS)) for size in urls}
    figures = (report.table(results), report.growth(results), parts.table(of_parts))
    printed = "\n".join([f"Measured with {_interpreters()}.\n", *filter(None, figures)])
    print(printed, end="")
    if options.page:
        options.page.write_text(report.inserted(options.page.read_text(), printed))
    if options.json:
        document = {
            assets: {name: dataclasses.asdict(each) for name, each in of_size.items()}
            for assets, of_size in results.items()
        }
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    if options.svg:
        options.svg.write_text(plot.svg(results))


async def _run(line: Line, urls: dict[int, str]) -> report.Results:
    results: report.Results = {}
    for assets, url in urls.items():
        print(f"{assets:,} assets ...", file=sys.stderr)
        with contextlib.ExitStack() as stack:
            contenders = [stack.enter_context(line.start(name, url)) for name in line.names]
            scrapes = _SCRAPES[assets]
            results[assets] = await measure.measure(contenders, assets, scrapes, _LOAD_SECONDS)
    smallest = min(urls)
    starts = await measure.start_seconds(line, urls[smallest], smallest, _STARTS)
    for name, seconds in starts.items():
        results[smallest][name].start_seconds = seconds
    return results


def _interpreters() -> str:
    """Which builds were measured: one of Python may be a tenth faster than another."""
    python = f"{platform.python_implementation()} {sys.version}"
    if go := shutil.which("go"):
        version = subprocess.run([go, "version"], check=True, capture_output=True, text=True).stdout
        return f"{python} and {version.strip().removesuffix(' version')}"
    return python


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument(
        "--peer",
        metavar="NAME=URL",
        action="append",
        default=[],
        type=_peer,
        help="another exporter that runs already; {upstream} in the URL becomes the address to"
        " fetch from, such as 'json_exporter=http://127.0.0.1:7979/probe?module=index&"
        "target={upstream}/fapi/v1/assetIndex'",
    )
    parser.add_argument(
        "--assets",
        metavar="NUMBER",
        nargs="+",
        type=int,
        choices=_SCRAPES,
        default=[*_SCRAPES],
        help="only with these numbers of assets (default: 30 300 1000)",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there")
    parser.add_argument("--page", metavar="FILE", type=Path, help="put the table into this page")
    parser.add_argument("--svg", metavar="FILE", type=Path, help="write the plot there")
    return parser


def _peer(text: str) -> tuple[str, str]:
    name, _, url = text.partition("=")
    if not name or not url.startswith("http://") or "{upstream}" not in url:
        raise argparse.ArgumentTypeError("expected NAME=http://... with {upstream} in the URL")
    return name, url


if __name__ == "__main__":
    main()
