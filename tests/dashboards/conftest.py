import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "dashboards").glob("*.json"))
BOARDS: dict[str, dict[str, Any]] = {file.stem: json.loads(file.read_text()) for file in FILES}


@dataclass(frozen=True)
class Target:
    """A query of a panel or an annotation, as the committed JSON has it."""

    board: str
    panel: str
    expr: str
    instant: bool

    def __str__(self) -> str:
        return f"{self.board}: {self.panel}"


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All that ask; rows do not."""
    return (panel for panel in board["panels"] if panel["type"] != "row")


def targets() -> Iterator[Target]:
    for name, board in BOARDS.items():
        for panel in panels(board):
            for target in panel["targets"]:
                title = f"{panel['title']} {target['refId']}"
                yield Target(name, title, target["expr"], target["instant"])
        for annotation in board["annotations"]["list"]:
            yield Target(name, annotation["name"], annotation["expr"], instant=False)


TARGETS = list(targets())
