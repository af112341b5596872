"""Files of promtool tests, cut to a purpose: each rule costs time at each of hundreds of steps."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

RULES = Path(__file__).parents[2] / "rules"

Document = dict[str, Any]
"""A file, or a part of it."""


class _Loader(yaml.CSafeLoader):
    """Leaves `0x120` as it is: to promtool 121 samples of 0, to PyYAML the number 288."""

    def construct_yaml_int(self, node: yaml.ScalarNode) -> object:
        return node.value if "x" in node.value else super().construct_yaml_int(node)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def load(path: Path) -> Document:
    document: Document = yaml.load(path.read_text(), _Loader)
    return document


def groups_of(*files: Path) -> list[Document]:
    """The groups of rules of these files."""
    return [group for file in files for group in load(file)["groups"]]


def needed(groups: Sequence[Document], texts: Iterable[str]) -> list[Document]:
    """The rules that these texts name, and all that those rest on, without annotations.

    promtool renders the annotations of each active alert at each step.
    """
    rules = [rule for group in groups for rule in group["rules"]]
    names: set[str] = set()
    more = _named(texts, rules)
    while more != names:
        names = more
        more = names | _named((rule["expr"] for rule in rules if _name(rule) in names), rules)
    return [
        {
            **group,
            "rules": [
                {key: value for key, value in rule.items() if key != "annotations"}
                for rule in group["rules"]
                if _name(rule) in names
            ],
        }
        for group in groups
    ]


def _named(texts: Iterable[str], rules: Iterable[Document]) -> set[str]:
    """The names of rules that are in these texts, written out or matched by a pattern."""
    text = " ".join(texts)
    words = set(re.findall(r"[\w:]+", text))
    patterns = re.findall(r'__name__=~"([^"]+)"', text)
    return {
        name
        for name in map(_name, rules)
        if name in words or any(re.fullmatch(pattern, name) for pattern in patterns)
    }


def _name(rule: Document) -> str:
    name: str = rule.get("record") or rule["alert"]
    return name


def write(path: Path, document: Document) -> Path:
    """Write a file as JSON, which is YAML and quick."""
    path.write_text(json.dumps(document))
    return path
