import asyncio

import pytest

from benchmarks import parts


@pytest.fixture(scope="module")
def measured(upstream):
    return asyncio.run(parts.measure(upstream, 30, 20))


def test_each_part_took_some_time(measured):
    assert all(measured[part] > 0 for part in (*parts.OF_FETCH, *parts.OF_PAGE))


def test_the_parts_of_a_fetch_are_within_it(measured):
    assert sum(measured[part] for part in parts.OF_FETCH) < measured[parts.FETCH]


def test_the_parts_of_a_page_are_within_it(measured):
    assert sum(measured[part] for part in parts.OF_PAGE) < measured[parts.PAGE]


def test_the_table_has_a_column_for_each_number_of_assets():
    assert parts.table({30: {"all": 1.754}, 1000: {"all": 15.3}}).splitlines() == [
        "| CPU a scrape, ms | 30 | 1,000 |",
        "| --- | ---: | ---: |",
        "| all | 1.75 | 15.30 |",
    ]
