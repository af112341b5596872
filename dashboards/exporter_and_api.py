"""Multi-Assets / Exporter and API: whether the exporter runs, and whether Binance answers it."""

from dashboards import lines
from dashboards.frame import Board, Placed, Row
from dashboards.limits import FAILING, WEIGHT
from dashboards.panels import latencies, only_name, tile, words
from dashboards.queries import indented, largest, scrape
from dashboards.reasons import ENDPOINTS, HELD, REASONS, REFUSED
from dashboards.style import (
    BLUE,
    BYTES,
    GREEN,
    NUMBER,
    ORANGE,
    PLAIN_SECONDS,
    RED,
    SECONDS,
    SHARE,
    Query,
)
from dashboards.tables import Column, by_instance
from dashboards.variables import targets

_INSTANCE = "{{instance}}"

_LIVE = {"0": ("no index", RED), "1": ("live", GREEN)}
_UP = {"0": ("down", RED), "1": ("up", GREEN)}
_LOADED = {"0": ("refused", RED), "1": ("loaded", GREEN)}

_UNTIL = scrape("binance_api_blocked_until_timestamp_seconds")
_BLOCKED = f"clamp_min({_UNTIL} - time(), 0)"
_BLOCKED_STEPS = ((None, GREEN), (1, ORANGE), (90, RED))
"""Longer than the minute that a 429 takes: a ban."""

_WEIGHT = "instance:binance_api_used_weight:ratio"
_FAILING = "endpoint:binance_api_request_failures:ratio15m"
_REJECTED = scrape("binance_asset_index_scrape_rejected_rows")
_BUILD = scrape("binance_asset_index_exporter_build_info")
_CONFIG = scrape("binance_asset_index_exporter_config_last_reload_successful")
_DURATION = scrape("binance_asset_index_scrape_duration_seconds")
_MEMORY = scrape("process_resident_memory_bytes")


def build() -> Board:
    """The dashboard."""
    return Board(
        uid="binance-multi-assets-exporter-and-api",
        title="Multi-Assets / Exporter and API",
        description="Whether the exporter runs, whether Binance answers it, and how much of the"
        " request weight is used.",
        variables=targets(),
        rows=[
            Row(1, "Does the exporter run, and does Binance answer it?", [*_tiles(), _instances()]),
            Row(2, "Which requests fail, and how long do they take?", _requests()),
            Row(3, "How near is a ban?", _weight()),
            Row(4, "Does the exporter refuse rows, or grow?", _process()),
        ],
    )


def _a_minute(metric: str, label: str) -> str:
    return f"60 * sum by ({label}) (rate({scrape(metric)}[$__rate_interval]))"


def _by_instance(expr: str, how: str = "max") -> str:
    return f"{how} by (instance) (\n{indented(expr)}\n)"


def _tiles() -> list[Placed]:
    up = tile(
        "Exporter",
        "Whether Prometheus could scrape every selected exporter.",
        Query(f"min({scrape('up')}) or vector(0)", ""),
        NUMBER,
        [(None, RED), (1, GREEN)],
    )
    index = tile(
        "Index",
        "Whether the last scrape of every selected exporter returned the index.",
        Query(f"min({scrape('binance_asset_index_up')}) or vector(0)", ""),
        NUMBER,
        [(None, RED), (1, GREEN)],
    )
    blocked = tile(
        "Blocked for",
        "How long the exporter sends no requests, because of a 429, a ban (418), or the weight"
        " ceiling. 0 s: requests are sent.",
        Query(f"max({_BLOCKED})", ""),
        SECONDS,
        _BLOCKED_STEPS,
    )
    rejected = tile(
        "Rows refused",
        "Rows of the last answer that the exporter refused because of an invalid symbol or value."
        " Their assets are missing everywhere. The log names them.",
        Query(f"max({_REJECTED})", ""),
        NUMBER,
        [(None, GREEN), (1, RED)],
    )
    config = tile(
        "Configuration",
        "Loaded: the last attempt to load the configuration file succeeded. Refused: it failed, and"
        " the old configuration stays active.",
        Query(f"min({_CONFIG})", ""),
        NUMBER,
        [(None, RED), (1, GREEN)],
    )
    version = tile(
        "Version",
        "The exporter's version; several if instances differ.",
        Query(f"max by (version) ({_BUILD})", "{{version}}"),
        NUMBER,
        [(None, BLUE)],
    )
    panels = [
        words(up, _UP),
        words(index, _LIVE),
        blocked,
        rejected,
        words(config, _LOADED),
        only_name(version),
    ]
    return [Placed(panel, 4, 4) for panel in panels]


