import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WHEEL = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]


def test_the_wheel_has_every_rule_dashboard_and_example():
    files = [*ROOT.glob("rules/*.yaml"), *ROOT.glob("dashboards/*.json")]
    shared = {"config.example.yaml", *(str(file.relative_to(ROOT)) for file in files)}
    assert shared - WHEEL["force-include"].keys() == set()


def test_files_keep_their_places_to_each_other():
    places = WHEEL["force-include"].items()
    assert [source for source, place in places if place != f"exporter/share/{source}"] == []
