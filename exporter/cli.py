"""Flags: they wire the parts together, and the process runs until a signal."""

import argparse
import contextlib
import platform
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from exporter import __version__, log
from exporter.config.errors import ConfigError
from exporter.config.modules import Settings, load_settings, with_base_url
from exporter.metrics.counters import register_build_info
from exporter.service import Service
from exporter.simulator import SCENARIOS, Exchange, serve
from exporter.web.access import Access
from exporter.web.addresses import address_of, listen
from exporter.web.app import App, Options
from exporter.web.server import Server

_LISTEN_ADDRESS = ":10198"
_TELEMETRY_PATH = "/metrics"
_ANY_HOST = ("[::]", "0.0.0.0")  # noqa: S104 - to tell them, not to listen there
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]|[^\[\]:]*):([0-9]{1,5})")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the exporter, SIGHUP being blocked; returns the process's exit status."""
    flags = _parser().parse_args(argv)
    log.configure(flags.log_level, flags.log_format)
    if flags.config_check:
        return _check(flags)
    # until the server has its own handlers
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as stack:
        base_url = stack.enter_context(serve(Exchange(scenario=flags.demo))) if flags.demo else None
        try:
            server = _build(flags, base_url)
            sockets = listen(flags.web_listen_address or [_LISTEN_ADDRESS])
        except (ConfigError, OSError) as error:
            _say(str(error))
            return 1
        if flags.demo:
            page = _welcome(server.scheme, address_of(sockets[0]), flags.web_telemetry_path)
            print(page, flush=True)  # noqa: T201
        server.run(sockets)
    return 0


def _build(flags: argparse.Namespace, base_url: str | None) -> Server:
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    register_build_info(registry)
    if not flags.web_disable_exporter_metrics:
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

    def load() -> Settings:
        settings = load_settings(flags.config_file)
        return with_base_url(settings, base_url) if base_url else settings

    service = Service(load, registry)
    access = Access(flags.web_config_file)
    options = Options(flags.web_telemetry_path, flags.web_max_requests, flags.timeout_offset)
    return Server(App(service, registry, options), access, service.reload)


def _check(flags: argparse.Namespace) -> int:
    """Read both files and report every fault."""
    refused = False
    for read, file in ((load_settings, flags.config_file), (Access, flags.web_config_file)):
        try:
            read(file)
        except ConfigError as error:
            _say(str(error))
            refused = True
    if not refused:
        files = [str(file) for file in (flags.config_file, flags.web_config_file) if file]
        print(f"{' and '.join(files) or 'the built-in configuration'}: all is well")  # noqa: T201
    return int(refused)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201


def _welcome(scheme: str, address: str, telemetry_path: str) -> str:
    host, _, port = address.rpartition(":")
    target = f"{'localhost' if host in _ANY_HOST else host}:{port}"
    job = f'static_configs: [{{targets: ["{target}"]}}]'
    if scheme != "http":
        job = f"scheme: {scheme}\n                 {job}"
    if telemetry_path != _TELEMETRY_PATH:
        job = f"metrics_path: {telemetry_path}\n                 {job}"
    return (
        f"Status page: {scheme}://{target}/\n"
        f"Metrics:     {scheme}://{target}{telemetry_path}\n"
        "Prometheus:  scrape_configs:\n"
        "               - job_name: binance_asset_index\n"
        f"                 {job}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="binance-asset-index-exporter",
        description="Prometheus exporter for the asset index of Binance USDⓈ-M futures'"
        " Multi-Assets mode.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--config.file", dest="config_file", type=Path, metavar="FILE", help="configuration file")
    add(
        "--config.check",
        dest="config_check",
        action="store_true",
        help="read both files, report every fault, and exit with 0 or 1",
    )
    add(
        "--web.listen-address",
        dest="web_listen_address",
        action="append",
        type=_listen_address,
        metavar="HOST:PORT",
        help=f"address to listen on, repeatable (default {_LISTEN_ADDRESS})",
    )
    add(
        "--web.telemetry-path",
        dest="web_telemetry_path",
        type=_path,
        default=_TELEMETRY_PATH,
        metavar="PATH",
        help="path of the metrics (default %(default)s)",
    )
    add(
        "--web.config.file",
        dest="web_config_file",
        type=Path,
        metavar="FILE",
        help="TLS, passwords and headers, in the format of Prometheus's exporter-toolkit",
    )
    add(
        "--web.max-requests",
        dest="web_max_requests",
        type=_positive_int,
        default=40,
        metavar="N",
        help="scrapes that may run at once; further ones get 503 (default %(default)s)",
    )
    add(
        "--web.disable-exporter-metrics",
        dest="web_disable_exporter_metrics",
        action="store_true",
        help="leave out process_* and python_*",
    )
    add(
        "--timeout-offset",
        type=_seconds,
        default=0.5,
        metavar="SECONDS",
        help="how much earlier than Prometheus's scrape timeout to end (default %(default)s)",
    )
    add("--log.level", dest="log_level", choices=log.LEVELS, default="info")
    add("--log.format", dest="log_format", choices=log.FORMATS, default="logfmt")
    add(
        "--demo",
        nargs="?",
        const="calm",
        choices=sorted(SCENARIOS),
        metavar="SCENARIO",
        help="ask the embedded exchange instead of the real one: " + ", ".join(sorted(SCENARIOS)),
    )
    add(
        "--version",
        action="version",
        version=f"%(prog)s {__version__} (Python {platform.python_version()})",
    )
    return parser


def _listen_address(text: str) -> str:
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match[2]) > 65535:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"expected HOST:PORT or :PORT, got {text!r}")
    return text


_FIXED_PATHS = ("/", "/probe", "/config", "/-/healthy", "/-/ready", "/-/reload")


def _path(text: str) -> str:
    if not re.fullmatch(r"(/[\w.~-]+)+", text) or text in _FIXED_PATHS:
        raise argparse.ArgumentTypeError(f"expected a free path such as /metrics, got {text!r}")
    return text


def _positive_int(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a number above zero, got {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", text):
        raise argparse.ArgumentTypeError(f"expected seconds such as 0.5, got {text!r}")
    return float(text)
