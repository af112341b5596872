import xml.etree.ElementTree as ET

import pytest

from benchmarks import plot, report
from benchmarks.measure import CLIENTS, MEMORY, Figures, is_good
from benchmarks.scraper import AS_PROMETHEUS, FORMATS, Page


def figures(cpu_ms: float | None) -> Figures:
    return Figures(
        cpu_ms=dict.fromkeys(FORMATS, cpu_ms),
        latency_ms={asked: {"p50": 3.0, "p95": 4.0, "p99": 5.0} for asked in FORMATS},
        scrapes_per_second=dict.fromkeys(CLIENTS, 100.0),
        error_percent=dict.fromkeys(CLIENTS, 0.0),
        memory_mib=dict.fromkeys(MEMORY, 40.0),
    )


@pytest.fixture
def results() -> report.Results:
    """Linear in the assets; of the peer the CPU time is not known."""
    return {
        assets: {
            "this exporter": figures(assets / 100),
            "plain Python": figures(assets / 50),
            "peer": figures(None),
        }
        for assets in (30, 300, 1000)
    }


def test_the_table_gives_medians_and_ratios(results):
    line = f"| CPU a scrape, {AS_PROMETHEUS}, ms | 1,000 | 10.0 | 20.0 | **0.50** |  |  |"
    assert line in report.table(results).splitlines()


def test_the_growth_is_given_from_size_to_size(results):
    expected = (
        "- this exporter: µs of CPU for each further asset:"
        " 10.0 from 30 to 300, 10.0 from 300 to 1,000"
    )
    assert report.growth(results).splitlines()[0] == expected


def test_of_one_size_there_is_no_growth(results):
    assert report.growth({30: results[30]}) == ""


def test_the_plot_is_svg_with_a_bar_for_each_known_figure(results):
    root = ET.fromstring(plot.svg(results))
    bars = list(root.iter("{http://www.w3.org/2000/svg}rect"))
    assert len(bars) == 1 + 3 + 2 * len(results)  # background, legend, bars


def test_a_page_without_all_assets_is_no_good_page():
    page = Page(200, {}, b"# HELP up 1 if good.\nup 0\n")
    assert page.samples() == 1
    assert not is_good(page.samples(), assets=30)


def test_the_figures_of_a_page_are_replaced_and_its_text_stays():
    page = report.inserted(f"# Text\n\n{report._BEGIN}\nold\n{report._END}\n\nMore.\n", "new\n")
    assert page == f"# Text\n\n{report._BEGIN}\nnew\n{report._END}\n\nMore.\n"
