import re
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy.conftest import accepts

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "compose"
SERVICES = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
CHECK = (sys.executable, "-m", "check_jsonschema")


def mounts(service: str) -> dict[str, Path]:
    """The files of this repository in a service, by their place in the container."""
    bound = (volume.split(":") for volume in SERVICES[service].get("volumes", ()))
    return {target: (FOLDER / source).resolve() for source, target, *_ in bound if source[0] == "."}


def test_the_file_follows_the_compose_specification():
    accepts(*CHECK, "--builtin-schema=vendor.compose-spec", FOLDER / "compose.yaml")


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_mounted_exists(service):
    assert [file for file in mounts(service).values() if not file.exists()] == []


def test_every_image_has_a_version():
    dockerfiles = [ROOT / "Dockerfile", FOLDER / "history.Dockerfile"]
    images = [service["image"] for service in SERVICES.values() if "image" in service]
    for file in dockerfiles:
        images += re.findall(r"^ARG [A-Z]+=(docker\S+)$", file.read_text(), re.MULTILINE)
    assert len(images) == 7
    assert [image for image in images if not re.search(r":v?[0-9]+\.[0-9]+\.[0-9]+", image)] == []


def test_every_service_that_stays_has_its_health_checked():
    unchecked = [name for name, service in SERVICES.items() if "healthcheck" not in service]
    assert unchecked == ["exporter", "history"]  # the image's own check; ends by itself


def test_prometheus_accepts_its_files(tool, tmp_path):
    for target, file in mounts("prometheus").items():
        place = tmp_path / Path(target).relative_to("/etc/prometheus")
        place.parent.mkdir(exist_ok=True)
        place.write_text(file.read_text())
    accepts(tool("promtool", "prometheus"), "check", "config", tmp_path / "prometheus.yml")


def test_grafana_finds_the_dashboards():
    provisioned = mounts("grafana")
    providers = "/etc/grafana/provisioning/dashboards/binance-multi-assets.yaml"
    (provider,) = yaml.safe_load(provisioned[providers].read_text())["providers"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    folder = provisioned[provider["options"]["path"]]
    assert (folder / Path(home).relative_to(provider["options"]["path"])).exists()
