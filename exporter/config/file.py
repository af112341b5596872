"""Reads a YAML file and validates it against its model; used for both configuration files.

A model consists of `Section`s. Each of its scalars declares with `expected` what it accepts, so
that an error can say what was expected and what was found.
"""

import os
import select
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, TypeVar, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from exporter.config import strict_yaml
from exporter.config.errors import ConfigError, ErrorLine, KeyPath, found, kind, where

_PIPE_SECONDS = 30  # for the writer of a pipe to finish
_MAX_BYTES = 1 << 20  # a larger file was given by mistake


class Section(BaseModel):
    """A mapping of the file."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    unsupported: ClassVar[Mapping[str, str]] = {}
    """Keys of the format that this exporter does not support, with advice to add to the error."""

    @model_validator(mode="before")
    @classmethod
    def _has_content(cls, data: object) -> object:
        return with_content(data)


AnySection = TypeVar("AnySection", bound=Section)


def load_file(file: Path, model: type[AnySection]) -> AnySection:
    """Read a configuration file; relative paths in it are relative to its folder.

    Raises:
        ConfigError: The file cannot be read or does not fit the model. All errors are reported.
    """
    document = strict_yaml.parse(_read(file), file)
    errors = list(document.errors)
    if document.data is None:
        errors = errors or [ErrorLine(1, "", f"expected a mapping, got {found(None)}")]
        raise ConfigError(file, errors)
    try:
        settings = model.model_validate(document.data, context=file.parent.absolute())
    except ValidationError as error:
        errors += (
            _error_line(details, document, model) for details in error.errors(include_url=False)
        )
    if errors:
        # Not "from" the ValidationError, which holds the values, secrets included.
        raise ConfigError(file, errors) from None
    return settings


def expected(what: str, *, secret: bool = False) -> WrapValidator:
    """Report any error of a scalar as "expected `what`, got ...".

    The text of a ValueError from the scalar's own validators is appended as the reason.

    Args:
        what: The accepted values, as a noun.
        secret: Whether the value must not be shown.
    """

    def check(value: object, validate: ValidatorFunctionWrapHandler) -> object:
        try:
            return validate(value)
        except ValidationError as error:
            reason = str(error.errors()[0].get("ctx", {}).get("error", ""))
        got = "a value not shown here" if secret else found(value)
        sentence = f"expected {what}, got {got}" + (f": {reason}" if reason else "")
        raise refusal(sentence)

    return WrapValidator(check)


def with_content(section: object) -> object:
    """Refuse a section without content: a truncated file must not switch anything off."""
    if section is None:
        raise refusal("expected a mapping, got nothing; for none, write {}")
    return section


def refusal(sentence: str) -> PydanticCustomError:
    """Return an error for a validator to raise; its sentence is reported as it is."""
    return PydanticCustomError("refused", "{sentence}", {"sentence": sentence})


def in_folder(path: str, info: ValidationInfo) -> str:
    """Resolve a path of the file against the file's folder; `""` stays, as it means no file."""
    return str((info.context or Path()) / path) if path else ""


def _read(file: Path) -> str:
    try:
        content, is_regular = read_once(file, _MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(file, [ErrorLine(0, "", f"cannot be read: {reason}")]) from None
    if len(content) > _MAX_BYTES:
        raise ConfigError(file, [ErrorLine(0, "", "larger than 1 MiB")])
    if not content.strip():
        why = "" if is_regular else ", as a pipe can be read only once"
        raise ConfigError(file, [ErrorLine(0, "", f"empty{why}")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(file, [ErrorLine(line, "", "not UTF-8")]) from None


def read_once(file: Path, max_bytes: int) -> tuple[bytes, bool]:
    """Read up to one byte more than `max_bytes`; return them and whether the file is regular.

    A pipe is read until its writer closes it. Opening one that has no writer would block.
    """
    content = bytearray()
    give_up_at = time.monotonic() + _PIPE_SECONDS
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        readable = select.poll()
        readable.register(descriptor, select.POLLIN)
        while len(content) <= max_bytes:
            chunk = stream.read(max_bytes + 1 - len(content))
            if chunk:
                content += chunk
            elif chunk is not None:
                break
            elif not readable.poll(max(0.0, give_up_at - time.monotonic()) * 1000):
                raise TimeoutError(f"no end after {_PIPE_SECONDS} seconds")
    return bytes(content), is_regular


def _error_line(
    details: ErrorDetails, document: strict_yaml.Document, model: type[Section]
) -> ErrorLine:
    path = tuple(key for key in details["loc"] if key != "[key]")
    value = details["input"]
    match details["type"]:
        case "refused":
            sentence = details["ctx"]["sentence"]
        case "extra_forbidden":
            sentence = _unknown_key(str(path[-1]), _section_at(model, path[:-1]))
        case "missing":
            sentence = "required key is missing"
        case "model_type" | "dict_type":
            sentence = f"expected a mapping, got {kind(value)}"
        case "tuple_type":
            sentence = f"expected a list, got {kind(value)}"
        case _:
            sentence = details["msg"]
    return ErrorLine(document.line(path), where(path), sentence)


def _section_at(model: type[Section], path: KeyPath) -> type[Section]:
    """Return the section at `path`."""
    is_name = False  # of an entry of a `dict[str, Section]`
    for key in path:
        if is_name:
            is_name = False
            continue
        annotation = _fields(model)[key].annotation
        is_name = get_origin(annotation) is dict
        model = _section_in(annotation) or model
    return model


def _fields(model: type[Section]) -> dict[str | int, FieldInfo]:
    """Return the fields of a section by the keys of the file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _section_in(annotation: object) -> type[Section] | None:
    """Return the section inside an annotation such as `dict[str, Section]`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(filter(None, map(_section_in, get_args(annotation))), None)


def _unknown_key(key: str, section: type[Section]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - half a MiB that only an error needs

    if key in section.unsupported:
        return f"is not supported by this exporter{section.unsupported[key]}"
    keys = [str(key) for key in _fields(section)]
    if close := get_close_matches(key.partition(":")[0], keys, n=1):
        return f"unknown key, did you mean {close[0]}?"
    return f"unknown key, expected one of {', '.join(keys)}"
