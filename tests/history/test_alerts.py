"""When an alert fires, as Prometheus would have it: `for`, `keep_firing_for`, gaps."""

import pytest

from exporter.history.alerts import firing, openmetrics


@pytest.mark.parametrize(
    ("rule", "moments", "expected"),
    [
        ({}, [0, 60], [0, 60]),
        ({"for": "2m"}, [0, 60, 120, 180], [120, 180]),
        ({"for": "2m"}, [0, 60], []),
        ({"for": "2m"}, [0, 60, 180, 240], []),  # a gap begins anew
        ({"keep_firing_for": "2m"}, [0], [0, 60, 120]),
        ({"for": "1m", "keep_firing_for": "2m"}, [0], []),  # nothing fired, nothing is kept
        ({"for": "1m", "keep_firing_for": "2m"}, [0, 60, 180], [60, 120, 180, 240, 300]),
        ({"for": "1m", "keep_firing_for": "1m"}, [0, 60, 300, 360], [60, 120, 360, 420]),
    ],
)
def test_it_fires_when_prometheus_would(rule, moments, expected):
    noon = 43200
    found = firing(rule, [noon + moment for moment in moments], 60)
    assert [moment - noon for moment in found] == expected


def test_it_carries_the_labels_of_the_series_and_of_the_rule():
    rule = {"alert": "Some", "labels": {"severity": "warning"}, "keep_firing_for": "5m"}
    series = {"metric": {"__name__": "x", "symbol": "BTCUSD"}, "values": [[60, "1"]]}
    assert list(openmetrics([(rule, [series])], 60, 120)) == [
        "# TYPE ALERTS gauge\n",
        *(
            'ALERTS{symbol="BTCUSD",alertname="Some",alertstate="firing",severity="warning"}'
            f" 1 {moment}\n"
            for moment in (60, 120)  # and not after the end
        ),
        "# EOF\n",
    ]
