"""Runs the soak, prints what it saw, and ends with status 1 where a promise did not hold.

`make soak SECONDS=3600 SEED=7`.
"""

import argparse
import contextlib
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.end_to_end.conftest import Running, free_port, running, until
from tests.raw_server import raw_server
from tests.soak import few_threads
from tests.soak.clients import Clients
from tests.soak.exchange import FaultyExchange
from tests.soak.process import Holdings, holdings

_WARM_UP = 0.2  # of the whole time
_MORE_MEMORY = 1.25  # times what there was after the warm-up
# glibc keeps freed pieces in an arena for each few threads, which would hide a leak of 100 MiB
_ENVIRONMENT = ("env", "MALLOC_ARENA_MAX=1")
_COMMAND = (sys.executable, "-m", few_threads.__name__)
_MORE_THREADS = 5  # the event loop's pool keeps a few
_MORE_FILES = 16  # as many connections to the exchange are kept
_SHOWN = 20


def main() -> int:
    """Run it; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    flags = parser.parse_args()
    _say(f"soak of {flags.seconds:.0f} s, seed {flags.seed}")
    faults = soak(flags.seconds, flags.seed)
    for fault in faults[:_SHOWN]:
        _say(f"FAULT: {fault}")
    _say(f"{len(faults)} faults")
    return bool(faults)


def soak(seconds: float, seed: int, *, growth: bool = True) -> list[str]:
    """Soak for so long; returns what was wrong, where asked for with what has grown."""
    exchanges = [FaultyExchange(seed), FaultyExchange(seed + 1)]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        by_url = {stack.enter_context(raw_server(each.script)): each for each in exchanges}
        config_file = folder / "config.yaml"
        dead_url = f"http://127.0.0.1:{free_port()}"
        clients = Clients(config_file, by_url, dead_url, seed)
        clients.first_configuration()
        command = (*_ENVIRONMENT, f"{few_threads.SEED}={seed}", *_COMMAND)
        exporter = stack.enter_context(running(f"--config.file={config_file}", command=command))
        clients.start(exporter.url, exporter.process.pid)
        stack.callback(clients.stop)
        warm, peak, end = _run(clients, exporter, seconds, settle=growth)
        faults = clients.faults + _log_faults(exporter) + (_growth(warm, end) if growth else [])
    banned = sum(each.asked_while_banned for each in exchanges)
    if banned:
        faults.append(f"{banned} requests while banned")
    if exporter.process.returncode:
        faults.append(f"it ended with status {exporter.process.returncode}")
    played = sum((each.played for each in exchanges), Counter[str]())
    for label, holding in (("after the warm-up", warm), ("most", peak), ("at the end", end)):
        _say(f"{label}: {holding}")
    _say(f"the exchanges answered {played.total()} requests, {_listed(played)}")
    _say(f"the clients had {_listed(clients.done)}")
    return faults


def _run(
    clients: Clients, exporter: Running, seconds: float, *, settle: bool
) -> tuple[Holdings, Holdings, Holdings]:
    """Let the clients live; what the process held after the warm-up, at most, and at the end.

    With `settle` threads get time to end before it is read.
    """
    pid = exporter.process.pid
    seen = [holdings(pid)]

    def live(span: float) -> Holdings:
        clients.resume()
        ends = time.monotonic() + span
        while time.monotonic() < ends and exporter.process.poll() is None:
            threading.Event().wait(0.2)
            seen.append(holdings(pid))
        clients.rest()
        if settle:
            with contextlib.suppress(AssertionError):  # what is still there is reported as growth
                until(lambda: holdings(pid).threads <= seen[0].threads + _MORE_THREADS)
        return holdings(pid)

    warm = live(_WARM_UP * seconds)
    end = live((1 - _WARM_UP) * seconds)
    peak = Holdings(
        max(each.memory for each in seen),
        max(each.threads for each in seen),
        max(each.files for each in seen),
    )
    return warm, peak, end


def _growth(warm: Holdings, end: Holdings) -> list[str]:
    grown = (
        ("memory", end.memory > _MORE_MEMORY * warm.memory),
        ("threads", end.threads > warm.threads + _MORE_THREADS),
        ("open files", end.files > warm.files + _MORE_FILES),
    )
    return [f"{what} grew: {warm}, then {end}" for what, has in grown if has]


def _log_faults(exporter: Running) -> list[str]:
    lines = exporter.log
    messages = Counter(re.search(r'msg=("[^"]*"|\S+)', line)[1] for line in lines if "msg=" in line)
    _say(f"the log had {len(lines)} lines, {_listed(messages)}")
    return [
        line[:500]
        for line in lines
        if "Traceback" in line
        or not line.startswith("ts=")
        or ("level=error" in line and "configuration refused" not in line)
    ]


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.most_common())


def _say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
