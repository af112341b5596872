"""Each wrong answer of the exchange, over real sockets, to the exporter as a process.

One exporter for all of them: a module asks for each answer, under a base URL of its own, so that no
answer holds the gate of another.
"""

import re
import socket
from collections.abc import Iterator

import pytest
import requests
import yaml

from exporter.metrics import catalogue
from tests.end_to_end.conftest import Running, free_port, module, running, until
from tests.raw_server import ok, raw_server, read_request
from tests.wrong_answers import ROWS, WRONG_ANSWERS

ENDS_IN = 30
"""Seconds a scraper waits for what ends by itself."""

ENDED_IN = 1.5
"""And for what only the deadline ends, half a second (`--timeout-offset`) before."""

INDEX = {spec.name for spec in catalogue.INDEX.values()} | {catalogue.MARGIN_AVAILABLE.name}
REFUSED = "connection_refused"
TWICE = "answers_twice"
NOT_ASKED_FOR = ROWS.replace(b"61475", b"11111")


def server(connection: socket.socket) -> None:
    """Answer as the base URL's path says; a path that is no wrong answer's is answered well."""
    while request := read_request(connection):
        name = request.split(b"/")[1].decode()
        if name in WRONG_ANSWERS:
            WRONG_ANSWERS[name].play(connection)
        else:
            connection.sendall(ok(ROWS) + (ok(NOT_ASKED_FOR) if name == TWICE else b""))


@pytest.fixture(scope="module")
def exporter(tmp_path_factory) -> Iterator[Running]:
    file = tmp_path_factory.mktemp("faults") / "config.yaml"
    with raw_server(server) as url:
        modules = {
            f"of_{name}": module(f"{url}/{name}", timeout="1s" if wrong.hangs else "30s")
            for name, wrong in WRONG_ANSWERS.items()
        }
        modules[f"of_{TWICE}"] = module(f"{url}/{TWICE}")
        modules["default"] = module(f"{url}/well")
        modules[f"of_{REFUSED}"] = module(f"http://127.0.0.1:{free_port()}")
        file.write_text(yaml.safe_dump({"modules": modules}))
        with running(f"--config.file={file}") as exporter:
            yield exporter


def failures(exporter: Running) -> dict[str, float]:
    """By reason, those of the asset index."""
    pattern = r'^binance_api_request_failures_total\{.*"assetIndex",reason="(\w+)"\} (\S+)$'
    found = re.findall(pattern, exporter.get("/metrics").text, re.MULTILINE)
    return {reason: float(count) for reason, count in found if float(count)}


def names_on(page: str) -> set[str]:
    return {re.split("[{ ]", line)[0] for line in page.splitlines() if line[0] != "#"}


def scrape(exporter: Running, name: str, within: float) -> requests.Response:
    """As Prometheus does it: who says how long it waits, and waits no longer."""
    return requests.get(
        f"{exporter.url}/probe?module=of_{name}",
        headers={"X-Prometheus-Scrape-Timeout-Seconds": str(within)},
        timeout=within,
    )


def logged(exporter: Running, name: str) -> list[str]:
    """The lines of that module, from the message on and without the module."""
    lines = (
        line.partition("msg=")[2] for line in exporter.log if f"module_name=of_{name} " in line
    )
    lines = (line.replace(f"module_name=of_{name} symbols=all ", "") for line in lines)
    return [re.sub(r"127\.0\.0\.1:\d+", "HOST", line) for line in lines]


@pytest.mark.parametrize("name", WRONG_ANSWERS)
def test_a_wrong_answer_is_a_page_in_time_without_values_counted_and_logged_once(exporter, name):
    wrong = WRONG_ANSWERS[name]
    before = failures(exporter)

    page = scrape(exporter, name, ENDED_IN if wrong.hangs else ENDS_IN)

    assert page.status_code == 200
    assert "\nbinance_asset_index_up 0.0\n" in page.text
    assert not names_on(page.text) & INDEX
    counted = before | {wrong.reason: before.get(wrong.reason, 0) + 1}
    until(lambda: failures(exporter) == counted)
    quoted = wrong.error if " " not in wrong.error else f'"{wrong.error}"'
    lines = [f'"fetch failed" reason={wrong.reason} error={quoted}', *wrong.also_logged]
    until(lambda: len(logged(exporter, name)) >= len(lines))
    assert logged(exporter, name) == lines
    assert not [line for line in exporter.log if "Traceback" in line]


def test_a_refused_connection_is_a_page_without_values(exporter):
    page = scrape(exporter, REFUSED, ENDS_IN)
    assert "\nbinance_asset_index_up 0.0\n" in page.text
    assert until(lambda: logged(exporter, REFUSED)) == [
        '"fetch failed" reason=connection error="HOST refused the connection"'
    ]


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one(exporter):
    for _ in range(3):
        page = scrape(exporter, TWICE, ENDS_IN)
        assert 'price_usd{symbol="BTCUSD"} 61475.0272033\n' in page.text


def test_a_failure_that_goes_on_is_not_logged_again(exporter):
    for _ in range(3):
        scrape(exporter, "503_html", ENDS_IN)
    assert len(until(lambda: logged(exporter, "503_html"))) == 1
