"""What is wrong with a configuration file: one line for each error, all of them at once.

A message never shows what may be a secret, however badly the file is written.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

KeyPath = tuple[str | int, ...]
"""The position of a value: `("modules", "default", "symbols", 0)`."""

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
class ErrorLine:
    """One error: its line (0 means the whole file), key path and sentence."""

    line: int
    where: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}" if self.where else self.sentence


class ConfigError(Exception):
    """A configuration file was refused; `lines` has one line for each error."""

    def __init__(self, file: Path, errors: Iterable[ErrorLine]) -> None:
        self.lines = tuple(
            f"{file}:{error.line}: {error}" if error.line else f"{file}: {error}"
            for error in sorted(errors)
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
    """Describe a value for a sentence that ends in "got ..."."""
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
    """Describe the kind of a value without its content."""
    return next(name for kinds, name in _KINDS if isinstance(value, kinds))


def _key(key: str) -> str:
    # Without a space after its colon, `proxy_url:http://user:password@host` is a key.
    name, colon, _ = key.partition(":")
    if colon:
        name += ":..."
    return name if _PLAIN_KEY.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    if len(text) > _SHOWN_CHARACTERS:
        text = text[: _SHOWN_CHARACTERS - 3] + "..."
    return json.dumps(text, ensure_ascii=not text.isprintable())  # an error stays one line
