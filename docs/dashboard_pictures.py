"""Takes the pictures of the dashboards: `python docs/dashboard_pictures.py http://localhost:3000`.

The Grafana there shows the dashboards to anonymous users and reads the Prometheus that
docs/dashboards.md describes. Needs Debian's chromium, chromium-driver and pngquant.
"""

import argparse
import subprocess
from pathlib import Path
from urllib.parse import urlencode

from selenium.webdriver.support.wait import WebDriverWait

from docs.browser import browser

FOLDER = Path(__file__).parent / "images"
SHOTS = {
    "dashboard-haircut-spreads.png": {
        "uid": "binance-multi-assets-haircut-spreads",
        "theme": "dark",
        "from": "2026-11-22T12:15:00.000Z",
        "to": "2026-11-22T14:15:00.000Z",
        "height": 1240,
    },
    "dashboard-pegs-and-drops.png": {
        "uid": "binance-multi-assets-pegs-and-drops",
        "theme": "dark",
        "from": "2026-11-22T13:00:00.000Z",
        "to": "2026-11-22T19:30:00.000Z",
        "height": 1120,
    },
}
"""What happens then: BTC's haircut rises, and USDC loses its peg."""

WIDTH = 1600
PATIENCE_SECONDS = 60

_DRAWN = """
const panels = document.querySelectorAll('[data-testid^="data-testid Panel header"]');
const loading = document.querySelectorAll('[aria-label="Panel loading bar"]');
return panels.length > 5 && loading.length === 0 && document.querySelectorAll("canvas").length > 1;
"""


def main() -> None:
    """Photograph the dashboards, and compress the pictures."""
    parser = argparse.ArgumentParser(description="Takes the pictures of the dashboards.")
    parser.add_argument("grafana", help="its URL")
    grafana: str = parser.parse_args().grafana
    for name, shot in SHOTS.items():
        _photograph(grafana, FOLDER / name, dict(shot))
    files = [str(FOLDER / name) for name in SHOTS]
    subprocess.run(["/usr/bin/pngquant", "--force", "--strip", "--ext=.png", *files], check=True)


def _photograph(grafana: str, file: Path, shot: dict[str, str | int]) -> None:
    uid, height = shot.pop("uid"), int(shot.pop("height"))
    with browser(WIDTH, height) as driver:
        driver.get(f"{grafana}/d/{uid}?kiosk&{urlencode({**shot, 'timezone': 'utc'})}")
        WebDriverWait(driver, PATIENCE_SECONDS).until(lambda page: page.execute_script(_DRAWN))
        driver.execute_async_script("setTimeout(arguments[0], 3000)")  # lines are drawn in turns
        driver.save_screenshot(str(file))


if __name__ == "__main__":
    main()
