"""The status page in a real browser."""

import contextlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import bcrypt
import pytest
import requests
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


def show(browser: Chrome, url: str, size: tuple[int, int], scheme: str = "light") -> None:
    width, height = size
    emulate = browser.execute_cdp_cmd
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    emulate("Emulation.setDeviceMetricsOverride", metrics)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    emulate("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get("about:blank")  # the page before goes on updating, though its exporter is gone
    browser.get_log("browser")  # forgets what that page logged
    browser.get(url)


def colour(browser: Chrome, selector: str, name: str = "background-color") -> str:
    return browser.find_element(By.CSS_SELECTOR, selector).value_of_css_property(name)


def test_it_shows_every_asset_and_that_it_is_up(browser, demo):
    show(browser, demo.url, DESKTOP)
    assert browser.find_element(By.ID, "state").text.startswith("Up")
    rows = browser.find_elements(By.CSS_SELECTOR, "tbody th[scope=row]")
    names = [each.get_attribute("textContent") for each in rows]
    assert len(names) >= 20
    assert {"BTCUSD", "USDTUSD", "LDUSDTUSD"} <= set(names)
    assert browser.title == "Up · Binance asset index"


def test_it_says_that_it_is_a_demo(browser, demo):
    show(browser, demo.url, DESKTOP)
    assert browser.find_element(By.CSS_SELECTOR, ".demo").text.startswith("Demo:")


def test_assets_that_are_no_margin_are_folded_until_asked_for(browser, demo):
    show(browser, demo.url, PHONE)
    row = browser.find_element(By.XPATH, "//tr[th='SOLUSD']")
    assert not row.is_displayed()
    browser.find_element(By.CSS_SELECTOR, "#others > summary").click()
    assert row.is_displayed()


def test_on_a_phone_the_bid_and_ask_haircuts_are_in_sight(browser, demo):
    show(browser, demo.url, PHONE)
    haircuts = browser.find_elements(By.CSS_SELECTOR, "#margin tbody tr:first-child td")[1:3]
    for cell in haircuts:
        assert cell.text.endswith("%")
        assert cell.rect["x"] + cell.rect["width"] <= PHONE[0]


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
@pytest.mark.parametrize("selector", ["td", "#state", "a", ".soft", "summary"])
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


def test_a_failure_from_the_start_has_no_values(browser, config_file):
    with running(config_file(default=module(f"http://127.0.0.1:{free_port()}"))) as exporter:
        show(browser, exporter.url, PHONE)
        assert browser.find_element(By.ID, "state").text.startswith("Down")
        assert "connection" in browser.find_element(By.CSS_SELECTOR, "main .notice").text
        assert browser.find_elements(By.TAG_NAME, "table") == []


def test_a_ban_is_called_a_ban_beside_the_last_good_values(browser, exchange, clock, config_file):
    _, base_url = exchange("ban")
    with running(config_file(default=module(base_url))) as exporter:
        exporter.get("/metrics")
        clock.ahead = 200
        show(browser, exporter.url, PHONE)
        notice = browser.find_element(By.CSS_SELECTOR, "main .notice").text
        assert re.match(
            r"Banned by Binance \(418\) until [-0-9]* ?\d\d:\d\d:\d\d UTC;"
            r" every program on this address is affected\.\nDown since",
            notice,
        )
        assert "they are not current" in notice
        assert browser.title == "Banned · Binance asset index"
        assert cell(browser, "BTCUSD", 2) == "5.00 %"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("scenario", "elapsed", "selector"),
    [
        ("haircut-change", 120, "td small.warn"),
        ("depeg", 200, "td small.bad"),
        ("frozen", 200, "#age.bad"),
        ("outage", 90, ".past td"),
    ],
)
def test_marks_stand_out_from_their_ground(
    browser, exchange, clock, config_file, scenario, elapsed, selector, scheme
):
    clock.ahead = -elapsed
    _, base_url = exchange(scenario)
    with running(config_file(default=module(base_url))) as exporter:
        exporter.get("/metrics")
        clock.ahead = 0
        show(browser, exporter.url, DESKTOP, scheme)
        text, ground = colour(browser, selector, "color"), colour(browser, ".tile")
        assert contrast(text, ground) >= 4.5  # WCAG AA


# It updates itself


_TIMERS = """
window.timers = [];
window.setTimeout = (work) => window.timers.push(work);
window.clearTimeout = () => { window.timers = []; };
window.isHidden = false;
Object.defineProperty(document, "hidden", { get: () => window.isHidden });
"""
"""The page's clock and whether it is hidden, in the hands of the test."""


@pytest.fixture
def timers(browser) -> Iterator[None]:
    add = "Page.addScriptToEvaluateOnNewDocument"
    script = browser.execute_cdp_cmd(add, {"source": _TIMERS})
    yield
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def tick(browser: Chrome) -> None:
    """Let the time pass that the page waits for."""
    browser.execute_script("timers.splice(0).forEach((work) => work())")


def updates(browser: Chrome) -> int:
    """How often the page has asked the exporter for an update."""
    entries = "performance.getEntriesByType('resource')"
    return browser.execute_script(
        f"return {entries}.filter((each) => each.name.endsWith('?cached')).length"
    )


def set_hidden(browser: Chrome, *, hidden: bool) -> None:
    browser.execute_script(
        "window.isHidden = arguments[0]; document.dispatchEvent(new Event('visibilitychange'))",
        hidden,
    )


