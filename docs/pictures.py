"""Takes the README's pictures of the status page: `make pictures`.

Needs Debian's chromium and chromium-driver.
"""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

COMMAND = Path(sys.executable).parent / "binance-asset-index-exporter"
FOLDER = Path(__file__).parent / "images"
PORT = 10197
URL = f"http://127.0.0.1:{PORT}"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--hide-scrollbars",
)
PICTURES = {
    "status-desktop-light.png": (1180, 860, "light"),
    "status-phone-dark.png": (390, 860, "dark"),
}


def main() -> None:
    """Start the demo, photograph it, stop it."""
    demo = subprocess.Popen([COMMAND, "--demo", f"--web.listen-address=127.0.0.1:{PORT}"])
    try:
        _wait_for_margin_assets()
        for name, (width, height, scheme) in PICTURES.items():
            _photograph(FOLDER / name, width, height, scheme)
    finally:
        demo.terminate()
        demo.wait()


def _wait_for_margin_assets() -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"{URL}/metrics") as page:
                if b"binance_asset_index_margin_available" in page.read():
                    return
        except urllib.error.URLError:
            pass
        time.sleep(0.1)
    raise SystemExit("the demo did not come up")


def _photograph(file: Path, width: int, height: int, scheme: str) -> None:
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in FLAGS:
        options.add_argument(flag)
    driver = Chrome(options, Service("/usr/bin/chromedriver"))
    try:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        driver.get(URL)
        driver.save_screenshot(str(file))
    finally:
        driver.quit()


if __name__ == "__main__":
    main()
