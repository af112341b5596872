"""The progress of a long piece of work, on a terminal."""

import sys
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

T = TypeVar("T")


def shown(items: Iterable[T], total: int, what: str, stream: TextIO | None = None) -> Iterator[T]:
    """Yield the items and show a line such as `history: 37 %` on a terminal.

    Args:
        items: The pieces of work.
        total: The number of items.
        what: The work, as a noun.
        stream: The terminal, if it is one; by default standard error.
    """
    stream = stream or sys.stderr
    if not stream.isatty():
        yield from items
        return
    percent = -1
    for number, item in enumerate(items):
        if number * 100 // total != percent:
            percent = number * 100 // total
            stream.write(f"\r{what}: {percent} %")
            stream.flush()
        yield item
    stream.write(f"\r{what}: done\n")