def cell(browser: Chrome, symbol: str, column: int) -> str:
    """The text of a cell; column 1 is the index, 2 the bid haircut."""
    return browser.execute_script(
        "return [...document.querySelectorAll('tr')]"
        ".find((row) => row.cells[0].innerText === arguments[0])?.cells[arguments[1]].innerText",
        symbol,
        column,
    )


def test_it_shows_what_a_scrape_fetched_without_a_reload_or_a_request(
    browser, timers, exchange, clock, config_file
):
    simulator, base_url = exchange("haircut-change")
    with running(config_file(default=module(base_url))) as exporter:
        show(browser, exporter.url, DESKTOP)
        browser.execute_script("window.same = true")
        clock.ahead = 120
        exporter.get("/metrics")
        asked = sum(simulator.requests.values())
        tick(browser)
        until(lambda: cell(browser, "BTCUSD", 2) == "10.00 %\nwas 5.00 %")
        assert "haircut bid and ask" in browser.find_element(By.CSS_SELECTOR, ".changes").text
        assert browser.execute_script("return window.same")
        line = 'msg="haircut changed" symbol=BTCUSD buffer=bid from=0.05 to=0.1'
        until(lambda: any(each.endswith(line) for each in exporter.log))
        assert sum(simulator.requests.values()) == asked == 2
        assert browser.get_log("browser") == []


def test_an_update_keeps_what_is_unfolded_and_scrolled(browser, timers, demo):
    show(browser, demo.url, PHONE)
    browser.find_element(By.CSS_SELECTOR, "#others > summary").click()
    browser.execute_script("document.querySelector('.scroll').scrollLeft = 100")
    browser.execute_script("document.querySelector('main').dataset.old = 'yes'")
    tick(browser)
    until(lambda: not browser.find_elements(By.CSS_SELECTOR, "main[data-old]"))
    assert browser.find_element(By.ID, "others").get_attribute("open")
    assert browser.execute_script("return document.querySelector('.scroll').scrollLeft") == 100


def test_it_asks_again_after_each_update(browser, timers, demo):
    show(browser, demo.url, DESKTOP)
    for number in (1, 2, 3):
        until(lambda: browser.execute_script("return timers.length") == 1)
        tick(browser)
        until(lambda number=number: updates(browser) == number)


def test_it_stops_while_hidden_and_updates_at_once_when_shown(browser, timers, demo):
    show(browser, demo.url, DESKTOP)
    set_hidden(browser, hidden=True)
    assert browser.execute_script("return timers.length") == 0
    set_hidden(browser, hidden=False)
    until(lambda: updates(browser) == 1)
    until(lambda: browser.execute_script("return timers.length") == 1)


def test_an_exporter_that_is_gone_is_no_page_that_looks_alive(browser, timers, config_file):
    with running("--demo") as exporter:
        show(browser, exporter.url, DESKTOP)
        assert not browser.find_element(By.ID, "lost").is_displayed()
    tick(browser)
    until(lambda: browser.find_element(By.ID, "lost").is_displayed())
    assert browser.find_element(By.ID, "lost").text.startswith("The exporter does not respond.")
    assert browser.title == "No response · Binance asset index"


def test_it_works_under_a_strict_policy_of_the_web_configuration(browser, timers, tmp_path):
    file = tmp_path / "web.yaml"
    policy = "{Content-Security-Policy: \"default-src 'self'; object-src 'none'\"}"
    file.write_text(f"http_server_config: {{headers: {policy}}}")
    with running("--demo", f"--web.config.file={file}") as exporter:
        show(browser, exporter.url, DESKTOP, "dark")
        assert colour(browser, "body") == "rgba(17, 22, 28, 1)"
        tick(browser)
        until(lambda: updates(browser) == 1)


def test_it_updates_with_a_password_in_its_address(browser, timers, tmp_path):
    file = tmp_path / "web.yaml"
    password = bcrypt.hashpw(b"hunter2", bcrypt.gensalt(4)).decode()
    file.write_text(f"basic_auth_users: {{alice: {password}}}")
    with running("--demo", f"--web.config.file={file}") as exporter:
        show(browser, exporter.url.replace("//", "//alice:hunter2@"), DESKTOP)
        browser.execute_script("document.querySelector('main').dataset.old = 'yes'")
        tick(browser)
        until(lambda: not browser.find_elements(By.CSS_SELECTOR, "main[data-old]"))
        assert not browser.find_element(By.ID, "lost").is_displayed()


@contextlib.contextmanager
def proxy(target: str, path: str) -> Iterator[str]:
    """A reverse proxy that serves the target under a path, and nothing beside it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if not self.path.startswith(path):
                self.send_error(404)
                return
            answer = requests.get(target + "/" + self.path.removeprefix(path), timeout=30)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}{path}"
        server.shutdown()
        thread.join()


def test_behind_a_reverse_proxy_with_a_path_everything_works(browser, timers, demo):
    with proxy(demo.url, "/binance/index/") as url:
        show(browser, url, DESKTOP, "dark")
        assert colour(browser, "body") == "rgba(17, 22, 28, 1)"
        tick(browser)
        until(lambda: updates(browser) == 1)
        links = [each.get_attribute("href") for each in browser.find_elements(By.TAG_NAME, "a")]
        assert len(links) >= 6
        for link in links:
            assert requests.get(link, timeout=30).status_code == 200


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(css: str) -> float:
    """WCAG's relative luminance of rgb(...) or rgba(...)."""
    channels = [int(part) / 255 for part in css[css.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
