"""The chart's values: which are refused, and which replace the pod."""

import json
import re

import pytest
import yaml

from exporter.simulator.scenarios import SCENARIOS
from tests.deploy.kubernetes import CHART, helm, objects, refusal, run, the

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
TEMPLATE = ("template", "x", CHART)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("replicas=two", ["replicas", "integer"]),
        ("networkPolicy=null", ["networkPolicy"]),
        ("serviceMonitor.modules=null", ["serviceMonitor", "modules"]),
        ("replica=2", ["replica", "not allowed"]),
        ("serviceMonitor.intervall=15s", ["serviceMonitor", "intervall", "not allowed"]),
        ("serviceMonitor.interval=15", ["serviceMonitor", "interval", "string"]),
        ("serviceMonitor.interval=15 s", ["serviceMonitor", "interval", "(ms|s|m|h)"]),
        ("demo=crash", ["demo", "haircut-change"]),
        ("image.digest=latest", ["image", "digest", "sha256:"]),
        ("containerPort=99999", ["containerPort", "65"]),
        ("extraArgs[0]=log.level=debug", ["extraArgs", "--"]),
        ("prometheusRule.dashboardUrl=grafana.example.org", ["dashboardUrl", "https?://"]),
        ("terminationGracePeriodSeconds=1", ["terminationGracePeriodSeconds", "5"]),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(version, value, named):
    said = refusal(helm(version), *TEMPLATE, f"--set={value}")
    assert [each for each in named if each not in said] == []


MONITOR = "serviceMonitor.enabled=true,serviceMonitor"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            f"{MONITOR}.scrapeTimeout=15s",
            "serviceMonitor: scrapeTimeout (15s) must be shorter than interval (15s)",
        ),
        (
            f"{MONITOR}.interval=1m,serviceMonitor.scrapeTimeout=1m500ms",
            "serviceMonitor: scrapeTimeout (1m500ms) must be shorter than interval (1m)",
        ),
        (
            f"{MONITOR}.modules[0].name=btc,serviceMonitor.modules[0].interval=3s",
            "serviceMonitor.modules, btc: scrapeTimeout (5s) must be shorter than interval (3s)",
        ),
        (
            f"{MONITOR}.scrapeTimeout=500ms",
            "serviceMonitor: scrapeTimeout (500ms) must be longer than timeoutOffset (0.5s)",
        ),
        (
            "config.modules.default=null,config.a=b,existingConfigSecret=c",
            "set either config or existingConfigSecret, not both",
        ),
        (
            "webConfig.a=b,existingWebConfigSecret=c",
            "set either webConfig or existingWebConfigSecret, not both",
        ),
        ("webTlsSecret=a", "webTlsSecret needs a webConfig that names its files"),
        ("webConfig=a: b: c", "webConfig is not YAML: "),
    ],
)
def test_values_that_do_not_fit_together_are_refused_in_a_sentence(values, sentence):
    assert sentence in refusal(helm(4), *TEMPLATE, f"--set={values}")


def test_a_timeout_just_below_the_interval_is_accepted():
    run(helm(4), *TEMPLATE, f"--set={MONITOR}.interval=1h,serviceMonitor.scrapeTimeout=59m59s999ms")


def test_a_probe_of_null_is_none():
    pod = the("Deployment", objects(run(helm(4), *TEMPLATE, "--set=startupProbe=null")))["spec"]
    probes = [key for key in pod["template"]["spec"]["containers"][0] if key.endswith("Probe")]
    assert probes == ["livenessProbe", "readinessProbe"]


def test_the_readme_shows_values_that_are_accepted(tmp_path):
    blocks = re.findall(r"```yaml\n(.*?)```", (CHART / "README.md").read_text(), re.DOTALL)
    for block in blocks:
        (tmp_path / "values.yaml").write_text(block)
        run(helm(4), *TEMPLATE, "--values", tmp_path / "values.yaml")
    assert len(blocks) == 2


TLS = {"tls_server_config": {"cert_file": "tls.crt", "key_file": "tls.key"}}
PASSWORDS = {"basic_auth_users": {"prometheus": "hash"}}


def pod_template(web):
    found = objects(run(helm(4), *TEMPLATE, f"--set-json=webConfig={json.dumps(web)}"))
    return the("Deployment", found)["spec"]["template"]


@pytest.mark.parametrize(
    ("before", "after", "replaces"),
    [
        (TLS, {}, True),
        (TLS, TLS | PASSWORDS, True),
        (TLS | PASSWORDS, PASSWORDS, True),
        (PASSWORDS, {"basic_auth_users": {"prometheus": "hash", "grafana": "hash"}}, False),
        (TLS, {"tls_server_config": TLS["tls_server_config"] | {"min_version": "TLS13"}}, False),
    ],
)
def test_only_a_change_that_needs_a_restart_replaces_the_pod(before, after, replaces):
    assert (pod_template(before) != pod_template(after)) is replaces


def keys(values, path=""):
    """Every key of values whose own keys are known."""
    for key, value in values.items():
        yield f"{path}{key}"
        if isinstance(value, dict):
            yield from keys(value, f"{path}{key}.")


def known_keys(schema, path=""):
    for key, value in schema["properties"].items():
        yield f"{path}{key}", value
        if "properties" in value:
            yield from known_keys(value, f"{path}{key}.")


def test_the_schema_knows_the_values_and_no_others():
    known = dict(known_keys(SCHEMA))
    free = {key for key, value in known.items() if value.get("additionalProperties") is not False}
    documented = {
        key
        for key in keys(VALUES)
        if not any(key.startswith(f"{each}.") for each in free if known[each].get("type"))
    }
    optional = {
        "enabled",
        "podDisruptionBudget.minAvailable",
        "podDisruptionBudget.unhealthyPodEvictionPolicy",
    }
    assert documented == known.keys() - optional


def test_the_schema_knows_the_scenarios():
    assert SCHEMA["properties"]["demo"]["enum"] == ["", *SCENARIOS]
