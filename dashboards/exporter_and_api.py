"""Multi-Assets / Exporter and API: whether the numbers can be had, and at what price."""

from dashboards import lines
from dashboards.frame import Board, Placed, Row
from dashboards.panels import latencies, only_name, tile, words
from dashboards.queries import largest, scrape
from dashboards.style import (
    BLUE,
    BYTES,
    GREEN,
    NUMBER,
    ORANGE,
    RED,
    SECONDS,
    SHARE,
    Query,
)

_INSTANCE = "{{instance}}"


def build() -> Board:
    """The dashboard."""
    return Board(
        uid="binance-multi-assets-exporter-and-api",
        title="Multi-Assets / Exporter and API",
        description="Whether the exporter runs, whether Binance answers it, and how much of the"
        " request weight is used.",
        rows=[
            Row(1, "Does the exporter run, and does Binance answer it?", _tiles()),
            Row(2, "Which requests fail, and how long do they take?", _requests()),
            Row(3, "How near is a ban?", _weight()),
            Row(4, "Does the exporter refuse rows, or grow?", _process()),
        ],
    )


def _a_minute(metric: str, label: str) -> str:
    return f"60 * sum by ({label}) (rate({scrape(metric)}[$__rate_interval]))"


def _tiles() -> list[Placed]:
    up = tile(
        "Exporter",
        "Whether Prometheus could scrape every chosen exporter.",
        Query(f"min({scrape('up')}) or vector(0)", ""),
        NUMBER,
        [(None, RED), (1, GREEN)],
    )
    index = tile(
        "Index",
        "Whether the last scrape of every chosen exporter brought the index.",
        Query(f"min({scrape('binance_asset_index_up')}) or vector(0)", ""),
        NUMBER,
        [(None, RED), (1, GREEN)],
    )
    until = scrape("binance_api_blocked_until_timestamp_seconds")
    blocked = tile(
        "Blocked for",
        "How long no request leaves, because of a 429, a ban (418), or the weight ceiling."
        " 0 s: requests leave.",
        Query(f"max(clamp_min({until} - time(), 0))", ""),
        SECONDS,
        [(None, GREEN), (1, ORANGE), (90, RED)],
    )
    rejected = tile(
        "Rows refused",
        "Rows of the last answer that the exporter refused, because a value or a symbol was no"
        " such thing. Their assets are missing everywhere. The log tells which and why.",
        Query(f"max({scrape('binance_asset_index_scrape_rejected_rows')})", ""),
        NUMBER,
        [(None, GREEN), (1, RED)],
    )
    config = tile(
        "Configuration",
        "In force: the last attempt to load the configuration file succeeded. Refused: it failed,"
        " and the exporter works on with the old one.",
        Query(f"min({scrape('binance_asset_index_exporter_config_last_reload_successful')})", ""),
        NUMBER,
        [(None, RED), (1, GREEN)],
    )
    version = tile(
        "Version",
        "The exporter's version; several where instances differ.",
        Query(
            f"max by (version) ({scrape('binance_asset_index_exporter_build_info')})",
            "{{version}}",
        ),
        NUMBER,
        [(None, BLUE)],
    )
    panels = [
        words(up, {"0": ("down", RED), "1": ("up", GREEN)}),
        words(index, {"0": ("no index", RED), "1": ("live", GREEN)}),
        blocked,
        rejected,
        words(config, {"0": ("refused", RED), "1": ("in force", GREEN)}),
        only_name(version),
    ]
    return [Placed(panel, 4, 4) for panel in panels]


def _requests() -> list[Placed]:
    requests = lines.lines(
        "Requests a minute",
        "Requests sent to Binance, by endpoint. Each scrape is one of assetIndex;"
        " exchangeInfo follows once an hour.",
        [Query(_a_minute("binance_api_requests_total", "endpoint"), "{{endpoint}}")],
        NUMBER,
    )
    failures = lines.lines(
        "Failures a minute",
        "Requests without a usable answer, by reason. All at 0: all is well.",
        [
            Query(
                largest(10, _a_minute("binance_api_request_failures_total", "reason")),
                "{{reason}}",
            )
        ],
        NUMBER,
    )
    latency = latencies(
        "Time to the last byte of an answer",
        "How many requests a minute took how long; the darker, the more. A second band above the"
        " usual one: Binance, the network, or a proxy is slow. At the top: the timeout.",
        _a_minute("binance_api_request_duration_seconds_bucket", "le"),
    )
    duration = lines.lines(
        "Scrape time",
        "How long each scrape took inside the exporter; it nears the scrape timeout when Binance"
        " does not answer.",
        [Query(scrape("binance_asset_index_scrape_duration_seconds"), _INSTANCE)],
        SECONDS,
    )
    return [
        Placed(lines.stacked(requests), 12, 8),
        Placed(lines.stacked(failures), 12, 8),
        Placed(latency, 12, 9),
        Placed(duration.min(0), 12, 9),
    ]


def _weight() -> list[Placed]:
    limit = f"max({scrape('binance_api_weight_limit')})"
    weight = lines.lines(
        "Request weight of the minute",
        "What this address has used, other programs behind it included, as Binance counts."
        " Ceiling: where the exporter stops by default (weight_ceiling_ratio 0.8). Limit: where"
        " Binance answers 429 and soon bans.",
        [
            Query(f"max by (instance) ({scrape('binance_api_used_weight')})", _INSTANCE),
            Query(f"0.8 * {limit}", "ceiling"),
            Query(limit, "limit"),
        ],
        NUMBER,
    )
    held = lines.lines(
        "Scrapes held a minute",
        "Scrapes answered without a request, to protect the address."
        " blocked: after a 429 or a ban. weight_ceiling: until the next minute.",
        [Query(_a_minute("binance_api_scrapes_held_total", "reason"), "{{reason}}")],
        NUMBER,
    )
    until = scrape("binance_api_blocked_until_timestamp_seconds")
    blocked = lines.lines(
        "Seconds until requests may leave",
        "0: now. A saw tooth of a minute: 429, or the weight ceiling. More: a ban.",
        [Query(f"clamp_min({until} - time(), 0)", _INSTANCE)],
        SECONDS,
    )
    lines.colored(weight, {"ceiling": ORANGE, "limit": RED})
    return [
        Placed(weight.min(0), 12, 9),
        Placed(lines.stacked(held), 6, 9),
        Placed(blocked.min(0), 6, 9),
    ]


def _process() -> list[Placed]:
    rejected = lines.lines(
        "Rows refused a minute",
        "Rows of an answer that were no rows, by reason. All at 0: all is well.",
        [Query(_a_minute("binance_api_rejected_rows_total", "reason"), "{{reason}}")],
        NUMBER,
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
        [Query(scrape("process_resident_memory_bytes"), _INSTANCE)],
        BYTES,
    )
    return [
        Placed(lines.stacked(rejected), 8, 8),
        Placed(cpu.min(0), 8, 8),
        Placed(memory.min(0), 8, 8),
    ]
