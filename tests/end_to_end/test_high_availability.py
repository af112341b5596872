"""Two of each, exporters, Prometheis and Alertmanagers: some die, and nothing is lost or doubled.

They have the files of deploy/high-availability/.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.simulator.exchange import Exchange
from exporter.simulator.scenarios import Keyframe, Moment
from exporter.simulator.server import serve
from tests.end_to_end.conftest import Message, module, receiving, until
from tests.end_to_end.monitoring import (
    FASTER,
    LONG,
    ROOT,
    RULES,
    Server,
    Tool,
    address,
    alertmanager_at,
    alertmanager_configuration,
    all_running,
    ask,
    exporter_at,
    faster,
    prometheus_at,
    write,
    write_faster,
)

PAIR = ROOT / "deploy" / "high-availability"
HAIRCUT = "symbol_buffer:binance_asset_index_haircut:ratio"
MARGIN_ASSET = "symbol:binance_asset_index_margin_asset:bool"
EVALUATIONS = "test_evaluations"
"""A series of the test's own, recorded with each evaluation of the rules."""

KNOWN = (
    f"last_over_time({HAIRCUT}[1h] offset {faster('75s')})"
    " and on () count(binance_asset_index_up == 1) == 2"
    " and on () count(count by (instance) (binance_asset_index_margin_available)) == 2"
)
"""Both replicas are scraped, and there is a haircut to compare with."""

Labels = dict[str, str]


class Haircuts:
    """A script for the exchange, in which haircuts rise when the test says so."""

    def __init__(self) -> None:
        self._points: dict[str, int] = {}

    def at(self, elapsed: int) -> Moment:
        return Moment(Keyframe(haircut_points=self._points), 0, elapsed + 1, {})

    def rise(self, asset: str) -> None:
        self._points = {**self._points, asset: 5}


class Pairs:
    """Two of each, with the files of deploy/, but faster.

    Attributes:
        exporters: They use little weight, so that `BinanceApiWeightHigh` has no reason to fire.
        prometheis: The first one is never killed.
        alertmanagers: One cluster.
    """

    def __init__(self, tool: Tool, folder: Path, base_url: str, hook: str) -> None:
        self._addresses = {
            f"{program}-{replica}.example:{port}": address()
            for program, port in (("exporter", 10198), ("prometheus", 9090), ("alertmanager", 9093))
            for replica in "ab"
        }
        self._write_rules(folder)
        settings = module(base_url, margin_assets={"enabled": True}, min_interval="1900ms")
        config = write(folder / "config.yaml", {"modules": {"default": settings}})
        self.exporters = [exporter_at(each, config) for each in self._of("exporter")]
        self.prometheis = [
            prometheus_at(each, tool, folder / replica, self._prometheus(replica))
            for replica, each in zip("ab", self._of("prometheus"), strict=True)
        ]
        cluster = [address(), address()]
        self.alertmanagers = [
            alertmanager_at(
                each,
                tool,
                folder / f"alertmanager-{own}",
                alertmanager_configuration(hook),
                f"--cluster.listen-address={own}",
                f"--cluster.peer={peer}",
                "--cluster.gossip-interval=50ms",  # for a quick start
                "--cluster.peer-timeout=5s",
            )
            for each, own, peer in zip(
                self._of("alertmanager"), cluster, reversed(cluster), strict=True
            )
        ]

    @property
    def all(self) -> list[Server]:
        return [*self.exporters, *self.alertmanagers, *self.prometheis]

    def _of(self, program: str) -> list[str]:
        return [own for name, own in self._addresses.items() if name.startswith(program)]

    def _write_rules(self, folder: Path) -> None:
        write_faster(folder, *RULES, PAIR / "monitoring.yaml")
        recording = yaml.safe_load((folder / "recording.yaml").read_text())
        rule = {"record": EVALUATIONS, "expr": "vector(1)"}
        recording["groups"][0]["rules"].insert(0, rule)
        write(folder / "recording.yaml", recording)

    def _prometheus(self, replica: str) -> dict[str, Any]:
        text = (PAIR / "prometheus.yml").read_text()
        for name, own in self._addresses.items():
            assert name in text
            text = text.replace(name, own)
        document: dict[str, Any] = faster(yaml.safe_load(text))
        if FASTER > 1:
            document["global"]["scrape_timeout"] = document["global"]["scrape_interval"]
        document["global"]["external_labels"]["replica"] = replica
        document["rule_files"] = [f"../{Path(file).name}" for file in document["rule_files"]]
        return document


