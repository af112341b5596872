"""What the chart renders, for each file of values in its ci/."""

import base64
import functools
import gzip
import json
import re
import tarfile

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate.utils import all_versions

from exporter import __version__, last_resort
from tests.deploy.kubernetes import (
    CHART,
    ROOT,
    VARIANTS,
    container,
    helm,
    manifest,
    objects,
    of_kind,
    pod_spec,
    rendered,
    run,
    the,
)

ABOUT = yaml.safe_load((CHART / "Chart.yaml").read_text())
KUBERNETES = (re.search(r"[0-9]+\.[0-9]+", ABOUT["kubeVersion"])[0], all_versions()[-1])
"""The oldest version that the chart allows, and the newest one that can be checked."""

OPERATOR = ("ServiceMonitor", "PrometheusRule")
MIB = 1 << 20


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


def test_it_has_the_version_of_the_exporter():
    assert (ABOUT["version"], ABOUT["appVersion"]) == (__version__, __version__)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("variant", ["default", "full"])
def test_helm_finds_nothing_to_complain_about(version, variant):
    values = CHART / "ci" / f"{variant}-values.yaml"
    assert "0 chart(s) failed" in run(helm(version), "lint", "--strict", CHART, "--values", values)


@pytest.mark.parametrize("variant", VARIANTS)
def test_helm_3_and_4_render_the_same(variant):
    def in_order(version):
        return sorted(objects(manifest(variant, version)), key=repr)

    assert in_order(3) == in_order(4)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_accepts_every_object(variant, version):
    for each in rendered(variant):
        if each["kind"] not in OPERATOR:
            validate(json.dumps(each, sort_keys=True), version)


@functools.cache
def validate(object_as_json, version):
    """Check an object; most of them are the same in several variants."""
    kubernetes_validate.validate(json.loads(object_as_json), version, strict=True)


