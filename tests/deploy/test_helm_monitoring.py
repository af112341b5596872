"""The ServiceMonitor, the rules and the dashboards that the chart renders."""

import pytest
import yaml

from tests.deploy.conftest import accepts
from tests.deploy.kubernetes import ROOT, of_kind, rendered, the

MIB = 1 << 20
RULES = {
    name: yaml.safe_load((ROOT / "rules" / f"{name}.yaml").read_text())["groups"]
    for name in ("recording", "alerts", "collateral")
}


def endpoints(variant):
    found = the("ServiceMonitor", rendered(variant))["spec"]["endpoints"]
    return [dict(each) for each in found]


NO_ENDPOINT = {"action": "labeldrop", "regex": "endpoint"}


def as_module(name):
    job = {"sourceLabels": ["job"], "targetLabel": "job", "replacement": f"${{1}}-{name}"}
    return [NO_ENDPOINT, job]


def test_each_module_is_an_endpoint_with_a_job_of_its_own():
    default = {"port": "http", "scheme": "http", "interval": "15s", "scrapeTimeout": "5s"}
    module = default | {"path": "/probe"}
    assert endpoints("modules") == [
        default | {"path": "/metrics", "relabelings": [NO_ENDPOINT]},
        module
        | {"interval": "5s", "scrapeTimeout": "2s"}
        | {"params": {"module": ["btc"]}, "relabelings": as_module("btc")},
        module
        | {"params": {"module": ["testnet"], "symbol": ["BTCUSD", "ETHUSD"]}}
        | {"relabelings": as_module("testnet")},
    ]


def test_prometheus_logs_in_over_tls():
    (endpoint,) = endpoints("secure")
    assert endpoint["scheme"] == "https"
    assert endpoint["tlsConfig"]["serverName"] == "asset-index.monitoring.svc"
    assert endpoint["basicAuth"]["password"] == {"name": "asset-index-login", "key": "password"}


def test_labels_and_relabelling_are_those_of_the_values():
    monitor = the("ServiceMonitor", rendered("full"))
    (endpoint,) = endpoints("full")
    assert monitor["metadata"]["namespace"] == "monitoring"
    assert monitor["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    assert monitor["spec"]["jobLabel"] == "app.kubernetes.io/name"
    assert endpoint["relabelings"] == [NO_ENDPOINT, {"action": "labeldrop", "regex": "container"}]
    assert endpoint["metricRelabelings"][0]["regex"] == "python_gc_.*"


def test_the_rules_are_those_of_the_repository():
    groups = the("PrometheusRule", rendered("demo"))["spec"]["groups"]
    assert groups == RULES["recording"] + RULES["alerts"]


def changed(group):
    """A group as the values of ci/full-values.yaml change it."""
    text = yaml.safe_dump(group, width=1000)
    text = text.replace("http://localhost:3000/d", "https://grafana.example.org/d")
    repository = "https://github.com/binance-asset-index-exporter/binance-asset-index-exporter"
    runbooks = f"{repository}/blob/main/docs/runbooks.md"
    text = text.replace(runbooks, "https://wiki.example.org/runbooks")
    rules = yaml.safe_load(text)["rules"]
    kept = [each for each in rules if each.get("alert") != "BinanceHaircutDecreased"]
    for each in kept:
        if "alert" in each:
            each["labels"] = each.get("labels", {}) | {"team": "risk"}
    return group | {"rules": kept}


def test_links_labels_and_alerts_are_changed_as_the_values_say():
    *groups, own = the("PrometheusRule", rendered("full"))["spec"]["groups"]
    files = RULES["recording"] + RULES["alerts"] + RULES["collateral"]
    assert groups == [changed(group) for group in files]
    assert own == {"name": "own", "rules": [{"record": "example", "expr": "vector(1)"}]}


@pytest.mark.parametrize("variant", ["demo", "full"])
def test_promtool_accepts_the_rules(tool, tmp_path, variant):
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(the("PrometheusRule", rendered(variant))["spec"]))
    accepts(tool("promtool", "prometheus"), "check", "rules", "--lint-fatal", file)


def test_each_dashboard_is_a_config_map_for_the_sidecar():
    maps = of_kind("ConfigMap", rendered("demo"))
    boards = {f"binance-multi-assets-{each.name}": each for each in ROOT.glob("dashboards/*.json")}
    data = {key: text for each in maps for key, text in each["data"].items()}
    assert len(maps) == len(boards)
    assert data == {name: file.read_text().rstrip("\n") for name, file in boards.items()}
    assert {each["metadata"]["labels"]["grafana_dashboard"] for each in maps} == {"1"}
    assert {each["metadata"]["annotations"]["grafana_folder"] for each in maps} == {
        "Binance Multi-Assets"
    }
    assert max(len(text.encode()) for text in data.values()) < MIB / 4


def test_without_a_folder_there_is_no_annotation_for_it():
    board = next(each for each in of_kind("ConfigMap", rendered("full")) if "data" in each)
    assert board["metadata"]["namespace"] == "grafana"
    assert board["metadata"]["annotations"] == {"example.com/note": "dashboard"}