@dataclass
class Story:
    """What was reported and recorded while parts died.

    Attributes:
        messages: All of them.
        dead: The addresses that were killed, by program.
        fired: Of each Prometheus, the alerts and their severities.
        recorded: How often each series was recorded, by the Prometheus that lived.
        evaluations: How often it evaluated the rules.
        changed: How often the haircut of a symbol changed there.
    """

    messages: list[Message] = field(default_factory=list)
    dead: dict[str, str] = field(default_factory=dict)
    fired: list[set[tuple[str, str]]] = field(default_factory=list)
    recorded: list[int] = field(default_factory=list)
    evaluations: int = 0
    changed: dict[str, int] = field(default_factory=dict)

    def reported(self, name: str, status: str = "firing") -> list[Labels]:
        """The labels of these alerts, once for each message that has them."""
        return [
            alert["labels"]
            for message in self.messages
            for alert in message.alerts
            if (alert["labels"]["alertname"], alert["status"]) == (name, status)
        ]

    def read(self, prometheis: list[Server], seconds: int) -> None:
        """Ask them what happened in the past seconds."""
        for prometheus in prometheis:
            firing = f'max_over_time(ALERTS{{alertstate="firing"}}[{seconds}s])'
            alerts = [each["metric"] for each in ask(prometheus.url, firing)]
            self.fired.append({(each["alertname"], each["severity"]) for each in alerts})

        def count(function: str, series: str) -> list[tuple[Labels, int]]:
            result = ask(prometheis[0].url, f"{function}({series}[{seconds}s])")
            return [(each["metric"], int(each["value"][1])) for each in result]

        ((_, self.evaluations),) = count("count_over_time", EVALUATIONS)
        for name in (HAIRCUT, MARGIN_ASSET):
            self.recorded += [times for _, times in count("count_over_time", name)]
        bids = count("changes", f'{HAIRCUT}{{buffer="bid"}}')
        self.changed = {labels["symbol"]: times for labels, times in bids}


@pytest.fixture(scope="module")
def story(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A haircut rises four times: while all live, and while one of each kind is dead."""
    haircuts, story = Haircuts(), Story()
    with receiving() as (hook, messages), serve(Exchange(haircuts)) as base_url:
        pairs = Pairs(tool, tmp_path_factory.mktemp("pairs"), base_url, hook)
        exporter, prometheus, alertmanager = (
            pairs.exporters[0],
            pairs.prometheis[1],
            pairs.alertmanagers[0],
        )
        story.dead = {
            "exporter": exporter.address,
            "prometheus": prometheus.address,
            "alertmanager": alertmanager.address,
        }

        def wait_for(name: str, status: str = "firing", **labels: str) -> None:
            while not any(labels.items() <= each.items() for each in story.reported(name, status)):
                story.messages.append(messages.get(timeout=LONG))

        def wait_for_rise(asset: str) -> None:
            haircuts.rise(asset)
            wait_for("BinanceHaircutIncreased", symbol=f"{asset}USD")

        with all_running(*pairs.all):
            for each in pairs.prometheis:
                until(lambda url=each.url: ask(url, KNOWN), LONG)
            began = time.time() - 45 / FASTER  # known since 75 of them
            wait_for_rise("BTC")

            exporter.kill()
            wait_for_rise("ETH")
            wait_for("BinanceAssetIndexDown", instance=exporter.address)

            exporter.start()
            prometheus.kill()
            # meanwhile one Alertmanager has told the other what it has sent
            until(lambda: ask(pairs.prometheis[0].url, 'up{job="prometheus"} == 0'))
            alertmanager.kill()
            wait_for_rise("BNB")
            wait_for("BinanceMonitoringDown", instance=prometheus.address)
            wait_for("BinanceMonitoringDown", instance=alertmanager.address)

            prometheus.start()
            until(lambda: ask(prometheus.url, 'ALERTS{symbol="BNBUSD",alertstate="firing"}'), LONG)
            wait_for_rise("USDC")
            # what would be reported twice has been reported by then
            wait_for("BinanceMonitoringDown", "resolved", instance=prometheus.address)
            wait_for("BinanceAssetIndexDown", "resolved", instance=exporter.address)
            story.read(pairs.prometheis, round(time.time() - began))
        while not messages.empty():
            story.messages.append(messages.get())
    return story


def test_each_change_is_reported_once_whoever_is_dead(story: Story) -> None:
    symbols = [labels["symbol"] for labels in story.reported("BinanceHaircutIncreased")]
    assert symbols == ["BTCUSD", "ETHUSD", "BNBUSD", "USDCUSD"]


def test_a_change_stays_reported_although_a_prometheus_was_restarted(story: Story) -> None:
    assert story.reported("BinanceHaircutIncreased", "resolved") == []


def test_a_dead_exporter_is_reported_once_by_its_name_and_wakes_nobody(story: Story) -> None:
    (labels,) = story.reported("BinanceAssetIndexDown")
    assert (labels["instance"], labels["severity"]) == (story.dead["exporter"], "warning")


@pytest.mark.parametrize("program", ["prometheus", "alertmanager"])
def test_a_dead_prometheus_or_alertmanager_is_reported_once_by_the_other(
    story: Story, program: str
) -> None:
    reported = [
        each["instance"]
        for each in story.reported("BinanceMonitoringDown")
        if each["job"] == program
    ]
    assert reported == [story.dead[program]]


def test_nothing_else_fires(story: Story) -> None:
    expected = {
        ("BinanceHaircutIncreased", "critical"),
        ("BinanceAssetIndexDown", "warning"),
        ("BinanceMonitoringDown", "warning"),
        ("Watchdog", "none"),
    }
    assert set.union(*story.fired) == expected


def test_recorded_series_have_no_gap(story: Story) -> None:
    assert story.evaluations > 0
    assert set(story.recorded) == {story.evaluations}


def test_a_haircut_changes_only_if_it_changes_at_the_exchange(story: Story) -> None:
    changed = {symbol: times for symbol, times in story.changed.items() if times}
    assert changed == {"BTCUSD": 1, "ETHUSD": 1, "BNBUSD": 1, "USDCUSD": 1}


def test_the_watchdog_is_sent_to_its_own_receiver(story: Story) -> None:
    assert {m.path for m in story.messages if m.alerts[0]["labels"]["alertname"] == "Watchdog"} == {
        "watchdog"
    }
