"""The rules, dashboards and example configurations that come with the exporter: `--copy-files`."""

import shutil
from pathlib import Path

FILES = (
    "config.example.yaml",
    "dashboards/*.json",
    "deploy/*.yml",
    "deploy/grafana/*.yaml",
    "deploy/high-availability/*",
    "rules/*.yaml",
    "rules/examples/*",
)
"""In an installation they are in `exporter/share`; in a clone they are at its top."""


def root() -> Path:
    """The folder that has the files at their places."""
    package = Path(__file__).parent
    shared = package / "share"
    return shared if shared.is_dir() else package.parent


def copy_to(folder: Path) -> list[Path]:
    """Copy the files and keep their places to each other; files that exist are replaced.

    Returns:
        The copies.

    Raises:
        OSError: A file cannot be written.
    """
    copies = []
    for file in (file for pattern in FILES for file in sorted(root().glob(pattern))):
        copy = folder / file.relative_to(root())
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        copies.append(copy)
    return copies
