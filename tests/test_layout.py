"""The layout of `exporter/`: which part may import which, and how long a file may be."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "exporter"
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 250

MAY_IMPORT = {
    "binance": set(),
    "config": set(),
    "simulator": set(),
    "log": set(),
    "last_resort": set(),
    "metrics": {"binance"},
    "scrape": {"binance", "config"},
    "collector": {"binance", "config", "metrics", "scrape"},
    "service": {"binance", "config", "metrics", "scrape"},
    "web": {"binance", "config", "metrics", "scrape", "collector", "service", "last_resort"},
    "history": {"binance", "config", "metrics", "scrape", "collector", "simulator", "log", "files"},
}
"""Beside itself, and `exporter/__init__.py`, which holds the version. What is not here may import
anything: the program that wires the parts together."""


def part(module: str) -> str:
    """`exporter.binance.gate` belongs to `binance`, and `exporter` to none."""
    return module.split(".")[1] if "." in module else ""


def imported(source: str) -> Iterator[str]:
    """Yield the modules of the exporter that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith("exporter"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "an import is written in full"
            if node.module == "exporter":
                yield from (f"exporter.{each.name}" for each in node.names)
            elif (node.module or "").startswith("exporter."):
                yield node.module or ""


def violations(name: str, source: str) -> list[str]:
    """What a file of `exporter/` imports and may not.

    Args:
        name: Its path in `exporter/`, such as `binance/gate.py`.
        source: Its text.
    """
    own = Path(name).with_suffix("").parts[0]
    if own not in MAY_IMPORT:
        return []
    allowed = MAY_IMPORT[own] | {own, "", "__version__"}
    return [module for module in imported(source) if part(module) not in allowed]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_import_runs_back_up(file):
    assert violations(str(file.relative_to(PACKAGE)), file.read_text()) == []


def test_an_import_that_runs_back_up_is_found():
    source = "def late():\n    from exporter.scrape.fetch import Fetcher\n"
    assert violations("binance/gate.py", source) == ["exporter.scrape.fetch"]
    assert violations("binance/gate.py", "from exporter import log, __version__") == [
        "exporter.log"
    ]


def test_every_part_is_there():
    assert {path.stem for path in PACKAGE.iterdir()} >= MAY_IMPORT.keys()


def test_parts_do_not_import_each_other_in_a_circle():
    TopologicalSorter(MAY_IMPORT).prepare()  # raises CycleError


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_file_is_too_long(file):
    assert len(file.read_text().splitlines()) <= MOST_LINES
