"""Where a scrape's CPU time goes, measured inside the running process.

In a loop of its own a part may take less, as all that it needs stays in the processor's caches.
"""

import json
import signal
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import thread_time
from types import SimpleNamespace
from typing import Any, ParamSpec, TypeVar

from prometheus_client import CollectorRegistry

from benchmarks.contenders import OURS, Contender
from benchmarks.measure import first_page
from benchmarks.processes import cpu_seconds, free_port, running
from benchmarks.scraper import AS_PROMETHEUS, FORMATS, Scraper
from exporter import cli, flags
from exporter.binance import answer
from exporter.binance.adapter import DeadlineAdapter
from exporter.binance.client import Client
from exporter.web.exposition import Renderer
from exporter.web.writer import Writer

FETCH, PAGE = "the fetch", "the page"
_COLLECT, _GZIP = "- collecting the process's own metrics", "- gzip"
OF_FETCH: dict[str, tuple[Any, str]] = {
    "- request and response, with `requests`": (DeadlineAdapter, "send"),
    "- JSON": (json, "loads"),
    "- checking the rows": (answer, "parse_rows"),
}
OF_PAGE: dict[str, tuple[Any, str]] = {
    _COLLECT: (CollectorRegistry, "collect"),
    "- writing the process's own metrics": (Writer, "family"),
    "- writing the index": (Writer, "table"),
    _GZIP: (zlib, "compressobj"),
}
_CALLS = {FETCH: (Client, "asset_index"), **OF_FETCH, PAGE: (Renderer, "page"), **OF_PAGE}
_WARM_UP = 10  # scrapes
_START_ANEW = signal.SIGUSR1
_REST = "all else"

Parts = dict[str, float]
"""Milliseconds of CPU time of a scrape, by part; those with a dash are within the one above."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def measure(upstream: str, assets: int, scrapes: int) -> Parts:
    """Measure an exporter of our own, as Prometheus asks.

    Args:
        upstream: The URL to fetch from.
        assets: How many a page must show.
        scrapes: How many to take the mean of.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(f"modules: {{default: {{base_url: '{upstream}'}}}}\n")
        address = f"127.0.0.1:{free_port()}"
        arguments = [f"--config.file={config}", f"--web.listen-address={address}"]
        with running([sys.executable, "-m", "benchmarks.parts", *arguments]) as process:
            url = f"http://{address}/metrics"
            await first_page(Contender(OURS, url, process.pid), assets)
            scraper = Scraper(url, FORMATS[AS_PROMETHEUS])
            for _ in range(_WARM_UP):
                await scraper.scrape()
            process.send_signal(_START_ANEW)
            before = cpu_seconds(process.pid)
            for _ in range(scrapes):
                await scraper.scrape()
            total = 1000 * (cpu_seconds(process.pid) - before) / scrapes
            process.terminate()
            parts: Parts = json.loads(process.communicate()[0])
    return {**parts, _REST: total - parts[FETCH] - parts[PAGE], "all": total}


def table(results: dict[int, Parts]) -> str:
    """The parts by number of assets, as Markdown."""
    rows = [
        ["CPU a scrape, ms", *(f"{assets:,}" for assets in results)],
        ["---", *("---:" for _ in results)],
        *(
            [name, *(f"{parts[name]:.2f}" for parts in results.values())]
            for name in next(iter(results.values()))
        ),
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _serve() -> None:
    """Run the exporter with its parts timed, until SIGTERM; print what each took."""
    spent: Counter[str] = Counter()
    scrapes = 0

    def start_anew(*_: object) -> None:
        nonlocal scrapes
        spent.clear()
        scrapes = 0

    def timed(part: str, call: Callable[_P, _T]) -> Callable[_P, _T]:
        def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            begun_at = thread_time()
            try:
                return call(*args, **kwargs)
            finally:
                spent[part] += thread_time() - begun_at  # type: ignore[assignment]
                nonlocal scrapes
                scrapes += part == PAGE

        return wrapper

    collect, compressobj = CollectorRegistry.collect, zlib.compressobj

    def collected(registry: CollectorRegistry) -> list[object]:
        return list(collect(registry))  # a generator, which alone takes no time

    def compressor(*args: Any, **kwargs: Any) -> Any:
        real = compressobj(*args, **kwargs)
        return SimpleNamespace(compress=timed(_GZIP, real.compress), flush=timed(_GZIP, real.flush))

    special = {_COLLECT: collected, _GZIP: compressor}
    for part, (owner, name) in _CALLS.items():
        setattr(owner, name, timed(part, special.get(part, getattr(owner, name))))
    signal.signal(_START_ANEW, start_anew)
    cli.run(flags.parse())
    print(json.dumps({part: 1000 * spent[part] / scrapes for part in _CALLS}))


if __name__ == "__main__":
    _serve()
