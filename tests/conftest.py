import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

TESTDATA = Path(__file__).parent / "testdata"

# a slow machine must not turn a property into a failure
settings.register_profile("default", deadline=None, print_blob=True)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with the golden file of that name."""

    def compare(name: str, text: str) -> None:
        file = TESTDATA / "golden" / name
        if request.config.getoption("--update-golden"):
            file.write_text(text)
        assert text == file.read_text()

    return compare


@pytest.fixture
def testdata() -> Path:
    return TESTDATA


@pytest.fixture
def capture() -> Callable[[str], Any]:
    """The exchange's real answers, by file name without its ending."""
    return lambda name: json.loads((TESTDATA / "captures" / f"{name}.json").read_text())
