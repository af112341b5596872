"""The table, the JSON and the plot of a run."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from operator import attrgetter

from benchmarks.measure import CLIENTS, MEMORY, Figures
from benchmarks.scraper import AS_PROMETHEUS, AS_TEXT, FORMATS

Results = dict[int, dict[str, Figures]]
"""By number of assets, by contender."""


_BEGIN, _END = "<!-- make bench writes from here -->\n", "\n<!-- to here -->"

_Measure = tuple[str, Callable[[Figures], float | None]]


def _measures() -> Iterator[_Measure]:
    for asked in FORMATS:
        yield f"CPU a scrape, {asked}, ms", partial(_cpu, asked)
    for cut in ("p50", "p95", "p99"):
        yield f"latency {cut}, {AS_PROMETHEUS}, ms", partial(_latency, AS_PROMETHEUS, cut)
    yield f"latency p50, {AS_TEXT}, ms", partial(_latency, AS_TEXT, "p50")
    for clients in CLIENTS:
        unit = "client" if clients == 1 else "clients"
        yield f"scrapes a second, {clients} {unit}", partial(_rate, clients)
        if clients > 1:
            yield f"errors, {clients} {unit}, %", partial(_errors, clients)
    for when in MEMORY:
        yield f"memory {when}, MiB", partial(_memory, when)
    yield "start to the first page, s", attrgetter("start_seconds")


def _cpu(asked: str, figures: Figures) -> float | None:
    return figures.cpu_ms[asked]


def _latency(asked: str, cut: str, figures: Figures) -> float:
    return figures.latency_ms[asked][cut]


def _rate(clients: int, figures: Figures) -> float:
    return figures.scrapes_per_second[clients]


def _errors(clients: int, figures: Figures) -> float:
    return figures.error_percent[clients]


def _memory(when: str, figures: Figures) -> float | None:
    return figures.memory_mib[when]


def table(results: Results) -> str:
    """The medians of the first contender, and of each other with the ratio to it, as Markdown."""
    first, *others = next(iter(results.values()))
    head = ["", "assets", first]
    for name in others:
        head += [name, "ratio"]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for name, figure in _measures():
        for assets, figures in results.items():
            ours = figure(figures[first])
            if ours is None:
                continue
            cells = [name, f"{assets:,}", number(ours)]
            for other in others:
                theirs = figure(figures[other])
                ratio = f"**{number(ours / theirs)}**" if theirs else ""
                cells += ["" if theirs is None else number(theirs), ratio]
            lines.append(cells)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def growth(results: Results) -> str:
    """How the CPU time of a scrape grows: what each further asset costs, from size to size."""
    sizes = sorted(results)
    lines = []
    for name in results[sizes[0]]:
        cpu = {assets: results[assets][name].cpu_ms[AS_PROMETHEUS] or 0 for assets in sizes}
        costs = [
            f"{number(1000 * (cpu[high] - cpu[low]) / (high - low))} from {low:,} to {high:,}"
            for low, high in pairwise(sizes)
            if cpu[low]
        ]
        if costs:
            lines.append(f"- {name}: µs of CPU for each further asset: {', '.join(costs)}\n")
    return "".join(lines)


def inserted(page: str, figures: str, begin: str = _BEGIN) -> str:
    """A page of the docs with its figures replaced."""
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(_END)
    return f"{before}{begin}\n{figures}{_END}{after}"


def number(value: float) -> str:
    """Three digits that count."""
    decimals = 2 - min(2, int(math.log10(value))) if value >= 1 else 2
    return f"{value:,.{decimals}f}"
