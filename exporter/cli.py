"""Wire the parts together as the flags say; the process runs until a signal."""

import contextlib
import logging
import os
import platform
import signal
import sys
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from exporter import __version__, files, last_resort, log, once, welcome
from exporter.auto_reload import AutoReload
from exporter.config.errors import ConfigError
from exporter.config.modules import Settings, for_demo, load_settings
from exporter.flags import Flags
from exporter.metrics.counters import register_build_info, register_demo
from exporter.service import Service
from exporter.simulator.scenarios import SCENARIOS
from exporter.web.access import Access
from exporter.web.addresses import address_of, listen
from exporter.web.app import App, Options
from exporter.web.reloader import Reloader
from exporter.web.server import Server

_log = logging.getLogger(__name__)


def run(flags: Flags) -> int:
    """Do what the flags say, SIGHUP being blocked; returns the process's exit status."""
    log.configure(flags.log_level, flags.log_format)
    if flags.config_check:
        return _check(flags)
    # until the server has its own handlers
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, last_resort.leave)
    with contextlib.ExitStack() as stack:
        try:
            if flags.copy_files:
                return _copy(flags.copy_files)
            base_url = stack.enter_context(_simulator(flags.demo)) if flags.demo else None
            registry = CollectorRegistry()
            disable_created_metrics()  # type: ignore[no-untyped-call]

            def load() -> Settings:
                settings = load_settings(flags.config_file)
                return for_demo(settings, base_url) if base_url else settings

            service = Service(load, registry)
            if flags.once:
                return once.write_page(service, sys.stdout.buffer)
            server = _server(flags, service, registry)
            sockets = listen(flags.web_listen_address)
        except (ConfigError, OSError) as error:
            _say(str(error))
            return 1
        _log_start(flags, service)
        if flags.demo:
            address = address_of(sockets[0])
            path = flags.web_telemetry_path
            page = welcome.text(flags.demo, SCENARIOS[flags.demo], server.scheme, address, path)
            print(page, flush=True)  # noqa: T201
        if flags.config_auto_reload_interval:
            watch = AutoReload(load, lambda: service.settings, service.reload)
            watch.run_every(flags.config_auto_reload_interval)
        server.run(sockets)
    return 0


def _simulator(scenario: str) -> contextlib.AbstractContextManager[str]:
    from exporter.simulator.exchange import Exchange  # noqa: PLC0415 - only a demo needs it
    from exporter.simulator.server import serve  # noqa: PLC0415

    return serve(Exchange(scenario))


def _server(flags: Flags, service: Service, registry: CollectorRegistry) -> Server:
    register_build_info(registry)
    if flags.demo:
        register_demo(registry, flags.demo)
    if not flags.web_disable_exporter_metrics:
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
    access = Access(
        flags.web_config_file,
        lambda accepted: service.config_metrics.note("web config", accepted=accepted),
    )
    options = Options(
        flags.web_telemetry_path, flags.web_max_requests, flags.timeout_offset, flags.demo
    )
    reloader = Reloader([service.reload, access.reload], access.refresh)
    return Server(App(service, registry, options, reloader.request), access, reloader)


def _log_start(flags: Flags, service: Service) -> None:
    modules = service.settings.modules
    _log.info(
        "starting",
        extra={
            "version": __version__,
            "revision": os.environ.get("EXPORTER_REVISION", "unknown"),
            "python": platform.python_version(),
            "config_file": str(flags.config_file or "none"),
            "modules": ",".join(modules),
            "base_urls": ",".join(dict.fromkeys(each.base_url for each in modules.values())),
        },
    )
    if flags.demo:
        _log.warning(
            "demo: the values come from a simulator, not from Binance",
            extra={"scenario": flags.demo},
        )


def _check(flags: Flags) -> int:
    """Read both files and report every error."""
    refused = False
    for read, file in ((load_settings, flags.config_file), (Access, flags.web_config_file)):
        try:
            read(file)
        except ConfigError as error:
            _say(str(error))
            refused = True
    if not refused:
        checked = [str(file) for file in (flags.config_file, flags.web_config_file) if file]
        print(f"{' and '.join(checked) or 'the built-in configuration'}: valid")  # noqa: T201
    return int(refused)


def _copy(folder: Path) -> int:
    for copy in files.copy_to(folder):
        print(copy)  # noqa: T201
    return 0


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201
