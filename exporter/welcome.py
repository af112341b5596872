"""What a demo prints when it starts, and what `--help` says about its scenarios."""

from collections.abc import Iterator

from exporter.simulator.scenarios import PERIOD_SECONDS, SCENARIOS, Scenario

_PROMETHEUS_DEFAULT_PATH = "/metrics"
_ANY_HOST = ("[::]", "0.0.0.0")  # noqa: S104 - to print them, not to listen there


def text(name: str, scenario: Scenario, scheme: str, address: str, telemetry_path: str) -> str:
    """Return the text.

    Args:
        name: Of the scenario.
        scenario: What it plays.
        scheme: `http` or `https`.
        address: Where the exporter listens, as `host:port`.
        telemetry_path: Path of the metrics.
    """
    lines = [
        f"Demo:        {name}, a simulator in place of Binance",
        *_details(scenario, indent=" " * 15),
        *_addresses(scheme, address, telemetry_path),
    ]
    return "\n".join(lines)


def scenarios() -> str:
    """Return what `--help` says about every scenario."""
    lines = ["scenarios of --demo, with minutes since the start:"]
    for name, scenario in SCENARIOS.items():
        lines += [f"  {name:16}{scenario.description}", *_details(scenario, indent=" " * 18)]
    return "\n".join(lines)


def _details(scenario: Scenario, indent: str) -> Iterator[str]:
    """Yield lines that say what happens when, which metric shows it, and which alerts fire."""
    for moment, event in scenario.events.items():
        yield f"{indent}{moment // 60}:{moment % 60:02}  {event}"
    if scenario.events:
        yield f"{indent}{PERIOD_SECONDS // 60}:00  it starts again"
    yield f"{indent}watch {scenario.watch}"
    if scenario.alerts:
        alerts = (f"{alert.name} ({', '.join(alert.severities)})" for alert in scenario.alerts)
        yield f"{indent}alerts: {', '.join(alerts)}"


def _addresses(scheme: str, address: str, telemetry_path: str) -> Iterator[str]:
    host, _, port = address.rpartition(":")
    target = f"{'localhost' if host in _ANY_HOST else host}:{port}"
    yield f"Status page: {scheme}://{target}/"
    yield f"Metrics:     {scheme}://{target}{telemetry_path}"
    yield "Prometheus:  scrape_configs:"
    yield "               - job_name: binance_asset_index"
    if telemetry_path != _PROMETHEUS_DEFAULT_PATH:
        yield f"                 metrics_path: {telemetry_path}"
    if scheme != "http":
        yield f"                 scheme: {scheme}"
    yield f'                 static_configs: [{{targets: ["{target}"]}}]'
