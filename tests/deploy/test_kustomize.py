"""The plain manifests of deploy/kubernetes, and the dashboards as kustomize gives them."""

import base64
import re

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate.utils import all_versions

from exporter import __version__
from exporter.config.modules import load_settings
from tests.deploy.kubernetes import (
    ROOT,
    kubectl,
    objects,
    of_kind,
    pod_spec,
    rendered,
    run,
    the,
)

FOLDER = ROOT / "deploy" / "kubernetes"


def built(folder):
    return objects(run(kubectl(), "kustomize", folder))


@pytest.fixture(scope="module")
def plain():
    return built(FOLDER)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """With all that kustomization.yaml has in comments."""
    copy = tmp_path_factory.mktemp("kustomize")
    for file in [*FOLDER.rglob("*.yaml"), *ROOT.glob("dashboards/*.json")]:
        (copy / file.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        (copy / file.relative_to(ROOT)).write_text(file.read_text())
    (copy / "dashboards" / "Kustomization").write_text(
        (ROOT / "dashboards" / "Kustomization").read_text()
    )
    main = copy / FOLDER.relative_to(ROOT) / "kustomization.yaml"
    main.write_text(re.sub(r"(?m)^  # - ", "  - ", main.read_text()))
    return built(main.parent)


def without_names(specification):
    """As text, without what distinguishes the chart's release from the plain manifests."""
    text = yaml.safe_dump(specification).replace("asset-index-binance-", "binance-")
    text = text.replace(
        "app.kubernetes.io/instance: asset-index\n",
        "app.kubernetes.io/instance: binance-asset-index-exporter\n",
    )
    return yaml.safe_load(text)


@pytest.mark.parametrize("kind", ["Deployment", "Service"])
def test_they_are_those_of_the_chart(plain, kind):
    ours, charts = (without_names(the(kind, each)["spec"]) for each in (plain, rendered("default")))
    for spec in (ours, charts):
        if kind == "Deployment":
            del spec["template"]["metadata"]["labels"]  # the chart's are more
    assert ours == charts


def test_the_network_policy_is_that_of_the_chart(plain):
    charts = the("NetworkPolicy", rendered("demo"))["spec"]
    ours = the("NetworkPolicy", plain)["spec"]
    assert ours["podSelector"] == without_names(charts["podSelector"])
    assert ours["ingress"] == charts["ingress"]
    assert ours["egress"] == the("NetworkPolicy", rendered("full"))["spec"]["egress"][:2]
    assert ours["podSelector"] == the("Deployment", plain)["spec"]["selector"]


def test_the_image_has_the_version_of_the_exporter(plain):
    assert pod_spec(plain)["containers"][0]["image"].endswith(f":{__version__}")


def test_kubernetes_accepts_every_object(everything):
    for each in everything:
        if each["kind"] != "ServiceMonitor":
            kubernetes_validate.validate(each, all_versions()[-1], strict=True)


def test_the_configuration_is_mounted_and_valid(everything, tmp_path):
    secret = the("Secret", everything)
    pod = pod_spec(everything)
    assert "--config.file=/config/config.yaml" in pod["containers"][0]["args"]
    assert pod["volumes"][0]["secret"]["secretName"] == secret["metadata"]["name"]
    file = tmp_path / "config.yaml"
    file.write_bytes(base64.b64decode(secret["data"]["config.yaml"]))
    assert load_settings(file).modules.keys() == {"default"}


def test_the_service_monitor_is_that_of_the_chart(everything):
    ours = the("ServiceMonitor", everything)["spec"]
    charts = the("ServiceMonitor", rendered("demo"))["spec"]
    assert ours["endpoints"] == charts["endpoints"]
    assert ours["selector"] == without_names(charts["selector"])


def test_the_dashboards_are_those_of_the_chart(everything):
    def boards(found):
        return {
            key: (each["metadata"]["annotations"], text.rstrip("\n"))
            for each in of_kind("ConfigMap", found)
            for key, text in each["data"].items()
            if each["metadata"]["labels"]["grafana_dashboard"] == "1"
        }

    assert boards(everything) == boards(rendered("demo"))
