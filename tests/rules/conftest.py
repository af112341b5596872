import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Promtool = Callable[..., "subprocess.CompletedProcess[str]"]
"""Runs promtool with some arguments, and with text on its standard input."""


@pytest.fixture(scope="session")
def run_promtool(tool: Callable[[str, str], str]) -> Promtool:
    def run(*arguments: str | Path, text: str | None = None) -> "subprocess.CompletedProcess[str]":
        command = (tool("promtool", "prometheus"), *arguments)
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    return run
