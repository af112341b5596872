"""The tile with the names of the alerts that fire."""

from grafana_foundation_sdk.builders import stat

from dashboards.panels import listed, tile
from dashboards.queries import largest
from dashboards.style import GREEN, NEUTRAL, NUMBER, ORANGE, RED, Query


def firing(matchers: str, evaluated: str) -> stat.Panel:
    """Critical alerts first.

    Args:
        matchers: What is selected. A label that an alert may lack must match the empty string.
        evaluated: A series that the rules record. Without the rules no alert fires either, which
            is not the same as "none".
    """

    def of(severity: str) -> str:
        return (
            f'ALERTS{{alertname=~"Binance.+", alertstate="firing", severity="{severity}",'
            f" {matchers}}}"
        )

    names = (
        f"max by (alertname, account, symbol) (\n"
        f"  label_replace(\n"
        f"    2 * {of('critical')}\n"
        f"    or\n"
        f"    {of('warning')},\n"
        f'    "alertname", "$1", "alertname", "Binance(.+)"\n'
        f"  )\n"
        f")"
    )
    none = f'label_replace(0 * count({evaluated}), "alertname", "none", "", "")'
    unknown = 'label_replace(vector(-1), "alertname", "no data", "", "")'
    query = f"{largest(6, names)}\nor on () {none}\nor on () {unknown}"
    return listed(
        tile(
            "Alerts firing",
            "The alerts that fire for this selection, critical ones first, six at most. Red:"
            " critical. Orange: warning. Alerts that only inform are left out.",
            Query(query, "{{alertname}} {{account}} {{symbol}}"),
            NUMBER,
            [(None, NEUTRAL), (0, GREEN), (1, ORANGE), (2, RED)],
        )
    )
