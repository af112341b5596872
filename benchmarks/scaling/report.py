"""The generated part of docs/scaling.md."""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from benchmarks.report import inserted, number
from benchmarks.scaling.one_exporter import INTERVALS, Load, Loads
from benchmarks.scaling.rules import Case, Cost
from benchmarks.scaling.store import STEP, Kept, Store

_MEBIBYTE = 1 << 20


def _cpu_percent(interval: int, load: Load) -> float:
    return load.cpu_percent[interval]


_MEASURES: dict[str, Callable[[Load], float]] = {
    "scrapes a second, as fast as they can": lambda load: load.scrapes_per_second,
    "CPU a scrape at that rate, ms": lambda load: load.cpu_ms,
    "fetches a scrape at that rate": lambda load: load.fetches,
    "bad pages at that rate, %": lambda load: load.bad_percent,
    **{
        f"CPU with a scrape each {interval} s, % of a core": partial(_cpu_percent, interval)
        for interval in INTERVALS
    },
    "memory at these intervals, MiB": lambda load: load.memory_mib,
    "memory at the most, MiB": lambda load: load.peak_mib,
}


@dataclass
class Results:
    """A whole run."""

    loads: Loads
    bare_fetch_ms: dict[int, float]
    """By number of assets."""
    stores: dict[int, Store]
    """Likewise."""
    rules: dict[Case, Cost]
    cores: int

    def as_json(self) -> dict[str, Any]:
        """Nothing but what JSON knows."""
        return {
            "one exporter": {
                assets: {scrapers: asdict(load) for scrapers, load in of_assets.items()}
                for assets, of_assets in self.loads.items()
            },
            "bare fetch, ms": self.bare_fetch_ms,
            "store": {assets: asdict(store) for assets, store in self.stores.items()},
            "rules": [{**asdict(case), **asdict(cost)} for case, cost in self.rules.items()],
        }


def parts(results: Results) -> dict[str, str]:
    """The tables as Markdown, by the name that the page's marks have."""
    machine = f"{results.cores} cores, CPython {'.'.join(platform.python_version_tuple()[:2])}"
    return {
        "one exporter": f"{_loads(results)}\nMachine: {machine}.\n",
        "the store": _stores(results.stores),
        "the rules": _rules(results.rules),
    }


def page(text: str, tables: Mapping[str, str]) -> str:
    """A page of the docs with its tables replaced."""
    for name, table in tables.items():
        text = inserted(text, table, f"<!-- make scaling writes {name} from here -->\n")
    return text


def _loads(results: Results) -> str:
    scrapers = list(next(iter(results.loads.values())))
    head = ["", "assets", *(f"{each} scraper{'s' * (each > 1)}" for each in scrapers)]
    rows = [
        [name, f"{assets:,}", *(number(measure(load)) for load in of_assets.values())]
        for name, measure in _MEASURES.items()
        for assets, of_assets in results.loads.items()
    ]
    bare = ", ".join(
        f"{number(milliseconds)} ms at {assets:,} assets (a scrape by one scraper takes"
        f" {number(results.loads[assets][scrapers[0]].cpu_ms / milliseconds)} times that)"
        for assets, milliseconds in results.bare_fetch_ms.items()
    )
    return (
        f"{_table(head, rows)}\nFor comparison, the CPU time of a bare fetch with `requests`, whose"
        f" JSON is decoded: {bare}.\n"
    )


def _stores(stores: Mapping[int, Store]) -> str:
    head = ["", *(f"{assets:,} assets" for assets in stores)]
    rows = []
    for kind in ("scraped", "recorded"):
        of_kind = [getattr(store, kind) for store in stores.values()]
        for name, text in _kept():
            rows.append([f"{name}, {kind}", *(text(each) for each in of_kind)])
    both = [store.scraped.bytes_a_day + store.recorded.bytes_a_day for store in stores.values()]
    rows.append(["MiB a day in all", *(number(each / _MEBIBYTE) for each in both)])
    each = zip(both, stores, strict=True)
    rows.append(
        ["KiB a day for each asset", *(number(day / 1024 / assets) for day, assets in each)]
    )
    return _table(head, rows)


def _kept() -> Iterator[tuple[str, Callable[[Kept], str]]]:
    yield "series", lambda kept: f"{kept.series:,}"
    yield f"samples a day at {STEP} s", lambda kept: f"{kept.samples_a_day:,.0f}"
    yield "bytes a sample", lambda kept: number(kept.bytes_a_sample)
    yield "bytes of index a series and block", lambda kept: number(kept.index_bytes)


def _rules(costs: Mapping[Case, Cost]) -> str:
    groups = list(next(iter(costs.values())).seconds)
    short = {
        group: group.removeprefix("binance-asset-index").lstrip("-") or "main" for group in groups
    }
    head = ["assets", "of them margin", "exporters", "scraped", "recorded", "recorded / scraped"]
    head += [f"{short[group]}, s" for group in groups] + ["share of the time"]
    rows = [
        [
            f"{case.assets:,}",
            f"{case.margin_assets:,}",
            str(case.exporters),
            f"{cost.scraped:,}",
            f"{cost.recorded:,}",
            f"{100 * cost.recorded / cost.scraped:.0f}%",
            *(number(cost.seconds[group]) for group in groups),
            f"{100 * cost.share:.1f}%",
        ]
        for case, cost in costs.items()
    ]
    return _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
