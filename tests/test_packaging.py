import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from exporter import __version__, files

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> set[str]:
    """The names of the files in the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def test_the_wheel_has_every_file_that_can_be_copied(wheel):
    shared = {file.relative_to(ROOT) for pattern in files.FILES for file in ROOT.glob(pattern)}
    assert {f"exporter/share/{file}" for file in shared} - wheel == set()


def test_the_wheel_has_nothing_else_beside_the_program(wheel):
    shared = {name for name in wheel if name.startswith("exporter/share/")}
    places = {file for pattern in files.FILES for file in ROOT.glob(pattern)}
    assert len(shared) == len(places)
    assert {name.split("/")[0] for name in wheel - shared} == {
        "exporter",
        f"binance_asset_index_exporter-{__version__}.dist-info",
    }


def test_the_wheel_has_the_whole_program(wheel):
    modules = {str(file.relative_to(ROOT)) for file in ROOT.glob("exporter/**/*.py")}
    assert modules - wheel == set()
    assert "exporter/web/status.html" in wheel
