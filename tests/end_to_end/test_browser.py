"""The status page in a real browser."""

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from tests.end_to_end.conftest import free_port, module, running, until

PHONE = (390, 844)
DESKTOP = (1280, 900)
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",  # containers have little of it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser(tool) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = tool("chromium", "chromium")
    for flag in FLAGS:
        options.add_argument(flag)
    driver = Chrome(options, Service(tool("chromedriver", "chromium-driver")))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def demo():
    with running("--demo") as exporter:
        margin = "binance_asset_index_margin_available"
        until(lambda: margin in exporter.get("/metrics").text)
        yield exporter


def show(browser: Chrome, url: str, size: tuple[int, int], scheme: str = "light") -> None:
    width, height = size
    emulate = browser.execute_cdp_cmd
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    emulate("Emulation.setDeviceMetricsOverride", metrics)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    emulate("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get_log("browser")  # forgets that of the page before
    browser.get(url)


def colour(browser: Chrome, selector: str, name: str = "background-color") -> str:
    return browser.find_element(By.CSS_SELECTOR, selector).value_of_css_property(name)


def test_it_shows_every_asset_and_that_it_is_up(browser, demo):
    show(browser, demo.url, DESKTOP)
    assert browser.find_element(By.ID, "state").text.startswith("Up")
    names = [each.text for each in browser.find_elements(By.CSS_SELECTOR, "tbody th[scope=row]")]
    assert len(names) >= 20
    assert {"BTCUSD", "USDTUSD", "LDUSDTUSD"} <= set(names)
    assert browser.title == "Up · Binance asset index"


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_page_itself_never_scrolls_sideways(browser, demo, size):
    show(browser, demo.url, size)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0]


def test_on_a_phone_the_asset_stays_in_sight_while_its_row_is_scrolled(browser, demo):
    show(browser, demo.url, PHONE)
    browser.execute_script("document.querySelector('.scroll').scrollLeft = 400")
    name = browser.find_element(By.CSS_SELECTOR, "tbody th[scope=row]")
    assert browser.execute_script("return arguments[0].getBoundingClientRect().left", name) >= 0


def test_it_follows_the_systems_light_or_dark(browser, demo):
    show(browser, demo.url, DESKTOP, "light")
    light = colour(browser, "body")
    show(browser, demo.url, DESKTOP, "dark")
    assert colour(browser, "body") != light


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("selector", ["td", ".aside td", "#state", "a", ".soft"])
def test_text_stands_out_from_its_ground(browser, demo, scheme, selector):
    show(browser, demo.url, DESKTOP, scheme)
    text, ground = colour(browser, selector, "color"), colour(browser, ".tile")
    assert contrast(text, ground) >= 4.5  # WCAG AA


def test_its_links_lead_somewhere(browser, demo):
    show(browser, demo.url, DESKTOP)
    links = [each.get_attribute("href") for each in browser.find_elements(By.TAG_NAME, "a")]
    assert len(links) >= 5
    for link in links:
        assert demo.get(link.removeprefix(demo.url)).status_code == 200


def test_it_needs_nothing_that_the_browser_complains_about(browser, demo):
    show(browser, demo.url, DESKTOP)
    assert browser.get_log("browser") == []


def test_a_failure_is_told_without_values(browser, config_file):
    with running(config_file(default=module(f"http://127.0.0.1:{free_port()}"))) as exporter:
        show(browser, exporter.url, PHONE)
        assert browser.find_element(By.ID, "state").text.split() == ["Down", "connection"]
        assert browser.find_elements(By.TAG_NAME, "table") == []


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(css: str) -> float:
    """WCAG's relative luminance of rgb(...) or rgba(...)."""
    channels = [int(part) / 255 for part in css[css.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
