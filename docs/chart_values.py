"""The table of values in the chart's README, from the comments of its values.yaml."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parent.parent / "deploy" / "helm" / "binance-asset-index-exporter"
MARK = "<!-- make docs writes what follows -->\n"
_TEXT = "# -- "


def page() -> str:
    """The README as it should be."""
    head, mark, _ = (CHART / "README.md").read_text().partition(MARK)
    lines = ["| value | default | meaning |", "| --- | --- | --- |"]
    for path, default, text in values():
        shown = json.dumps(default, ensure_ascii=False).replace("|", "\\|")
        lines.append(f"| `{path}` | `{shown}` | {text} |")
    return f"{head}{mark}\n" + "\n".join(lines) + "\n"


def values() -> Iterator[tuple[str, Any, str]]:
    """Yield path, default and meaning of every value, in the order of the file.

    Raises:
        ValueError: A value has no comment.
    """
    source = (CHART / "values.yaml").read_text()
    root = yaml.compose(source, yaml.SafeLoader)
    yield from _described(root, "", source.splitlines())


def _described(node: yaml.Node, path: str, lines: list[str]) -> Iterator[tuple[str, Any, str]]:
    if not isinstance(node, yaml.MappingNode) or not node.value:
        raise ValueError(f"values.yaml: {path} has no comment that begins with {_TEXT!r}")
    for key, value in node.value:
        name = f"{path}.{key.value}".removeprefix(".")
        above = lines[key.start_mark.line - 1].strip()
        if above.startswith(_TEXT):
            default = yaml.safe_load(yaml.serialize(value, Dumper=yaml.SafeDumper))
            yield name, default, above.removeprefix(_TEXT)
        else:
            yield from _described(value, name, lines)