def _instances() -> Placed:
    columns = [
        Column("Exporter", _by_instance(scrape("up"), "min"), words=_UP),
        Column("Index", _by_instance(scrape("binance_asset_index_up"), "min"), words=_LIVE),
        Column("Weight used", _by_instance(scrape(_WEIGHT)), SHARE, WEIGHT.rise()),
        Column("Blocked for", _by_instance(_BLOCKED), SECONDS, _BLOCKED_STEPS),
        Column("Failed, 15 min", _by_instance(scrape(_FAILING)), SHARE, FAILING.rise()),
        Column("Rows refused", _by_instance(_REJECTED), steps=((None, GREEN), (1, RED))),
        Column("Scrape time", _by_instance(_DURATION), SECONDS),
        Column("Memory", _by_instance(_MEMORY), BYTES),
        Column("Configuration", _by_instance(_CONFIG, "min"), words=_LOADED),
        Column("Version", f"max by (instance, version) ({_BUILD})", label="version"),
    ]
    table = by_instance(
        "Instances",
        "The same for each exporter. Weight used: of the limit of one minute. Failed, 15 min: the"
        " share of requests to one endpoint that failed, the worse of the two.",
        columns,
    )
    return Placed(table, 24, 5)


def _requests() -> list[Placed]:
    requests = lines.counts(
        "Requests a minute",
        "Requests sent to Binance, by endpoint. Each scrape sends one to assetIndex; exchangeInfo"
        " follows in the background, every 10 minutes by default.",
        Query(_a_minute("binance_api_requests_total", "endpoint"), "{{endpoint}}"),
        NUMBER,
        ENDPOINTS,
    )
    failures = lines.counts(
        "Failures a minute",
        "Requests without a usable answer, by reason, the largest first. All at 0: no problem.",
        Query(largest(11, _a_minute("binance_api_request_failures_total", "reason")), "{{reason}}"),
        NUMBER,
        REASONS,
    )
    for panel in (requests, failures):
        lines.beside(panel, ["max", "lastNotNull"], "Max")
    latency = latencies(
        "Time to the last byte of an answer",
        "How many requests a minute took how long. The further right on the colour scale, the more."
        " A second band above the usual one: Binance, the network, or a proxy is slow. At the top:"
        " the timeout.",
        _a_minute("binance_api_request_duration_seconds_bucket", "le"),
    )
    duration = lines.lines(
        "Scrape time",
        "How long each scrape took inside the exporter. If Binance does not answer, it comes near"
        " the scrape timeout.",
        [Query(_DURATION, _INSTANCE)],
        SECONDS,
    )
    return [
        Placed(requests, 12, 10),
        Placed(failures, 12, 10),
        Placed(latency, 12, 9),
        Placed(duration.min(0), 12, 9),
    ]


def _weight() -> list[Placed]:
    limit = f"max({scrape('binance_api_weight_limit')})"
    weight = lines.lines(
        "Request weight of the minute",
        "What this address has used, other programs behind it included, as Binance counts. Ceiling:"
        " the exporter stops here by default (weight_ceiling_ratio 0.8). Limit: Binance answers"
        " with 429 and soon bans.",
        [
            Query(_by_instance(scrape("binance_api_used_weight")), _INSTANCE),
            Query(f"0.8 * {limit}", "ceiling"),
            Query(limit, "limit"),
        ],
        NUMBER,
    )
    lines.colored(weight, {"ceiling": ORANGE, "limit": RED})
    lines.dashed(weight, "ceiling", "limit")
    held = lines.counts(
        "Scrapes held a minute",
        "Scrapes answered without a request, to protect the address. blocked: after a 429 or a ban."
        " weight_ceiling: until the next minute.",
        Query(_a_minute("binance_api_scrapes_held_total", "reason"), "{{reason}}"),
        NUMBER,
        HELD,
    )
    blocked = lines.lines(
        "Seconds until requests are sent again",
        "0: requests are sent. A saw tooth of a minute: a 429, or the weight ceiling. More: a ban.",
        [Query(_BLOCKED, _INSTANCE)],
        PLAIN_SECONDS,
    )
    return [
        Placed(weight.min(0), 10, 9),
        Placed(held, 7, 9),
        Placed(blocked.min(0).decimals(0), 7, 9),
    ]


def _process() -> list[Placed]:
    rejected = lines.counts(
        "Rows refused a minute",
        "Rows of an answer that were invalid, by reason. All at 0: no problem.",
        Query(_a_minute("binance_api_rejected_rows_total", "reason"), "{{reason}}"),
        NUMBER,
        REFUSED,
    )
    cpu = lines.lines(
        "CPU",
        "Share of one core that the exporter uses.",
        [Query(f"rate({scrape('process_cpu_seconds_total')}[$__rate_interval])", _INSTANCE)],
        SHARE,
    )
    memory = lines.lines(
        "Memory",
        "Resident memory. It should be a flat line.",
        [Query(_MEMORY, _INSTANCE)],
        BYTES,
    )
    return [
        Placed(rejected, 8, 9),
        Placed(cpu.min(0).axis_soft_max(0.01), 8, 9),
        Placed(memory.min(0), 8, 9),
    ]
