"""The limits in the dashboards are those of the alerts."""

import math
import re

import pytest

from dashboards import limits
from docs.alert_tables import alerts

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
COMPARED = re.compile(rf"(?:[<>]=?|[=!]=)\s*(?:bool\s+)?({NUMBER})(?![\w.])")

ALL = {name: each for name, each in vars(limits).items() if isinstance(each, limits.Limits)}


def compared_with(alert, severity):
    """The numbers in the expressions of an alert, whatever the sign of a fall is."""
    return {
        abs(float(number))
        for rule in (*alerts("alerts.yaml"), *alerts("collateral.yaml"))
        if (rule["alert"], rule["labels"]["severity"]) == (alert, severity)
        for number in COMPARED.findall(rule["expr"])
    }


@pytest.mark.parametrize("limit", ALL.values(), ids=ALL)
@pytest.mark.parametrize("severity", ["warning", "critical"])
def test_a_limit_is_that_of_the_alert(limit, severity):
    value = getattr(limit, severity)
    if math.isinf(value):
        assert not compared_with(limit.alert, severity)
    else:
        assert value in compared_with(limit.alert, severity)


def test_numbers_in_an_expression_are_found():
    expr = 'abs(x{a="1"}) >= 0.003 or y == bool 0 and -z <= -1e-6 > 30'
    assert COMPARED.findall(expr) == ["0.003", "0", "-1e-6", "30"]


def test_a_line_below_zero_has_the_colour_of_its_own_limit():
    lines = limits.Limits("", 1, 2).lines_on_both_sides()
    assert lines == (
        (None, "transparent"),
        (-2, "red"),
        (-1, "orange"),
        (1, "orange"),
        (2, "red"),
    )


def test_an_alert_without_a_critical_level_has_two_colours():
    assert limits.Limits("", 1).rise() == ((None, "green"), (1, "orange"))
