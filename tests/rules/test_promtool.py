"""promtool reads all rules and examples, and passes all tests of them."""

from pathlib import Path

import pytest

from tests.rules.conftest import Promtool
from tests.rules.promtool_files import RULES

FILES = sorted([*RULES.glob("*.yaml"), *RULES.glob("examples/*.yaml")])
TESTS = sorted(RULES.glob("tests/*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_reads_the_rules(run_promtool: Promtool, path: Path) -> None:
    done = run_promtool("check", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_reads_the_example_of_a_textfile(run_promtool: Promtool) -> None:
    text = (RULES / "examples" / "collateral.prom").read_text()
    done = run_promtool("check", "metrics", text=text)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_its_tests_pass(run_promtool: Promtool, path: Path) -> None:
    done = run_promtool("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr
