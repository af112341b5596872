"""The files that the forge reads, by their published schemas."""

import sys
from pathlib import Path

import pytest

from tests.deploy.conftest import accepts

FORGE = Path(__file__).parents[2] / ".github"


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("github-workflows", "workflows/*.yml"),
        ("dependabot", "dependabot.yml"),
        ("github-issue-config", "ISSUE_TEMPLATE/config.yml"),
        ("github-issue-forms", "ISSUE_TEMPLATE/[!c]*.yml"),
    ],
)
def test_it_follows_its_schema(schema, pattern):
    files = [*FORGE.glob(pattern)]
    assert files
    accepts(sys.executable, "-m", "check_jsonschema", f"--builtin-schema=vendor.{schema}", *files)


def test_every_action_is_pinned_to_a_commit():
    uses = [
        line.split("uses: ")[1]
        for file in FORGE.glob("workflows/*.yml")
        for line in file.read_text().splitlines()
        if "uses: " in line and "uses: ./" not in line
    ]
    assert uses
    assert [each for each in uses if len(each.split(" # v")[0].rpartition("@")[2]) != 40] == []
