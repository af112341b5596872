"""One page to standard output: `--once`, for cron and node_exporter's textfile collector."""

import time
from typing import BinaryIO

from exporter.config.modules import DEFAULT_MODULE
from exporter.service import Service
from exporter.web.exposition import Renderer, Scrape
from exporter.web.negotiation import TEXT


def write_page(service: Service, output: BinaryIO) -> int:
    """Fetch once and write the page of the module `default`, as /probe would show it.

    It has none of the process's own metrics, as node_exporter refuses names that it has itself.

    Returns:
        The exit status: 0 if the fetch succeeded, else 1.
    """
    begun_at = time.monotonic()
    module = service.modules[DEFAULT_MODULE]
    settings, fetcher = module.settings, module.fetcher
    if settings.margin_assets.enabled:
        fetcher.refresh_margin_assets()  # there is no later page that could have them
    fetch = fetcher.begin(settings.symbols).wait(settings.timeout)
    scrape = Scrape(fetch, time.monotonic() - begun_at)
    output.write(Renderer().page(scrape, TEXT))
    output.flush()
    return int(fetch.error is not None)
