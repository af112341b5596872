"""The scenarios: what befalls the exchange, as keyframes on a timeline that starts anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from exporter.simulator import answers
from exporter.simulator.answers import Answer

PERIOD_SECONDS = 600
"""After so long a timeline starts anew, so that whoever looks for ten minutes sees all of it."""


@dataclass(frozen=True)
class Keyframe:
    """The state of things from one moment of a timeline to the next; the default is calm.

    Attributes:
        price_factors: By asset. A factor moves in a straight line to that of the next keyframe.
        haircut_points: By asset, percentage points on top of each of its four buffers.
        not_margin: Assets that exchangeInfo tells as no longer available for margin.
        unlisted: Assets that neither the index nor exchangeInfo has.
        frozen: Whether the index stands still, and with it `time`.
        weight_spent: Whether other programs behind the address spend all of its weight.
        banned: Whether the address is banned until this keyframe ends.
        fault: What every request gets in place of its answer.
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
        keyframe: The one in force.
        began: When it came into force, in seconds since the scenario started.
        ends: When the next one does, likewise.
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


@dataclass(frozen=True)
class Scenario:
    """A script for the exchange.

    Attributes:
        description: One line for people.
        timeline: Keyframes by seconds since the start, the first at 0, in ascending order.
    """

    description: str
    timeline: Mapping[int, Keyframe]

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

SCENARIOS: Mapping[str, Scenario] = {
    "calm": Scenario(
        "Prices move, and nothing else happens",
        {0: CALM},
    ),
    "haircut-change": Scenario(
        "BTC's four haircuts rise by five points, four minutes later ETH's fall by two",
        {
            0: CALM,
            60: Keyframe(haircut_points={"BTC": 5}),
            300: Keyframe(haircut_points={"BTC": 5, "ETH": -2}),
            540: CALM,
        },
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
    ),
    "delisting": Scenario(
        "FDUSD ceases to be margin, then leaves the list; later RWUSD joins it",
        {
            0: Keyframe(unlisted=frozenset({"RWUSD"})),
            60: Keyframe(unlisted=frozenset({"RWUSD"}), not_margin=frozenset({"FDUSD"})),
            180: Keyframe(unlisted=frozenset({"RWUSD", "FDUSD"})),
            300: Keyframe(unlisted=frozenset({"FDUSD"})),
        },
    ),
    "ban": Scenario(
        "Another program behind the address spends its weight, and gets it banned two minutes on",
        {
            0: CALM,
            60: Keyframe(weight_spent=True),
            180: Keyframe(banned=True),
            300: CALM,
        },
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
    ),
    "frozen": Scenario(
        "The index stands still for four minutes: 200, an old time, the same prices",
        {
            0: CALM,
            60: Keyframe(frozen=True),
            300: CALM,
        },
    ),
}
