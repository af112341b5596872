"""Counts what a run of the property tests tried; `make fuzz` loads it into pytest."""

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

_examples: Counter[str] = Counter()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put a counter around the part of each property that hypothesis calls with an example."""
    counted: set[int] = set()
    for item in items:
        handle = getattr(getattr(item, "obj", None), "hypothesis", None)
        if handle is not None and id(handle) not in counted:
            counted.add(id(handle))  # the parameters of a test share it
            handle.inner_test = _counting(handle.inner_test, item.nodeid.partition("[")[0])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the count of each property, and of all."""
    terminalreporter.section("examples")
    for name, count in _examples.items():
        terminalreporter.write_line(f"{count:>9,} {name}")
    terminalreporter.write_line(f"{_examples.total():>9,} in all")


def _counting(inner_test: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(inner_test)
    def count(*args: Any, **kwargs: Any) -> Any:
        _examples[name] += 1
        return inner_test(*args, **kwargs)

    return count
