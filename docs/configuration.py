"""docs/configuration.md: the models of both configuration files as tables."""

import re
from collections.abc import Iterator

import yaml
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from exporter.config.file import Section
from exporter.config.modules import MarginAssetsSettings, ModuleSettings
from exporter.web.config import Headers, HttpServerConfig, TlsServerConfig, WebConfig

_INTRODUCTION = """# Configuration

Generated from the models of the configuration; `make docs` writes it.

Two files, both optional, both YAML. Without a file, the exporter asks Binance for every asset and
listens without TLS and passwords. An unknown or repeated key, a value of the wrong type and an
empty file are errors; all errors are reported at once, with line numbers. Check the files with
`--config.check`. [config.example.yaml](../config.example.yaml) shows every key of the first file;
[config.schema.json](config.schema.json) is its schema, for editors.

Durations are written as in Prometheus: `500ms`, `5s`, `1m30s`. Paths are relative to the folder of
the file that names them.

Both files are read again on `SIGHUP` and on `POST /-/reload`, the first one with
`--config.auto-reload-interval=30s` whenever it has changed, and the second one, with the
certificates it names, within 10 seconds of a change. If new content is refused, the current one
stays active. A section without content is an error; write `{}` for none. Either file may be a
pipe (`--web.config.file=<(sops -d web.yaml)`), which is read once: a reload is refused.

While one of them is refused, `binance_asset_index_exporter_config_last_reload_successful` is 0, and
`BinanceExporterConfigReloadFailed` fires.

A truncated file opens nothing: switching passwords or client certificates off needs a reload, and
switching TLS on or off needs a restart.

## `--config.file`

```yaml
modules:
  default: {}   # required: /metrics serves it
  btc:          # /probe?module=btc serves this one
    symbols: [BTCUSD]
```
"""


_NONSENSE = -1.5
"""A value that no key accepts."""


def _table(heading: str, section: type[Section]) -> Iterator[str]:
    yield f"\n### {heading}\n\n"
    yield "| key | accepts | default | meaning |\n| --- | --- | --- | --- |\n"
    defaults = section.model_construct().model_dump(mode="json", warnings="none")
    for name, field in section.model_fields.items():
        key = field.alias or name
        default = "required" if field.is_required() else _yaml(defaults[name])
        yield f"| `{key}` | {_accepted(section, key, field)} | {default} | {_text(field)} |\n"


def _accepted(section: type[Section], key: str, field: FieldInfo) -> str:
    """What the error for nonsense says that it expected."""
    try:
        section.model_validate({key: _NONSENSE})
    except ValidationError as error:
        for each in error.errors():
            if key in each["loc"][:1] and (match := re.match("expected (.*), got", each["msg"])):
                return match[1].replace("|", "\\|")
    return "a list" if "tuple" in str(field.annotation) else "a mapping"


def _yaml(value: object) -> str:
    if isinstance(value, dict) and value:
        return "see below"
    return f"`{yaml.safe_dump(value, default_flow_style=True).splitlines()[0]}`"


def _text(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


def page() -> str:
    """Return the page."""
    return "".join(
        [
            _INTRODUCTION,
            *_table("`modules.NAME`", ModuleSettings),
            *_table("`modules.NAME.margin_assets`", MarginAssetsSettings),
            "\n## `--web.config.file`\n\nIn the format of Prometheus's exporter-toolkit.\n",
            *_table("Top level", WebConfig),
            *_table("`tls_server_config`", TlsServerConfig),
            *_table("`http_server_config`", HttpServerConfig),
            *_table("`http_server_config.headers`", Headers),
        ]
    )
