"""Each scenario of the demo raises its alerts within four minutes of their event, and no others.

The exporter's code scrapes the simulator in a time that passes as fast as it can be computed.
Prometheus' own rule engine (promtool) evaluates the real rules on these pages, each 15 seconds as
in production, from an empty database. tests/end_to_end/test_alertmanager.py does it with real
processes.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from exporter.history.scrapes import Clock, Scrapes
from exporter.simulator.exchange import Exchange
from exporter.simulator.scenarios import PERIOD_SECONDS, SCENARIOS
from tests.rules.conftest import Promtool
from tests.rules.promtool_files import RULES, write

STEP = 15
START = STEP
"""When the demo starts. promtool's clock starts at 0, a time that the exporter rejects in a row."""
DEMO_REFRESH_SECONDS = 30.0
WITHIN_SECONDS = 240
SEED = 7

Values = list[str]


def _input_series(scenario: str, seconds: int) -> Iterable[dict[str, str]]:
    """What Prometheus would store of the demo, in the notation of promtool."""
    clock = Clock()
    clock.now = START
    scrapes = Scrapes(Exchange(scenario, SEED, clock), clock, SEED, DEMO_REFRESH_SECONDS)
    moments = range(START, seconds + 1, STEP)
    series: dict[str, Values] = defaultdict(list)
    for number, moment in enumerate(moments, START // STEP):
        for family in scrapes.at(moment):
            for sample in family.samples:
                if not re.match("up$|binance_", sample.name) or sample.name.endswith("_bucket"):
                    continue
                values = series[_selector(sample.name, sample.labels, scenario)]
                values += _absent(number - len(values), seen=bool(values))
                values.append(_text(sample.value))
    for selector, values in series.items():
        gone = _absent(START // STEP + len(moments) - len(values), seen=True)
        yield {"series": selector, "values": " ".join(values + gone)}


def _absent(count: int, *, seen: bool) -> Values:
    """The scrapes that lack a series: Prometheus marks the first of them as stale."""
    return (["stale"] if seen and count else ["_"] * min(count, 1)) + ["_"] * (count - 1)


def _selector(name: str, labels: Mapping[str, str], job: str) -> str:
    text = "".join(f',{label}="{value}"' for label, value in labels.items())
    return f'{name}{{job="{job}",instance="demo"{text}}}'


def _text(value: float) -> str:
    return "NaN" if math.isnan(value) else repr(float(value))


def _fired(job: str, since: int, until: int) -> str:
    return (
        "group by (alertname, severity) (max_over_time("
        f'ALERTS{{job="{job}",alertstate="firing"}}[{until - since}s]))'
    )


def _samples(alerts: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"labels": f'{{alertname="{name}",severity="{severity}"}}', "value": 1}
        for name, severity in alerts
    ]


@pytest.fixture(scope="module")
def printed(run_promtool: Promtool, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What promtool says of all scenarios in one run, each as a job of its own."""
    seconds = 2 * PERIOD_SECONDS
    asked = []
    for name, scenario in SCENARIOS.items():
        all_of_them = [(alert.name, each) for alert in scenario.alerts for each in alert.severities]
        asked.append(
            {
                "expr": _fired(name, 0, seconds),
                "eval_time": f"{seconds}s",
                "exp_samples": _samples(all_of_them),
            }
        )
        for alert in scenario.alerts:
            late = START + alert.event + WITHIN_SECONDS
            expression = _fired(name, START + alert.event, late).replace(
                "ALERTS{", f'ALERTS{{alertname="{alert.name}",'
            )
            expected = _samples((alert.name, each) for each in alert.severities)
            asked.append({"expr": expression, "eval_time": f"{late}s", "exp_samples": expected})
    document = {
        "rule_files": [str(RULES / "recording.yaml"), str(RULES / "alerts.yaml")],
        "evaluation_interval": f"{STEP}s",
        "group_eval_order": [
            "binance-asset-index",
            "binance-asset-index-slow",
            "binance-asset-index-alerts",
        ],
        "tests": [
            {
                "interval": f"{STEP}s",
                "input_series": [
                    each for name in SCENARIOS for each in _input_series(name, seconds)
                ],
                "promql_expr_test": asked,
            }
        ],
    }
    file = write(tmp_path_factory.mktemp("demo") / "scenarios.yaml", document)
    done = run_promtool("test", "rules", file)
    assert "expr:" in done.stdout + done.stderr or done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_raises_its_alerts_in_time_and_no_others(printed: str, scenario: str) -> None:
    wrong = re.findall(rf'expr: .*job=\\"{scenario}\\"[\s\S]*?got: .*', printed)
    assert wrong == []


def test_every_scenario_but_calm_is_about_an_alert() -> None:
    assert [name for name, scenario in SCENARIOS.items() if not scenario.alerts] == ["calm"]
