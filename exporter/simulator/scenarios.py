"""The scenarios: what happens at the exchange, as keyframes on a timeline that repeats."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from exporter.simulator import answers
from exporter.simulator.answers import Answer

PERIOD_SECONDS = 600
"""A timeline repeats after this time, so ten minutes show all of it, whenever they begin."""


@dataclass(frozen=True)
class Keyframe:
    """The state of things from one moment of a timeline to the next; the default is calm.

    Attributes:
        price_factors: By asset. A factor moves in a straight line to that of the next keyframe.
        haircut_points: By asset, percentage points on top of each of its four buffers.
        not_margin: Assets that exchangeInfo lists as no longer available for margin.
        unlisted: Assets that neither the index nor exchangeInfo has.
        frozen: Whether the index, and with it `time`, has stopped updating.
        weight_spent: Whether other programs behind the address spend all of its weight.
        banned: Whether the address is banned until this keyframe ends.
        fault: The response to every request, instead of the data.
    """

    price_factors: Mapping[str, float] = field(default_factory=dict)
    haircut_points: Mapping[str, int] = field(default_factory=dict)
    not_margin: frozenset[str] = frozenset()
    unlisted: frozenset[str] = frozenset()
    frozen: bool = False
    weight_spent: bool = False
    banned: bool = False
    fault: Answer | None = None


@dataclass(frozen=True)
class Moment:
    """A scenario at one second.

    Attributes:
        keyframe: The active one.
        began: Its begin, in seconds since the scenario started.
        ends: The begin of the next one, likewise.
        price_factors: By asset, on the way to the next keyframe's.
    """

    keyframe: Keyframe
    began: int
    ends: int
    price_factors: Mapping[str, float]


class Script(Protocol):
    """What an exchange plays."""

    def at(self, elapsed: int) -> Moment:
        """The state of things `elapsed` seconds after the start."""


class ExpectedAlert(NamedTuple):
    """An alert that a scenario raises.

    Attributes:
        name: As in rules/alerts.yaml.
        event: The second of the event that it reports, within four minutes.
        severities: Those that fire.
    """

    name: str
    event: int
    severities: tuple[str, ...]


@dataclass(frozen=True)
class Scenario:
    """A script for the exchange.

    Attributes:
        description: One line: what happens.
        timeline: Keyframes by seconds since the start, the first at 0, in ascending order.
        events: What happens when, by seconds since the start.
        watch: What shows it: metrics and log lines.
        alerts: The alerts of rules/alerts.yaml that fire, and no others.
    """

    description: str
    timeline: Mapping[int, Keyframe]
    events: Mapping[int, str] = field(default_factory=dict)
    watch: str = ""
    alerts: tuple[ExpectedAlert, ...] = ()

    def at(self, elapsed: int) -> Moment:
        """The state of things `elapsed` seconds after the start."""
        round_began = elapsed - elapsed % PERIOD_SECONDS
        starts = list(self.timeline)
        current = max(start for start in starts if start <= elapsed - round_began)
        following = min((start for start in starts if start > current), default=PERIOD_SECONDS)
        began, ends = round_began + current, round_began + following
        before = self.timeline[current].price_factors
        after = self.timeline[following % PERIOD_SECONDS].price_factors
        progress = (elapsed - began) / (ends - began)
        return Moment(
            self.timeline[current],
            began,
            ends,
            {
                asset: before.get(asset, 1.0) * (1 - progress) + after.get(asset, 1.0) * progress
                for asset in {*before, *after}
            },
        )


CALM = Keyframe()

_DEPEGGED = Keyframe(price_factors={"USDC": 0.97, "FDUSD": 0.985})

_INFO, _WARNING, _CRITICAL = ("info",), ("warning",), ("critical",)
_BOTH = ("warning", "critical")

SCENARIOS: Mapping[str, Scenario] = {
    "calm": Scenario(
        "Prices move, and nothing else happens",
        {0: CALM},
        watch="binance_asset_index_price_usd",
    ),
    "haircut-change": Scenario(
        "BTC's four haircuts rise by five points, and fall back after eight minutes",
        {
            0: CALM,
            60: Keyframe(haircut_points={"BTC": 5}),
            540: CALM,
        },
        {
            60: "BTC's bid and ask haircuts go from 5% to 10%, those of auto-exchange from 2.5% to"
            " 7.5%",
            540: "they are back",
        },
        watch='binance_asset_index_bid_buffer_ratio{symbol="BTCUSD"}',
        alerts=(
            ExpectedAlert("BinanceHaircutIncreased", 60, _CRITICAL),
            ExpectedAlert("BinanceHaircutDecreased", 540, _INFO),
        ),
    ),
    "depeg": Scenario(
        "USDC slides to 0.97 USD and FDUSD to 0.983; they stay for two minutes and come back",
        {
            0: CALM,
            60: CALM,
            180: _DEPEGGED,
            300: _DEPEGGED,
            420: CALM,
        },
        {
            60: "USDC and FDUSD begin to slide",
            180: "USDC is at 0.97 USD, FDUSD at 0.983",
            300: "they begin to recover",
            420: "they are back",
        },
        watch='binance_asset_index_price_usd{symbol=~"USDCUSD|FDUSDUSD"}',
        alerts=(ExpectedAlert("BinanceStablecoinDepegged", 60, _BOTH),),
    ),
    "delisting": Scenario(
        "FDUSD stops counting as margin, then leaves the list, and is listed again",
        {
            0: CALM,
            60: Keyframe(not_margin=frozenset({"FDUSD"})),
            180: Keyframe(unlisted=frozenset({"FDUSD"})),
            510: CALM,
        },
        {
            60: "FDUSD no longer counts as margin",
            180: "its row leaves the index",
            510: "it is listed again, as margin",
        },
        watch='binance_asset_index_margin_available{symbol="FDUSDUSD"}',
        alerts=(
            ExpectedAlert("BinanceMarginAssetRemoved", 60, _CRITICAL),
            ExpectedAlert("BinanceMarginAssetAdded", 510, _INFO),
        ),
    ),
    "ban": Scenario(
        "Another program behind the address uses up its weight, and gets it banned two minutes on",
        {
            0: CALM,
            60: Keyframe(weight_spent=True),
            180: Keyframe(banned=True),
            300: CALM,
        },
        {
            60: "another program uses all weight: 429, and the exporter holds its requests",
            180: "418: the address is banned for two minutes",
            300: "the ban ends",
        },
        watch="binance_api_used_weight, binance_api_blocked_until_timestamp_seconds",
        alerts=(
            ExpectedAlert("BinanceApiWeightHigh", 60, _BOTH),
            ExpectedAlert("BinanceAssetIndexDown", 60, _WARNING),
            ExpectedAlert("BinanceApiBanned", 180, _CRITICAL),
        ),
    ),
    "outage": Scenario(
        "503 as JSON, 503 as HTML, connections that break, connections that hang; a minute each",
        {
            0: CALM,
            60: Keyframe(fault=answers.MAINTENANCE),
            120: Keyframe(fault=answers.OVERLOAD_PAGE),
            180: Keyframe(fault=answers.DROPPED),
            240: Keyframe(fault=answers.HANGING),
            300: CALM,
        },
        {
            60: "503, under maintenance",
            120: "503 of the content network, as HTML",
            180: "connections break",
            240: "connections hang",
            300: "Binance responds again",
        },
        watch="binance_asset_index_up, binance_api_request_failures_total",
        alerts=(ExpectedAlert("BinanceAssetIndexDown", 60, _WARNING),),
    ),
    "frozen": Scenario(
        "The index stops updating for four minutes: 200, an old time, the same prices",
        {
            0: CALM,
            60: Keyframe(frozen=True),
            300: CALM,
        },
        {60: "time and prices stop", 300: "they move again"},
        watch="time() - binance_asset_index_update_timestamp_seconds",
        alerts=(ExpectedAlert("BinanceAssetIndexStale", 60, _BOTH),),
    ),
}
