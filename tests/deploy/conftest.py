import subprocess
from pathlib import Path


def accepts(*command: str | Path) -> None:
    """A program that checks a file finds nothing wrong with it."""
    checked = subprocess.run(command, capture_output=True, check=False, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
