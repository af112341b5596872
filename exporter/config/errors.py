"""What is wrong with a configuration file: one line a fault, and all of them at once.

A fault never shows what may be a secret, however badly the file is written.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

KeyPath = tuple[str | int, ...]
"""Where a value stands: `("modules", "default", "symbols", 0)`."""

_PLAIN_KEY = re.compile(r"[\w.-]{1,64}")
_SHOWN_CHARACTERS = 60

_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "nothing"),
    (bool, "a boolean"),  # before the numbers, as Python counts it among them
    (str, "a string"),
    ((int, float), "a number"),
    (dict, "a mapping"),
    (list, "a list"),
)


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong: its line (0: the file as a whole), key path and sentence."""

    line: int
    where: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}" if self.where else self.sentence


class ConfigError(Exception):
    """A configuration file that is refused; `lines` holds one line for each fault."""

    def __init__(self, file: Path, faults: Iterable[Fault]) -> None:
        self.lines = tuple(
            f"{file}:{fault.line}: {fault}" if fault.line else f"{file}: {fault}"
            for fault in sorted(faults)
        )
        super().__init__("\n".join(self.lines))


def where(path: KeyPath) -> str:
    """Write a key path as people do: `modules.default.symbols[0]`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += f".{_key(key)}" if text else _key(key)
    return text


def found(value: object) -> str:
    """Name a value in a sentence that goes on after "got"."""
    match value:
        case None:
            return "nothing"
        case str() if "@" in value:
            return "a string not shown here, as it may hold a password"
        case bool():
            return json.dumps(value)
        case str():
            return _quoted(value)
        case int() | float():
            return str(value)
        case _:
            return kind(value)


def kind(value: object) -> str:
    """Name the kind of a value, and nothing of its content."""
    return next(name for kinds, name in _KINDS if isinstance(value, kinds))


def _key(key: str) -> str:
    # Without the blank after its colon, `proxy_url:http://user:password@host` is a key.
    name, colon, _ = key.partition(":")
    if colon:
        name += ":..."
    return name if _PLAIN_KEY.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    if len(text) > _SHOWN_CHARACTERS:
        text = text[: _SHOWN_CHARACTERS - 3] + "..."
    return json.dumps(text, ensure_ascii=not text.isprintable())  # a fault stays one line
