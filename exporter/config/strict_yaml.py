"""YAML restricted to the types of JSON, with the line of every key.

Only `true` and `false` are booleans, a number is written as in JSON, and all other plain text is a
string. Duplicate keys, keys that are not strings, anchors, aliases, tags and further documents are
refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import Reader, ReaderError

from exporter.config.errors import ConfigError, ErrorLine, KeyPath, found, where

_MAX_DEPTH = 20  # far more than any file of ours needs, far less than Python's stack

# At most 19 digits: a longer number is a typo, and int() of thousands of digits raises.
_NULL = re.compile(r"(?:null|~|)$")
_BOOLEAN = re.compile(r"(?:true|false)$")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})$")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,18})(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$")


@dataclass(frozen=True)
class Document:
    """A parsed file: its data, the errors found while parsing, and the line of each key."""

    data: Any
    errors: tuple[ErrorLine, ...]
    lines: Mapping[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """Return the line, from 1, of a key, or of what holds it if the key is absent."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse(text: str, file: Path) -> Document:
    """Parse one YAML document.

    Args:
        text: The text of the file.
        file: Its name, for error messages.

    Raises:
        ConfigError: The text is not YAML at all. Errors that leave a document to check, such as
            a duplicate key, are in its `errors` instead, to be reported with all others.
    """
    parser = _Parser(text)
    try:
        data = parser.document()
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        line_of_error = ErrorLine(line, "", f"column {column}: a control character")
    except yaml.MarkedYAMLError as error:
        line_of_error = _syntax_error(error)
    except ValueError:  # PyYAML converts "\UFFFFFFFF" and `%YAML 1.999...` without checking
        line_of_error = ErrorLine(parser.line, "", "not YAML: a number out of range")
    except RecursionError:
        line_of_error = ErrorLine(parser.line, "", f"nested deeper than {_MAX_DEPTH} levels")
    else:
        return Document(data, tuple(parser.errors), parser.lines)
    raise ConfigError(file, [line_of_error])


def dump(data: Mapping[str, Any]) -> str:
    """Write plain data as YAML that `parse` reads back as the same."""
    return yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Quotes what PyYAML would read as something else, and what `parse` would."""


for _tag, _pattern in {"null": _NULL, "bool": _BOOLEAN, "int": _INTEGER, "float": _FLOAT}.items():
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, None)


class _Refused:
    """Stands for a value that was refused, and whose key is therefore left out."""


class _Parser:
    """Turns PyYAML's events into data; keeps the lines and the errors it met."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._depth = 0
        self.line = 1
        self.lines: dict[KeyPath, int] = {}
        self.errors: list[ErrorLine] = []

    def document(self) -> Any:
        self._next()  # the stream's start
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        data = self._value(self._next(), ())
        self._next()  # the document's end
        if not isinstance(self._next(), yaml.StreamEndEvent):
            self._error((), "expected one YAML document, got another one")
        return None if data is _Refused else data

    def _next(self) -> yaml.Event:
        event = next(self._events)
        if event.start_mark:
            self.line = event.start_mark.line + 1
        return event

    def _value(self, event: yaml.Event, path: KeyPath) -> Any:
        self.lines.setdefault(path, self.line)
        # Do not show the name of an anchor or a tag: it may be a password without quotes.
        if getattr(event, "anchor", None) is not None:
            self._error(path, "anchors and aliases (& and *) are not supported")
        if getattr(event, "tag", None) is not None:
            self._error(path, "tags (!) are not supported")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, yaml.AliasEvent):
            return _Refused
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise RecursionError
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        data = self._mapping(path) if is_mapping else self._sequence(path)
        self._depth -= 1
        return data

    def _sequence(self, path: KeyPath) -> list[Any]:
        data: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            value = self._value(event, (*path, len(data)))
            if value is not _Refused:
                data.append(value)
        return data

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            line = self.line
            key = self._value(event, path)
            if not isinstance(key, str):
                if key is not _Refused:
                    self._error(path, f"expected a string as key, got {found(key)}", line)
                self._value(self._next(), (*path, "?"))
                continue
            here = (*path, key)
            if key in data:
                first = self.lines[here]
                self._error(here, f"duplicate key, first given on line {first}", line)
            self.lines.setdefault(here, line)
            value = self._value(self._next(), here)
            if value is not _Refused:
                data.setdefault(key, value)
        return data

    def _scalar(self, event: yaml.ScalarEvent, path: KeyPath) -> Any:
        text = str(event.value)
        if Reader.NON_PRINTABLE.search(text):  # written with an escape, such as "\0"
            self._error(path, "a control character")
            return _Refused
        if event.style:  # quoted, or a block
            return text
        if _NULL.match(text):
            return None
        if _BOOLEAN.match(text):
            return text == "true"
        if _INTEGER.match(text):
            return int(text)
        return float(text) if _FLOAT.match(text) else text

    def _error(self, path: KeyPath, sentence: str, line: int | None = None) -> None:
        self.errors.append(ErrorLine(line or self.line, where(path), sentence))


def _syntax_error(error: yaml.MarkedYAMLError) -> ErrorLine:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    problem = re.sub(r"(tag handle) .*", r"\1", error.problem or "")  # its name may be a secret
    problem = problem.replace("'<", "the ").replace(">'", "").replace("'\\x00'", "the end")
    return ErrorLine(line, "", f"column {column}: not YAML: {problem}")
