import subprocess
from pathlib import Path

from exporter import files

ROOT = Path(__file__).parent.parent


def test_copies_what_the_programs_load(tmp_path):
    files.copy_to(tmp_path / "new")
    for name in ("config.example.yaml", "rules/alerts.yaml", "dashboards/asset.json"):
        assert (tmp_path / "new" / name).read_text() == (ROOT / name).read_text()


def test_says_what_it_copied(tmp_path):
    copies = files.copy_to(tmp_path)
    assert sorted(copies) == sorted(file for file in tmp_path.rglob("*") if file.is_file())


def test_finds_something_for_every_pattern():
    assert [pattern for pattern in files.FILES if not list(ROOT.glob(pattern))] == []


def test_prometheus_accepts_the_copies(tool, tmp_path):
    files.copy_to(tmp_path)
    command = [tool("promtool", "prometheus"), "check", "config", "deploy/prometheus.yml"]
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0
