"""The configuration file: the modules, and what each requests from Binance.

`make docs` writes its JSON Schema, docs/config.schema.json, for editors.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from exporter.config import duration, strict_yaml
from exporter.config.certificate_files import OptionalCertificatesFile
from exporter.config.file import Section, expected, load_file, refusal, with_content
from exporter.config.symbols import Symbols
from exporter.config.urls import BaseUrl, OptionalProxyUrlFile, ProxyUrl, ProxyUrlFile

DEFAULT_MODULE = "default"
"""The module that /metrics serves."""

_DEMO_REFRESH_SECONDS = 30.0  # a scenario lasts minutes
_REDACTED = "<secret>"  # as Prometheus writes it
_USERINFO = re.compile(r"(?<=//)[^/]*(?=@)")
_ABSENT = object()


def _parse_duration(value: object) -> float:
    """Read a duration; as in Prometheus, 0 needs no unit and any other number does."""
    if isinstance(value, str):
        return duration.parse(value)
    if value == 0 and isinstance(value, int) and not isinstance(value, bool):
        return 0.0
    raise ValueError


def _within(low: float, high: float) -> AfterValidator:
    def check(seconds: float) -> float:
        if not low <= seconds <= high:
            raise ValueError
        return seconds

    return AfterValidator(check)


def _default_among(modules: object) -> object:
    """Report a missing `default` with all other errors, at the place where it should be."""
    if with_content(modules) == {}:
        return {DEFAULT_MODULE: {}}
    return {DEFAULT_MODULE: _ABSENT} | modules if isinstance(modules, dict) else modules


def _present(module: object) -> object:
    if module is _ABSENT:
        raise refusal("expected a module of this name, because /metrics serves it")
    return module


Duration = Annotated[
    float,
    BeforeValidator(_parse_duration),
    PlainSerializer(duration.render, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": duration.PATTERN}, {"const": 0}]}),
]
"""Seconds; given as text, as Prometheus writes durations: `5s`, `1m30s`."""

ModuleName = Annotated[
    str,
    Field(pattern="^[A-Za-z_][A-Za-z0-9_-]*$"),
    expected("a module name of letters, digits, _ and -, not beginning with a digit or -"),
]


class MarginAssetsSettings(Section):
    """Which assets count as margin, from exchangeInfo, fetched in the background."""

    enabled: Annotated[bool, expected("true or false")] = True
    """Whether to fetch exchangeInfo."""

    refresh_interval: Annotated[
        Duration, _within(1, 43_200), expected("a duration from 1s to 12h, such as 10m")
    ] = 600.0
    """How long a response is used; a change of the listed symbols triggers a fetch."""


class ModuleSettings(Section):
    """What a scrape of one module requests from Binance."""

    base_url: BaseUrl = "https://fapi.binance.com"
    """The URL of Binance's API, without /fapi; the testnet is https://demo-fapi.binance.com."""

    symbols: Symbols = ()
    """The symbols to expose; an empty list exposes all. One to nine cost less weight than all."""

    timeout: Annotated[
        Duration, _within(0.001, 60), expected("a duration from 1ms to 1m, such as 5s")
    ] = 5.0
    """The longest a fetch may take, from connecting to the last byte."""

    min_interval: Annotated[
        Duration, _within(0, 3600), expected("a duration from 0s to 1h, such as 10s")
    ] = 0.0
    """How long a fetch is used again; 0s makes every scrape a fetch."""

    weight_ceiling_ratio: Annotated[
        float, Field(gt=0, le=1), expected("a number above 0 and at most 1")
    ] = 0.8
    """The share of the weight limit at which no request is sent until the next minute."""

    max_body_bytes: Annotated[
        int, Field(ge=1024, le=1 << 30), expected("a whole number from 1024 to 1073741824")
    ] = 33_554_432
    """The largest response body accepted; exchangeInfo is by far the largest."""

    proxy_url: ProxyUrl = ""
    """The proxy to use; user and password in it are never shown."""

    proxy_url_file: OptionalProxyUrlFile = ProxyUrlFile()
    """A file with the URL of the proxy, instead of `proxy_url`: for one with a password."""

    ca_file: OptionalCertificatesFile = ""
    """PEM certificates that replace those of certifi and of `SSL_CERT_FILE`, as for a proxy
    that inspects TLS."""

    margin_assets: MarginAssetsSettings = MarginAssetsSettings()
    """Which assets count as margin."""

    @model_validator(mode="after")
    def _one_proxy(self) -> Self:
        if self.proxy_url and self.proxy_url_file.path:
            raise refusal("expected proxy_url or proxy_url_file, got both")
        return self

    @property
    def proxy(self) -> str:
        """The URL of the proxy, wherever it is given; `""` for none."""
        return self.proxy_url_file.url or self.proxy_url


class Settings(Section):
    """The configuration of binance-asset-index-exporter."""

    modules: Annotated[
        dict[ModuleName, Annotated[ModuleSettings, BeforeValidator(_present)]],
        BeforeValidator(_default_among),
        Field(json_schema_extra={"required": [DEFAULT_MODULE], "additionalProperties": False}),
    ] = Field({DEFAULT_MODULE: ModuleSettings()})
    """By name: /metrics serves the module `default`, /probe?module=NAME any of them."""


def load_settings(file: Path | None) -> Settings:
    """Read the configuration file; without one, the built-in configuration.

    Raises:
        ConfigError: The file is refused; all errors are reported.
    """
    return load_file(file, Settings) if file else Settings()


def dump_settings(settings: Settings) -> str:
    """Return the active configuration as YAML with every key, passwords redacted."""
    data = settings.model_dump(mode="json")
    for module in data["modules"].values():
        module["proxy_url"] = _USERINFO.sub(_REDACTED, module["proxy_url"])
    return strict_yaml.dump(data)


def for_demo(settings: Settings, base_url: str) -> Settings:
    """Return the same settings with every module using the simulator, without a proxy."""
    direct = {
        "base_url": base_url,
        "proxy_url": "",
        "proxy_url_file": ProxyUrlFile(),
        "ca_file": "",
    }

    def simulated(module: ModuleSettings) -> ModuleSettings:
        margin = module.margin_assets
        often = min(margin.refresh_interval, _DEMO_REFRESH_SECONDS)
        margin = margin.model_copy(update={"refresh_interval": often})
        return module.model_copy(update={**direct, "margin_assets": margin})

    modules = {name: simulated(module) for name, module in settings.modules.items()}
    return settings.model_copy(update={"modules": modules})


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file."""
    schema = Settings.model_json_schema()
    for section in (ModuleSettings, MarginAssetsSettings):
        properties = schema["$defs"][section.__name__]["properties"]
        for key, default in section().model_dump(mode="json").items():
            properties[key]["default"] = default  # as it is written in the file
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
