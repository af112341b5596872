"""The exporter on a system that has no thread for one fetch in a hundred, seed in the environment.

`python -m tests.soak.few_threads FLAGS`. A limit of the system would not hold for root.
"""

import os
import random
import sys
import threading

from exporter.__main__ import main

SEED = "SOAK_SEED"
_AFFECTED = ("fetch", "late-head")
_SHARE = 0.01


def _start_rarely_fails(dice: random.Random) -> None:
    start = threading.Thread.start

    def start_or_fail(thread: threading.Thread) -> None:
        if thread.name in _AFFECTED and dice.random() < _SHARE:
            raise RuntimeError("can't start new thread")
        start(thread)

    threading.Thread.start = start_or_fail


if __name__ == "__main__":
    _start_rarely_fails(random.Random(os.environ.get(SEED, "")))
    sys.exit(main())
