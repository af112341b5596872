"""The URLs that a configuration names: of Binance and of a proxy."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)

from exporter.config.file import expected, in_folder, read_once

_HTTP_URL = TypeAdapter(HttpUrl)
_PROXY = "an http:// or https:// URL with a host and no path"
_MAX_BYTES = 4096  # a larger file is some other file, given by mistake


def _http_url(text: str) -> HttpUrl:
    url = _HTTP_URL.validate_python(text, strict=True)
    try:
        (url.host or "").encode("idna")
    except UnicodeError:
        raise ValueError("a part of the host's name is empty or too long") from None
    return url


def _base_url(text: str) -> str:
    url = _http_url(text)
    if (url.username, url.password, url.query, url.fragment) != (None, None, None, None):
        raise ValueError
    return str(url).rstrip("/")


def _proxy_url(text: str) -> str:
    if not text:
        return text
    url = _http_url(text)
    if (url.path, url.query, url.fragment) != ("/", None, None):
        raise ValueError
    try:
        unquote(f"{url.username}{url.password}").encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError("user or password has characters outside Latin-1") from None
    return str(url).rstrip("/")


@dataclass(frozen=True)
class ProxyUrlFile:
    """A file that holds a proxy's URL, and the URL that it held when it was read."""

    path: str = ""
    url: str = field(default="", repr=False)


def _proxy_url_file(value: object, info: ValidationInfo) -> ProxyUrlFile:
    if isinstance(value, ProxyUrlFile):
        return value
    if not isinstance(value, str):
        raise ValueError
    if not value:
        return ProxyUrlFile()
    path = in_folder(value, info)
    try:
        content, _ = read_once(Path(path), _MAX_BYTES)
        text = content.decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from None
    if len(text) > _MAX_BYTES or not text.strip():
        raise ValueError("it is empty" if not text.strip() else "larger than 4 KiB")
    try:
        return ProxyUrlFile(path, _proxy_url(text.strip()))
    except (ValueError, ValidationError):  # without the reason, which may quote the password
        raise ValueError(f"it does not contain {_PROXY}") from None


BaseUrl = Annotated[
    str,
    AfterValidator(_base_url),
    expected("an http:// or https:// URL with a host and without user, query or fragment"),
]

ProxyUrl = Annotated[
    str,
    AfterValidator(_proxy_url),
    Field(repr=False),
    expected(f"{_PROXY}, or an empty string", secret=True),
]

OptionalProxyUrlFile = Annotated[
    ProxyUrlFile,
    BeforeValidator(_proxy_url_file),
    PlainSerializer(lambda file: file.path, return_type=str),
    WithJsonSchema({"type": "string"}),
    expected("a readable file with the URL of a proxy, or an empty string"),
]
