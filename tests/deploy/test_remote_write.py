"""The files of deploy/remote-write, checked by the programs for which they are."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.conftest import accepts

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "remote-write"
AGENTS = ("victoriametrics.yml", "mimir.yml", "thanos-receive.yml")
CLUSTER = FOLDER / "victoriametrics-cluster.yaml"
SERVICES = yaml.safe_load(CLUSTER.read_text())["services"]


def load(file: Path) -> Any:
    return yaml.safe_load(file.read_text())


@pytest.mark.parametrize("file", AGENTS)
def test_an_agent_accepts_its_file(tool, file):
    accepts(tool("promtool", "prometheus"), "check", "config", "--agent", FOLDER / file)


def test_prometheus_accepts_its_file(tool):
    accepts(tool("promtool", "prometheus"), "check", "config", FOLDER / "thanos-sidecar.yml")


def test_vmagent_accepts_its_file(tool):
    vmagent = tool("vmagent", "victoria-metrics")
    accepts(vmagent, f"-promscrape.config={FOLDER / 'vmagent.yml'}", "-dryRun")


def test_vmalert_accepts_the_rules(tool, tmp_path):
    """Debian's vmalert does not know keep_firing_for."""
    vmalert = tool("vmalert", "victoria-metrics")
    for name in ("recording.yaml", "alerts.yaml", "collateral.yaml"):
        text = (ROOT / "rules" / name).read_text()
        (tmp_path / name).write_text(
            re.sub(r"^ +keep_firing_for: .*\n", "", text, flags=re.MULTILINE)
        )
    accepts(vmalert, f"-rule={tmp_path}/*.yaml", "-dryRun")


@pytest.mark.parametrize("file", [*AGENTS, "thanos-sidecar.yml", "vmagent.yml"])
def test_each_scrapes_as_the_single_prometheus_does(file):
    single = load(ROOT / "deploy" / "prometheus.yml")
    assert load(FOLDER / file)["scrape_configs"] == single["scrape_configs"]


def test_mimir_takes_our_largest_group_of_rules():
    (tenant,) = load(FOLDER / "mimir-overrides.yml")["overrides"].values()
    groups = [group for file in (ROOT / "rules").glob("*.yaml") for group in load(file)["groups"]]
    largest = max(len(group["rules"]) for group in groups)
    assert 20 < largest <= tenant["ruler_max_rules_per_rule_group"]


def test_mimir_has_a_tenant():
    (remote,) = load(FOLDER / "mimir.yml")["remote_write"]
    assert {remote["headers"]["X-Scope-OrgID"]} == load(FOLDER / "mimir-overrides.yml")[
        "overrides"
    ].keys()


def test_the_cluster_follows_the_compose_specification():
    check = (sys.executable, "-m", "check_jsonschema", "--builtin-schema=vendor.compose-spec")
    accepts(*check, CLUSTER)


def test_what_the_cluster_mounts_exists():
    mounts = [each for service in SERVICES.values() for each in service.get("volumes", ())]
    files = [each.split(":")[0] for each in mounts if each[0] == "."]
    assert len(files) == 3
    assert [file for file in files if not (FOLDER / file).exists()] == []


@pytest.mark.parametrize("service", ["vmagent", "vmalert"])
def test_debian_s_programs_know_the_flags_of_the_cluster(tool, service):
    """The other programs are in no package of Debian."""
    paths = {
        "/etc/vmagent.yml": str(FOLDER / "vmagent.yml"),
        "/etc/rules/alerts.yaml": str(ROOT / "rules" / "recording.yaml"),  # see above
        "/etc/rules": str(ROOT / "rules"),
    }
    flags = SERVICES[service]["command"]
    for inside, outside in paths.items():
        flags = [flag.replace(inside, outside) for flag in flags]
    accepts(tool(service, "victoria-metrics"), *flags, "-dryRun")
