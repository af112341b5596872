"""Those who use the exporter during the soak, each at random and for itself."""

import contextlib
import json
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.soak.exchange import FaultyExchange
from tests.soak.page import faults_of, is_up

SYMBOLS = ["BTCUSD", "ETHUSD", "BNBUSD", "USDTUSD", "USDCUSD", "SOLUSD", "NOSUCHUSD"]
MODULES = ("default", "few", "ten", "other", "dead", "capped")

_TIMEOUT = 4.0
"""Seconds a scraper waits, as it says to the exporter; no page may come later."""

_HASTY_TIMEOUT = 0.7
"""Seconds that a client says it waits, half a second of which the exporter keeps for itself."""

_ACCEPTS = (
    "*/*",
    "text/plain;version=0.0.4",
    "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.4",
    "application/openmetrics-text;version=9",
    ";;q=,",
)
_PATHS = ("/config", "/-/healthy", "/-/ready", "/nope", "/probe?module=nope", "/probe?symbol=x")

_BAD_FILES = ("modules: [no", "", "modules:", "null", "{modules: {default: }}")


class Clients:
    """All of them, on one exporter.

    Args:
        config_file: what the exporter reads.
        exchanges: by URL, the two whose values the pages may have.
        dead_url: where nobody answers.
        seed: of everything they do.

    Attributes:
        done: how often they did what.
        faults: what was wrong with what they got.
    """

    def __init__(
        self, config_file: Path, exchanges: dict[str, FaultyExchange], dead_url: str, seed: int
    ) -> None:
        self.done: Counter[str] = Counter()
        self.faults: list[str] = []
        self._url = ""
        self._pid = 0
        self._config_file = config_file
        self._exchanges = exchanges
        self._dead_url = dead_url
        self._seed = seed
        self._stop = threading.Event()
        self._resumed = threading.Event()
        self._busy = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []

    def start(self, url: str, pid: int) -> None:
        """Set all of them to work on the exporter at that URL and of that process."""
        self._url, self._pid = url, pid
        actors = [self._scrape] * 4 + [self._scrape_hastily] * 2
        actors += [self._reload, self._look, self._half_open, self._leave_early]
        for number, act in enumerate(actors):
            dice = random.Random(f"{self._seed} {number}")
            thread = threading.Thread(target=self._live, args=(act, dice), daemon=True)
            self._threads.append(thread)
            thread.start()
        self._resumed.set()

    def rest(self) -> None:
        """Return once all have ended what they were at; `resume` goes on."""
        self._resumed.clear()
        for _ in self._threads:
            self._busy.acquire(timeout=60)

    def resume(self) -> None:
        """Go on after a rest."""
        self._resumed.set()

    def stop(self) -> None:
        """End them."""
        self._stop.set()
        self._resumed.set()
        for thread in self._threads:
            thread.join()

    def _live(self, act: Callable[[random.Random], None], dice: random.Random) -> None:
        while not self._stop.is_set():
            if not self._resumed.is_set():
                self._busy.release()
                self._resumed.wait()
            try:
                act(dice)
            except requests.RequestException as error:
                self.faults.append(f"{act.__name__}: {error!r}")
            self._stop.wait(dice.uniform(0, 0.1))

    def _scrape_hastily(self, dice: random.Random) -> None:
        """A scrape that gives up long before the module's timeout; it costs nobody else a page."""
        answer = requests.get(
            f"{self._url}/probe?module={dice.choice(MODULES)}",
            headers={"X-Prometheus-Scrape-Timeout-Seconds": str(_HASTY_TIMEOUT)},
            timeout=_TIMEOUT,
        )
        if answer.status_code != 200:
            self.faults.append(f"hasty: {answer.status_code} {answer.text[:200]}")
        self.done["hasty scrapes up" if is_up(answer.text) else "hasty scrapes not up"] += 1

    def _scrape(self, dice: random.Random) -> None:
        module = dice.choice(MODULES)
        path = f"/probe?module={module}"
        if dice.random() < 0.3:
            path += "".join(f"&symbol={each}" for each in dice.sample(SYMBOLS, dice.randint(1, 3)))
        if dice.random() < 0.4:
            module, path = "default", "/metrics"
        begun_at = time.time()
        answer = requests.get(
            self._url + path,
            headers={
                "X-Prometheus-Scrape-Timeout-Seconds": str(_TIMEOUT),
                "Accept": dice.choice(_ACCEPTS),
                "Accept-Encoding": dice.choice(["gzip", "identity", "gzip;q=0"]),
            },
            timeout=_TIMEOUT,
        )
        ended_at = time.time()
        if answer.status_code != 200:
            self.faults.append(f"{path}: {answer.status_code} {answer.text[:200]}")
            return
        up = is_up(answer.text)
        self.done["pages up" if up else "pages not up"] += 1
        exchanges = list(self._exchanges.values())
        if module == "dead" and up:
            self.faults.append("a page is up though nobody answered")
        for fault in faults_of(answer.text, begun_at, ended_at, exchanges):
            self.faults.append(f"{path}: {fault}")

    def _look(self, dice: random.Random) -> None:
        """The status page, and all that needs no fetch."""
        path = dice.choice(["/", "/?cached", *_PATHS])
        answer = requests.get(self._url + path, timeout=30)
        self.done["other pages"] += 1
        if answer.status_code >= 500 or len(answer.text) == 0:
            self.faults.append(f"{path}: {answer.status_code} {answer.text[:200]}")

    def _reload(self, dice: random.Random) -> None:
        """Change the file, for good or ill, and have it read in either way."""
        good = dice.random() < 0.8
        text = json.dumps({"modules": self._modules(dice)}) if good else dice.choice(_BAD_FILES)
        new = self._config_file.with_suffix(".new")
        new.write_text(yaml.safe_dump(yaml.safe_load(text)) if good else text)
        new.replace(self._config_file)
        self.done["reloads" if good else "reloads refused"] += 1
        if dice.random() < 0.5:
            os.kill(self._pid, signal.SIGHUP)
        elif dice.random() < 0.1:
            foreign = {"Origin": "http://foreign.example"}
            answer = requests.post(self._url + "/-/reload", headers=foreign, timeout=30)
            if answer.status_code != 403:
                self.faults.append(f"a foreign page may reload: {answer.status_code}")
        elif requests.post(self._url + "/-/reload", timeout=30).ok != good:
            self.faults.append(f"a {'good' if good else 'bad'} configuration was taken otherwise")

    def _modules(self, dice: random.Random) -> dict[str, dict[str, Any]]:
        one, other = self._exchanges
        return {
            name: {
                "base_url": {"other": other, "dead": self._dead_url}.get(name, one),
                "timeout": dice.choice(["500ms", "1s", "2s"]),
                "symbols": {"few": SYMBOLS[:3], "ten": [*SYMBOLS, "A", "B", "C"]}.get(name, []),
                "max_body_bytes": 1_048_576 if name == "capped" else 8_388_608,
                "margin_assets": {"enabled": dice.random() < 0.5, "refresh_interval": "1s"},
            }
            for name in MODULES
        }

    def first_configuration(self) -> None:
        """Write the file for the exporter's start."""
        modules = self._modules(random.Random(self._seed))
        self._config_file.write_text(yaml.safe_dump({"modules": modules}))

    def _half_open(self, dice: random.Random) -> None:
        """Connections that begin, and do not go on."""
        start = b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
        too_large = start + b"X: " + b"y" * 70_000
        idle = start.replace(b"metrics", b"-/healthy") + b"\r\n"
        starts = [b"", b"GET", start, b"\x16\x03\x01", b"\r\n", too_large, idle]
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for _ in range(dice.randint(1, 20)):
                client = stack.enter_context(self._connect())
                client.sendall(dice.choice(starts))
                self.done["half-open connections"] += 1
            self._stop.wait(dice.uniform(0, 2))

    def _leave_early(self, dice: random.Random) -> None:
        """A scrape whose client is gone before the page comes."""
        with contextlib.suppress(OSError), self._connect() as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            self._stop.wait(dice.uniform(0, 0.05))
        self.done["scrapes left early"] += 1

    def _connect(self) -> socket.socket:
        host, port = self._url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), 5)
