"""Chromium without a window, for pictures. Needs Debian's chromium and chromium-driver."""

import contextlib
from collections.abc import Iterator

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--hide-scrollbars",
)
_PHONE_WIDTH = 600  # and less


@contextlib.contextmanager
def browser(width: int, height: int, scheme: str = "light") -> Iterator[Chrome]:
    """Run a browser until the block ends.

    Args:
        width: Of the page, in pixels.
        height: Likewise.
        scheme: What the user prefers, light or dark.
    """
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in _FLAGS:
        options.add_argument(flag)
    driver = Chrome(options, Service("/usr/bin/chromedriver"))
    try:
        mobile = width <= _PHONE_WIDTH
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        yield driver
    finally:
        driver.quit()
