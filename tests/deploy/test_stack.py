"""The files of deploy/, used by the processes for which they are."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.deploy.conftest import accepts
from tests.end_to_end.conftest import PATIENCE, free_port, until

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.mark.parametrize(
    ("program", "package", "file"),
    [
        ("promtool", "prometheus", "prometheus.yml"),
        ("promtool", "prometheus", "high-availability/prometheus.yml"),
        ("amtool", "prometheus-alertmanager", "alertmanager.yml"),
    ],
)
def test_a_program_accepts_its_file(tool, program, package, file):
    check = ["check", "config"] if program == "promtool" else ["check-config"]
    accepts(tool(program, package), *check, DEPLOY / file)


def test_the_docs_quote_the_configuration_of_two_prometheis():
    page = (DEPLOY.parent / "docs" / "scaling.md").read_text()
    (quoted,) = re.findall(r"```yaml\n(alerting:.*?)```", page, re.DOTALL)
    assert quoted in (DEPLOY / "high-availability" / "prometheus.yml").read_text()


def test_exporter_prometheus_and_alertmanager_find_each_other(tool, tmp_path):
    tool("prometheus", "prometheus")
    tool("prometheus-alertmanager", "prometheus-alertmanager")
    names = ("exporter", "prometheus", "alertmanager")
    ports = {name: free_port() for name in names}
    flags = [f"--{name}-port={port}" for name, port in ports.items()]
    command = [sys.executable, DEPLOY / "stack.py", "--no-history", f"--folder={tmp_path}", *flags]
    stack = subprocess.Popen(command, stdout=subprocess.PIPE)
    api = f"http://127.0.0.1:{ports['prometheus']}/api/v1"

    def is_up() -> bool:
        answer = requests.get(f"{api}/query?query=binance_asset_index_up", timeout=PATIENCE).json()
        return [each["value"][1] for each in answer["data"]["result"]] == ["1"]

    def has_an_alertmanager() -> bool:
        answer = requests.get(f"{api}/alertmanagers", timeout=PATIENCE).json()
        return bool(answer["data"]["activeAlertmanagers"])

    try:
        assert until(is_up)
        assert until(has_an_alertmanager)
    finally:
        stack.terminate()
        output, _ = stack.communicate(timeout=PATIENCE)
    assert stack.returncode == 0
    assert str(tmp_path / "alerts.jsonl").encode() in output
