"""The program behind docs/scaling.md, with little to measure."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.contenders import Line
from benchmarks.scaling import one_exporter, report, rules, store
from benchmarks.scaling.exchange import assets
from benchmarks.scaling.one_exporter import Load
from benchmarks.scaling.rules import Case, Cost
from benchmarks.scaling.store import Kept, Store

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
GROUPS = (
    "binance-asset-index",
    "binance-asset-index-minute",
    "binance-asset-index-slow",
    "binance-asset-index-alerts",
)


@pytest.fixture
def results() -> report.Results:
    load = Load({15: 0.5, 5: 1.5}, 50.0, 60.0, 200.0, 2.0, 0.25, 0.0)
    scraped, recorded = Kept(400, 400.0, 2.0, 100.0), Kept(100, 100.0, 1.0, 50.0)
    return report.Results(
        loads={30: {1: load, 10: load}},
        bare_fetch_ms={30: 1.0},
        stores={30: Store(scraped, recorded)},
        rules={Case(30, 2): Cost(800, 200, dict(zip(GROUPS, (0.15, 0.6, 1.2, 0.15), strict=True)))},
        cores=2,
    )


def test_further_assets_are_margin_assets_if_asked_for():
    assert sum(asset.threshold is not None for asset in assets(100, margin=False)) == 12
    assert sum(asset.threshold is not None for asset in assets(100, margin=True)) == 80
    assert len({asset.symbol for asset in assets(2000, margin=True)}) == 2000


def test_a_load_is_measured_of_each_number_of_scrapers(tmp_path, upstream, monkeypatch):
    monkeypatch.setattr(one_exporter, "INTERVALS", (1,))
    measured = asyncio.run(one_exporter.measure(Line(tmp_path, {}), {30: upstream}, (1, 4), 0.5))
    for scrapers, load in measured[30].items():
        assert load.scrapes_per_second > 0
        assert load.cpu_ms > 0
        assert load.cpu_percent[1] > 0
        assert 1 / (scrapers + 1) <= load.fetches <= 1
        assert load.bad_percent == 0
        assert 10 < load.memory_mib <= load.peak_mib


def test_a_bare_fetch_takes_cpu_time(upstream):
    assert one_exporter.bare_fetch_ms(upstream) > 0


def test_the_rules_are_measured_of_each_group(tmp_path, tool, monkeypatch):
    tool("prometheus", "prometheus")
    monkeypatch.setattr(rules, "_SCRAPE_INTERVAL", "1s")
    monkeypatch.setattr(rules, "_INTERVALS", {})
    monkeypatch.setattr(rules, "_SLOW_INTERVAL", "1s")
    monkeypatch.setattr(rules, "_SECONDS", 0)
    cost = asyncio.run(rules.measure(Line(tmp_path, {}), tmp_path, Case(3, 2)))
    assert list(cost.seconds) == list(GROUPS)
    assert all(seconds > 0 for seconds in cost.seconds.values())
    assert cost.scraped > 2 * 3 * 12
    assert 0 < cost.recorded < cost.scraped


def test_the_store_is_measured_of_both_kinds_of_series(tmp_path, tool, monkeypatch):
    tool("prometheus", "prometheus")
    monkeypatch.setattr(store, "_SECONDS", 300)
    measured = store.measure(tmp_path, 3)
    assert measured.scraped.series > 3 * 12
    assert measured.recorded.series > 0
    for kept in (measured.scraped, measured.recorded):
        assert 0 < kept.samples <= kept.series
        assert kept.bytes_a_sample > 0
        assert kept.index_bytes > 0


def test_the_tables_have_a_column_for_each_number_of_scrapers(results):
    lines = report.parts(results)["one exporter"].splitlines()
    assert lines[0] == "|  | assets | 1 scraper | 10 scrapers |"
    assert "| CPU a scrape at that rate, ms | 30 | 2.00 | 2.00 |" in lines


def test_bytes_a_day_are_those_of_samples_and_of_one_index(results):
    kept = results.stores[30].scraped
    assert kept.samples_a_day == 400 * 5760
    assert kept.bytes_a_day == 400 * 5760 * 2.0 + 400 * 100.0


def test_the_share_of_the_time_is_that_at_the_intervals_of_the_files(results):
    line = report.parts(results)["the rules"].splitlines()[-1]
    assert line == "| 30 | 12 | 2 | 800 | 200 | 25% | 0.15 | 0.60 | 1.20 | 0.15 | 4.0% |"


def test_the_page_has_a_place_for_each_table(results):
    tables = dict.fromkeys(report.parts(results), "new\n")
    page = report.page(PAGE.read_text(), tables)
    assert page.count("new\n") == len(tables)
    assert report.page(page, tables) == page
    assert "make docs writes from here" in page
