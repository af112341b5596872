"""The command line's flags, their help and their errors."""

import argparse
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from exporter import __version__, log
from exporter.config.duration import parse as parse_duration
from exporter.simulator.scenarios import SCENARIOS
from exporter.welcome import scenarios

DOCS = "https://github.com/binance-asset-index-exporter/binance-asset-index-exporter/tree/main/docs"
LISTEN_ADDRESS = ":10198"
TELEMETRY_PATH = "/metrics"
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]|[^\[\]:]*):([0-9]{1,5})")

_FIXED_PATHS = (
    *("/", "/probe", "/config"),
    *("/-/healthy", "/-/ready", "/-/reload", "/-/status.css", "/-/status.js"),
)

_EXAMPLES = """examples:
  binance-asset-index-exporter
      all assets of https://fapi.binance.com on port 10198
  binance-asset-index-exporter --demo=haircut-change
      no network: a simulator in place of Binance
  binance-asset-index-exporter --config.check --config.file=config.yaml
      validate a configuration file
  binance-asset-index-exporter --once > index.prom
      one page, for cron and node_exporter's textfile collector"""


class Flags(argparse.Namespace):
    """The flags of one run."""

    config_file: Path | None
    config_check: bool
    config_auto_reload_interval: float
    web_listen_address: list[str]
    web_telemetry_path: str
    web_config_file: Path | None
    web_max_requests: int
    web_disable_exporter_metrics: bool
    timeout_offset: float
    log_level: str
    log_format: log.LogFormat
    demo: str | None
    once: bool
    healthcheck: bool
    copy_files: Path | None


def parse(argv: Sequence[str] | None = None) -> Flags:
    """Read the flags; on an error the process ends with status 2 and one line."""
    flags = _parser().parse_args(argv, namespace=Flags())
    flags.web_listen_address = flags.web_listen_address or [LISTEN_ADDRESS]
    return flags


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, without the usage of twenty flags before it."""
        self.exit(2, f"{self.prog}: {message.removeprefix('argument ')}; see --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="binance-asset-index-exporter",
        usage="%(prog)s [flags]",
        description="Prometheus exporter for the asset index of Binance USD-M futures'"
        " Multi-Assets mode.",
        epilog=f"{scenarios()}\n\n{_EXAMPLES}\n\nDocumentation: {DOCS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    _add_configuration(parser.add_argument_group("configuration"))
    _add_web(parser.add_argument_group("web"))
    _add_log(parser.add_argument_group("log, to stderr"))
    _add_demo(parser.add_argument_group("demo"))
    _add_commands(parser.add_argument_group("instead of serving"))
    return parser


def _add_configuration(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--config.file",
        dest="config_file",
        type=Path,
        metavar="FILE",
        help="configuration file; without one, all assets of Binance",
    )
    group.add_argument(
        "--config.auto-reload-interval",
        dest="config_auto_reload_interval",
        type=_duration,
        default=0.0,
        metavar="DURATION",
        help="how often to check the file and reload it if it changed; for files that"
        " change without a signal, such as a ConfigMap (default: never)",
    )
    group.add_argument(
        "--timeout-offset",
        type=_decimal_seconds,
        default=0.5,
        metavar="SECONDS",
        help="seconds to subtract from Prometheus's scrape timeout (default %(default)s)",
    )


def _add_web(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--web.listen-address",
        dest="web_listen_address",
        action="append",
        type=_listen_address,
        metavar="HOST:PORT",
        help=f"address to listen on, repeatable (default {LISTEN_ADDRESS})",
    )
    group.add_argument(
        "--web.telemetry-path",
        dest="web_telemetry_path",
        type=_path,
        default=TELEMETRY_PATH,
        metavar="PATH",
        help="path of the metrics (default %(default)s)",
    )
    group.add_argument(
        "--web.config.file",
        dest="web_config_file",
        type=Path,
        metavar="FILE",
        help="TLS, passwords and headers, in the format of Prometheus's exporter-toolkit",
    )
    group.add_argument(
        "--web.max-requests",
        dest="web_max_requests",
        type=_positive_int,
        default=512,
        metavar="N",
        help="scrapes that may run at once, to bound memory; further ones get 503"
        " (default %(default)s)",
    )
    group.add_argument(
        "--web.disable-exporter-metrics",
        dest="web_disable_exporter_metrics",
        action="store_true",
        help="do not expose process_* and python_*",
    )


def _add_log(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--log.level",
        dest="log_level",
        type=lambda text: "warning" if text == "warn" else text,
        choices=log.LEVELS,
        default="info",
        metavar="LEVEL",
        help=f"least severe level to log: {', '.join(log.LEVELS)} (default %(default)s)",
    )
    group.add_argument(
        "--log.format",
        dest="log_format",
        choices=log.FORMATS,
        default="logfmt",
        help="one line an event, as key=value pairs or as a JSON object (default %(default)s)",
    )


def _add_demo(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--demo",
        nargs="?",
        const="calm",
        choices=SCENARIOS,
        metavar="SCENARIO",
        help="use a built-in simulator in place of Binance (default scenario: calm)",
    )


def _add_commands(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--config.check",
        dest="config_check",
        action="store_true",
        help="validate the configuration files and exit (0 if valid, 1 if not)",
    )
    group.add_argument(
        "--once",
        action="store_true",
        help="write one page of the module default to stdout and exit (0 if the fetch succeeded,"
        " 1 if not)",
    )
    group.add_argument(
        "--healthcheck",
        action="store_true",
        help="ask the exporter that runs at --web.listen-address whether it is healthy and exit"
        " (0 if it is, 1 if not)",
    )
    group.add_argument(
        "--copy-files",
        dest="copy_files",
        type=Path,
        metavar="DIR",
        help="copy the rules, dashboards and example configurations into DIR and exit",
    )
    group.add_argument(
        "--version",
        action="version",
        version=f"%(prog)s {__version__} (Python {platform.python_version()})",
        help="print the version and exit",
    )
    group.add_argument("-h", "--help", action="help", help="print this text and exit")


def _listen_address(text: str) -> str:
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match[2]) >= 1 << 16:
        raise argparse.ArgumentTypeError(f"expected HOST:PORT or :PORT, got {text!r}")
    return text


def _path(text: str) -> str:
    if not re.fullmatch(r"(/[\w.~-]+)+", text) or text in _FIXED_PATHS:
        raise argparse.ArgumentTypeError(f"expected a free path such as /metrics, got {text!r}")
    return text


def _positive_int(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a number above zero, got {text!r}")
    return int(text)


def _decimal_seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", text):
        raise argparse.ArgumentTypeError(f"expected seconds such as 0.5, got {text!r}")
    return float(text)


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a duration, got {text!r}") from None
