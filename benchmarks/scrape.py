"""How much a scrape costs over the bare fetch behind it: `make bench`.

In one run, on one embedded exchange in a process of its own, in turns: the bare fetch with
`requests`; a scrape of this exporter; and a scrape of the plain way to write it, the same collector
behind prometheus_client's own server. Only the ratios mean anything.
"""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

BIN = Path(sys.executable).parent
ROUNDS = 300
WARM_UP = 20
ACCEPT = {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"}

PLAIN = """
import sys, time
from prometheus_client import CollectorRegistry, start_http_server
from exporter.binance.client import Client, RequestOptions
from exporter.binance.gate import Gate
from exporter.collector import AssetIndexCollector
from exporter.fetch import Fetcher
from exporter.instrumentation import ApiMetrics
from exporter.margin_assets import MarginAssets
from exporter.outage_log import OutageLog
registry, options = CollectorRegistry(), RequestOptions()
metrics, gate = ApiMetrics(registry), Gate()
gate.weight_limit = 1_000_000_000
client = Client(sys.argv[1], gate, metrics)
off = MarginAssets(client, options, None)
log = OutageLog("default")
fetcher = Fetcher(client, options, margin_assets=off, metrics=metrics, log=log)
registry.register(AssetIndexCollector(fetcher, (), 5))
server, _ = start_http_server(0, "127.0.0.1", registry)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
time.sleep(3600)
"""


@contextmanager
def process(*command: str | Path, says: str) -> Iterator[str]:
    """Run until the block ends; gives what the pattern finds in its first lines."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as p:
        assert p.stdout
        try:
            yield next(match[1] for line in p.stdout if (match := re.search(says, line)))
        finally:
            p.terminate()


def main() -> None:
    """Measure and print."""
    with ExitStack() as stack:
        exchange = stack.enter_context(
            process(
                sys.executable,
                "-m",
                "exporter.simulator",
                "--listen=127.0.0.1:0",
                "--weight-limit=1000000000",
                says=r"(http://\S+)",
            )
        )
        config = Path(stack.enter_context(_config(exchange)))
        address = stack.enter_context(
            process(
                BIN / "binance-asset-index-exporter",
                "--web.listen-address=127.0.0.1:0",
                f"--config.file={config}",
                says=r"addresses=(\S+)",
            )
        )
        plain = stack.enter_context(process(sys.executable, "-c", PLAIN, exchange, says=r"(\S+)"))
        sessions = [stack.enter_context(requests.Session()) for _ in range(3)]
        contenders: dict[str, Callable[[], object]] = {
            "bare fetch": lambda: sessions[0].get(f"{exchange}/fapi/v1/assetIndex").json(),
            "this exporter": lambda: _scrape(sessions[1], f"http://{address}"),
            "plain exporter": lambda: _scrape(sessions[2], plain),
        }
        _report(_measure(contenders))


def _scrape(session: requests.Session, url: str) -> None:
    page = session.get(f"{url}/metrics", headers=ACCEPT).text
    assert "binance_asset_index_up 1.0" in page, "a failed fetch would look fast"


@contextmanager
def _config(base_url: str) -> Iterator[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(f"modules: {{default: {{base_url: '{base_url}'}}}}\n")
        file.flush()
        yield file.name


def _measure(contenders: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds each, taken in turns so that all see the same machine."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(WARM_UP + ROUNDS):
        for name, run in contenders.items():
            begun = time.perf_counter()
            run()
            if number >= WARM_UP:
                times[name].append(time.perf_counter() - begun)
    return {name: statistics.median(each) for name, each in times.items()}


def _report(medians: dict[str, float]) -> None:
    for name, seconds in medians.items():
        ratio = seconds / medians["bare fetch"]
        print(f"{name:15} {1000 * seconds:7.2f} ms  {ratio:5.2f} x the bare fetch")


if __name__ == "__main__":
    main()
