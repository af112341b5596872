"""The simulator by itself: `python -m exporter.simulator`."""

import argparse
import signal
import sys
import threading
from typing import NoReturn

from exporter.simulator.exchange import Exchange
from exporter.simulator.limits import WEIGHT_LIMIT
from exporter.simulator.scenarios import PERIOD_SECONDS, SCENARIOS
from exporter.simulator.server import serve


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Print one sentence, without the usage in front of it."""
        self.exit(2, f"{self.prog}: {message}\n")


def main(argv: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM.

    Returns:
        The exit status: 0, or 1 if the address cannot be listened on.
    """
    options = _parser().parse_args(argv)
    host, port = options.listen
    exchange = Exchange(
        options.scenario,
        options.seed,
        weight_limit=options.weight_limit,
        retry_after=options.retry_after,
    )
    stop = threading.Event()
    try:
        with serve(exchange, host, port) as url:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stop.set())
            sys.stdout.write(f"{url} plays {options.scenario} with seed {options.seed}\n")
            sys.stdout.flush()
            stop.wait()
    except OSError as error:
        sys.stderr.write(f"cannot listen: {error.strerror}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m exporter.simulator",
        description="Simulates the asset index of Binance USDⓈ-M futures.",
        epilog=f"scenarios, repeated after {PERIOD_SECONDS} seconds:\n"
        + "\n".join(f"  {name:16}{item.description}" for name, item in SCENARIOS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--listen",
        type=_address,
        default=("127.0.0.1", 9443),
        metavar="HOST:PORT",
        help="address to listen on (127.0.0.1:9443)",
    )
    parser.add_argument(
        "--scenario", choices=SCENARIOS, default="calm", metavar="NAME", help="what happens (calm)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the random prices (1)")
    parser.add_argument(
        "--weight-limit",
        type=_weight,
        default=WEIGHT_LIMIT,
        metavar="WEIGHT",
        help=f"request weight per minute ({WEIGHT_LIMIT}); raise it for a benchmark",
    )
    parser.add_argument(
        "--retry-after", action="store_true", help="send Retry-After with 429 and 418"
    )
    return parser


def _weight(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
    return int(text)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


if __name__ == "__main__":
    sys.exit(main())
