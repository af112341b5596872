import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/**/README.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_exists(page):
    flags = (ROOT / "exporter" / "flags.py").read_text()
    named = set(re.findall(r"(?<![\w-])--(?:config|web|log)\.[a-z.-]*[a-z]", page.read_text()))
    elsewhere = {"--config.file"} | {flag for flag in named if flag in PROMETHEUS}
    assert {flag for flag in named - elsewhere if f'"{flag}"' not in flags} == set()


PROMETHEUS = ("--web.listen-address", "--web.enable-lifecycle")


def test_every_test_that_a_promise_names_exists():
    page = (ROOT / "docs" / "reliability.md").read_text()
    files = [*(ROOT / "tests").rglob("test_*.py")]
    known = {str(file.relative_to(ROOT)) for file in files} | {file.name for file in files}
    for file in files:
        known |= set(re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE))
    named = re.findall(r"`((?:tests/[\w/]*)?test_\w+(?:\.py)?)`", page)
    assert len(named) > 20
    assert set(named) <= known


def test_the_architecture_names_every_file_and_no_other():
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`[\w/]*?(\w+\.py)`", page))
    files = {file.relative_to(ROOT / "exporter") for file in (ROOT / "exporter").rglob("*.py")}
    whole = ("simulator", "history")  # named as folders
    parts = {file.name for file in files if file.parts[0] not in whole} - {"__init__.py"}
    others = {file.name for folder in ("docs", "tests") for file in (ROOT / folder).glob("*.py")}
    assert parts - named == set()
    assert named - parts - others == set()