@pytest.mark.parametrize("variant", VARIANTS)
def test_selectors_select_the_pods_of_the_deployment_and_no_others(variant):
    found = rendered(variant)
    deployment, service = the("Deployment", found), the("Service", found)
    pod = deployment["spec"]["template"]["metadata"]["labels"]
    test_pod = the("Pod", found)["metadata"]["labels"]
    selectors = [service["spec"]["selector"], deployment["spec"]["selector"]["matchLabels"]]
    for kind in ("PodDisruptionBudget", "NetworkPolicy"):
        for each in of_kind(kind, found):
            spec = each["spec"]
            selectors.append((spec.get("selector") or spec["podSelector"])["matchLabels"])
    assert [each for each in selectors if not selects(each, pod) or selects(each, test_pod)] == []
    for monitor in of_kind("ServiceMonitor", found):
        labels = service["metadata"]["labels"]
        assert selects(monitor["spec"]["selector"]["matchLabels"], labels)
        assert monitor["spec"]["namespaceSelector"]["matchNames"] == [
            service["metadata"]["namespace"]
        ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_pod_may_run_in_a_restricted_namespace(variant):
    found = rendered(variant)
    for pod in (pod_spec(found), the("Pod", found)["spec"]):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for each in pod["containers"][:1]:
            assert each["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_the_time_to_stop_is_longer_than_the_exporter_needs():
    assert pod_spec(rendered("default"))["terminationGracePeriodSeconds"] > last_resort.END_SECONDS


def probe(variant, name):
    """How a probe asks, without its timing."""
    timing = ("periodSeconds", "timeoutSeconds", "failureThreshold")
    asked = container(rendered(variant))[name].items()
    return {key: value for key, value in asked if key not in timing}


def ask_http(path, scheme):
    return {"httpGet": {"path": path, "port": "http", "scheme": scheme}}


CONNECTION = {"tcpSocket": {"port": "http"}}
HEALTHCHECK = {
    "exec": {
        "command": [
            "binance-asset-index-exporter",
            "--healthcheck",
            "--web.listen-address=:10198",
        ]
    }
}


@pytest.mark.parametrize(
    ("variant", "healthy", "ready"),
    [
        ("default", ask_http("/-/healthy", "HTTP"), ask_http("/-/ready", "HTTP")),
        ("tls", ask_http("/-/healthy", "HTTPS"), ask_http("/-/ready", "HTTPS")),
        ("secure", HEALTHCHECK, CONNECTION),
        ("existing-secrets", HEALTHCHECK, CONNECTION),
    ],
)
def test_probes_ask_as_the_web_configuration_allows(variant, healthy, ready):
    assert probe(variant, "startupProbe") == healthy
    assert probe(variant, "livenessProbe") == healthy
    assert probe(variant, "readinessProbe") == ready


def test_a_probe_of_ones_own_replaces_the_charts():
    assert probe("full", "livenessProbe") == CONNECTION


def test_a_disruption_budget_is_only_for_more_than_one_replica():
    assert of_kind("PodDisruptionBudget", rendered("default")) == []
    assert the("PodDisruptionBudget", rendered("full"))["spec"]["maxUnavailable"] == 1


def test_a_spread_without_a_selector_gets_that_of_the_release():
    (spread,) = pod_spec(rendered("full"))["topologySpreadConstraints"]
    selector = the("Deployment", rendered("full"))["spec"]["selector"]
    assert spread["labelSelector"] == selector


def test_nothing_leaves_the_pod_of_a_demo():
    spec = the("NetworkPolicy", rendered("demo"))["spec"]
    assert (spec["policyTypes"], spec["egress"]) == (["Ingress", "Egress"], [])


def port(number, protocol="TCP"):
    return {"port": number, "protocol": protocol}


def test_only_names_and_https_leave_the_pod_and_what_the_values_add():
    dns, https, proxy = the("NetworkPolicy", rendered("full"))["spec"]["egress"]
    assert dns == {"ports": [port(53, "UDP"), port(53)]}
    assert https == {"ports": [port(443)]}
    assert proxy == {"to": [{"ipBlock": {"cidr": "192.0.2.2/32"}}], "ports": [port(3128)]}


def test_only_the_peers_and_helm_test_may_connect():
    found = rendered("full")
    (rule,) = the("NetworkPolicy", found)["spec"]["ingress"]
    namespaces, test_pod = rule["from"]
    assert list(namespaces) == ["namespaceSelector"]
    labels = the("Pod", found)["metadata"]["labels"]
    assert selects(test_pod["podSelector"]["matchLabels"], labels)


def test_a_secret_is_nowhere_but_in_its_secret():
    password = r"\$2b\$04\$[./A-Za-z0-9]{53}"
    secrets = of_kind("Secret", rendered("secure"))
    (secret,) = secrets
    assert re.search(password, base64.b64decode(secret["data"]["web.yaml"]).decode())
    others = [each for each in rendered("secure") if each not in secrets]
    assert not re.search(password, yaml.safe_dump(others))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_service_leads_to_the_port_of_the_exporter(variant):
    (service,) = the("Service", rendered(variant))["spec"]["ports"]
    (exporter,) = container(rendered(variant))["ports"]
    assert service["targetPort"] == exporter["name"]
    listens = f"--web.listen-address=:{exporter['containerPort']}"
    assert listens in container(rendered(variant))["args"]


def test_the_test_asks_the_service():
    (address,) = (
        each.removeprefix("--web.listen-address=")
        for each in the("Pod", rendered("full"))["spec"]["containers"][0]["args"]
        if "address" in each
    )
    service = the("Service", rendered("full"))
    (port,) = service["spec"]["ports"]
    name = f"{service['metadata']['name']}.{service['metadata']['namespace']}"
    assert address == f"{name}:{port['port']}"


def test_the_package_has_the_files_of_the_repository(tmp_path):
    run(helm(4), "package", CHART, "--destination", tmp_path)
    (package,) = tmp_path.glob("*.tgz")
    with tarfile.open(package) as archive:
        packed = {each.name: archive.extractfile(each).read() for each in archive}
    shared = [*ROOT.glob("rules/*.yaml"), *ROOT.glob("dashboards/*.json")]
    assert {name: text for name, text in packed.items() if "/files/" in name} == {
        f"{CHART.name}/files/{each.relative_to(ROOT)}": each.read_bytes() for each in shared
    }
    assert not [name for name in packed if "/ci/" in name]
    # Helm keeps chart and manifest in a Secret, compressed and in base64 twice
    kept = package.stat().st_size + len(gzip.compress(manifest("full").encode()))
    assert kept * (4 / 3) ** 2 < MIB / 2
