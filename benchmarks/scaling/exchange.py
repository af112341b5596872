"""An exchange with any number of assets: `python -m benchmarks.scaling.exchange N [margin]`.

benchmarks/upstream.py answers faster, but its prices never change: no measure for rules or a store.
"""

import signal
import sys

from exporter.simulator.assets import ASSETS, Asset, Buffers, Walk
from exporter.simulator.exchange import Exchange
from exporter.simulator.server import serve

NO_LIMIT = 1_000_000_000
_COIN = Walk(8e-5, beta=1.2)


def assets(number: int, *, margin: bool) -> tuple[Asset, ...]:
    """The simulator's own assets and further coins.

    Args:
        number: How many in all.
        margin: Whether the further ones are margin assets, or only settle COIN-M contracts.
    """
    buffers = Buffers.symmetric("0.05", "0.025") if margin else Buffers.symmetric("0")
    threshold = "0" if margin else None
    further = (
        Asset(f"C{each:04}", 0.05 * 1.01**each, _COIN, buffers, threshold)
        for each in range(number - len(ASSETS))
    )
    return (*ASSETS[:number], *further)


def main() -> None:
    """Serve it until a signal."""
    number, margin = int(sys.argv[1]), sys.argv[2:] == ["margin"]
    with serve(Exchange(assets=assets(number, margin=margin), weight_limit=NO_LIMIT)) as url:
        print(url, flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
