"""Takes the README's pictures of the status page: `make pictures`.

The demo's seed and time are fixed, so the same code takes the same pictures. Needs Debian's
chromium, chromium-driver and libfaketime.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from docs.browser import browser

COMMAND = Path(sys.executable).parent / "binance-asset-index-exporter"
FOLDER = Path(__file__).parent / "images"
SCENARIO = "haircut-change"
STARTED = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SCRAPED_AFTER = [timedelta(seconds=45), timedelta(seconds=75)]
"""BTC's haircuts have risen between the two scrapes."""

PICTURES = {
    "status-desktop-light.png": (1180, 960, "light"),
    "status-phone-dark.png": (390, 900, "dark"),
}

_T = TypeVar("_T")


@dataclass(frozen=True)
class Clock:
    """The demo's clock, which stands at what this file says; see faketime(1)."""

    file: Path

    def set(self, now: datetime) -> None:
        """Show another time from now on."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{now:%Y-%m-%d %H:%M:%S}")
        new.replace(self.file)

    def environment(self) -> dict[str, str]:
        """What a process needs to see this clock."""
        (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": "UTC",
        }


def main() -> None:
    """Start the demo, scrape it before and after the change, photograph it, stop it."""
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock(Path(folder) / "clock")
        clock.set(STARTED)
        with _demo(clock, Path(folder) / "log") as url:
            _until(lambda: "binance_asset_index_margin_available" in _get(f"{url}/metrics"))
            for elapsed in SCRAPED_AFTER:
                clock.set(STARTED + elapsed)
                _get(f"{url}/metrics")
            for name, (width, height, scheme) in PICTURES.items():
                with browser(width, height, scheme) as driver:
                    driver.get(f"{url}/?cached")
                    driver.save_screenshot(str(FOLDER / name))


@contextlib.contextmanager
def _demo(clock: Clock, log_file: Path) -> Iterator[str]:
    with log_file.open("wb") as log:
        demo = subprocess.Popen(
            [COMMAND, f"--demo={SCENARIO}", "--web.listen-address=127.0.0.1:0"],
            env=os.environ | clock.environment(),
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        listening = re.compile(r"msg=listening addresses=(\S+)")
        match = _until(lambda: listening.search(log_file.read_text()))
        yield f"http://{match[1]}"
    finally:
        demo.terminate()
        demo.wait()


def _until(ask: Callable[[], _T | None]) -> _T:
    for _ in range(100):
        if answer := ask():
            return answer
        time.sleep(0.1)
    raise SystemExit("the demo did not start")


def _get(url: str) -> str:
    with urllib.request.urlopen(url) as page:
        return page.read().decode()


if __name__ == "__main__":
    main()
