"""When alerts fired, from what their expressions returned over time."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from exporter.config import duration

Rule = Mapping[str, Any]


def openmetrics(answers: Sequence[tuple[Rule, list[Any]]], step: int, end: int) -> Iterator[str]:
    """The series ALERTS with the state `firing`, as OpenMetrics text.

    Args:
        answers: Alert rules, each with the series that its expression returned.
        step: Seconds between two points of a series.
        end: The last moment.
    """
    yield "# TYPE ALERTS gauge\n"
    for rule, series in answers:
        for each in series:
            labels = {name: value for name, value in each["metric"].items() if name[0] != "_"}
            labels |= {"alertname": rule["alert"], "alertstate": "firing", **rule["labels"]}
            text = ",".join(f'{name}="{value}"' for name, value in labels.items())
            moments = firing(rule, [moment for moment, _ in each["values"]], step)
            yield from (f"ALERTS{{{text}}} 1 {moment}\n" for moment in moments if moment <= end)
    yield "# EOF\n"


def firing(rule: Rule, moments: Sequence[int], step: int) -> Iterator[int]:
    """The moments at which an alert fires.

    Args:
        rule: With `for` and `keep_firing_for`, or without.
        moments: When its expression returned this alert, in order; at least one.
        step: Seconds between two evaluations.
    """
    wait, keep = (int(duration.parse(rule.get(each, "0s"))) for each in ("for", "keep_firing_for"))
    until = 0  # when it has fired last
    for first, last in _runs(moments, step):
        begin = first if first <= until else first + wait
        if begin <= last:
            yield from range(max(begin, until + step), last + keep + 1, step)
            until = last + keep


def _runs(moments: Sequence[int], step: int) -> Iterator[tuple[int, int]]:
    """The first and the last moment of each run without a gap."""
    first = moments[0]
    for moment, following in pairwise(moments):
        if following - moment > step:
            yield first, moment
            first = following
    yield first, moments[-1]
