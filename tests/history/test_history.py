import re

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from exporter.history.__main__ import main

END = "2026-08-02T12:00:00Z"
END_SECONDS = 1785672000.0
BEGIN_SECONDS = END_SECONDS - 2 * 3600


HISTOGRAM = "binance_api_request_duration_seconds"


@pytest.fixture(scope="module")
def text():
    """Two hours, a minute a scrape."""
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("sys.stdout.writelines", lines.extend)
        flags = ("--duration", "2h", "--step", "60s", "--end", END, "--job", "jo")
        assert main([*flags, "--instance", "in"]) == 0
    return "".join(lines)


@pytest.fixture(scope="module")
def families(text):
    """By name, as a strict parser reads them; it stumbles over a histogram at two times."""
    others = re.sub(f"# HELP {HISTOGRAM}.*?(?=# HELP)", "", text, flags=re.DOTALL)
    return {each.name: each for each in text_string_to_metric_families(others)}


@pytest.fixture
def series(families):
    def series(family, **labels):
        """Values by Unix time."""
        return {
            float(sample.timestamp): sample.value
            for sample in families[family].samples
            if labels.items() <= sample.labels.items()
        }

    return series


def test_it_reaches_from_its_begin_to_its_end(series):
    times = list(series("up"))
    assert times == [BEGIN_SECONDS + 60 * number for number in range(121)]


def test_every_sample_has_job_and_instance(families):
    for family in families.values():
        for sample in family.samples:
            assert (sample.labels["job"], sample.labels["instance"]) == ("jo", "in")


def test_all_that_a_live_page_has_is_there(families):
    for name in (
        "binance_asset_index_exporter_build_info",
        "binance_asset_index_exporter_config_last_reload_successful",
        "binance_api_requests",
        "binance_api_weight_limit",
        "binance_asset_index_price_usd",
        "binance_asset_index_margin_available",
        "process_resident_memory_bytes",
    ):
        assert families[name].samples
    assert not [name for name in families if name.endswith("_created")]


def test_the_haircut_changes(series):
    values = list(series("binance_asset_index_bid_buffer_ratio", symbol="BTCUSD").values())
    assert set(values) == {0.05, 0.1}
    assert values[0] == values[-1] == 0.05


def test_usdc_loses_its_peg(series):
    assert min(series("binance_asset_index_price_usd", symbol="USDCUSD").values()) < 0.975


def test_an_asset_goes_and_returns(series):
    scrapes = len(series("binance_asset_index_up"))
    assert 0 < len(series("binance_asset_index_price_usd", symbol="FDUSDUSD")) < scrapes


def test_an_outage_leaves_no_index_and_counts_its_reasons(series):
    up = series("binance_asset_index_up")
    price = series("binance_asset_index_price_usd", symbol="BTCUSD")
    assert set(price) == {time for time, value in up.items() if value}
    for reason in ("http_5xx", "connection", "timeout", "rate_limited", "banned"):
        labels = {"endpoint": "assetIndex", "reason": reason}
        values = series("binance_api_request_failures", **labels)
        assert values[END_SECONDS] > 0


def test_a_ban_holds_the_scrapes(series):
    assert series("binance_api_scrapes_held", reason="blocked")[END_SECONDS] > 0
    assert max(series("binance_api_blocked_until_timestamp_seconds").values()) > BEGIN_SECONDS


def test_a_frozen_index_grows_old(series):
    times = series("binance_asset_index_update_timestamp_seconds", symbol="BTCUSD")
    assert max(scraped - updated for scraped, updated in times.items()) > 170


def test_a_hanging_answer_takes_the_timeout_and_others_far_less(series):
    durations = sorted(series("binance_asset_index_scrape_duration_seconds").values())
    assert durations[-1] == pytest.approx(5)
    assert 0.01 < durations[len(durations) // 2] < 0.2


def test_the_series_of_a_histogram_come_together_time_by_time(text):
    lines = re.findall(rf"^{HISTOGRAM}_(.*) [0-9.]+ ([0-9.]+)$", text, flags=re.MULTILINE)
    endpoints = [re.search('endpoint="(.*?)"', name)[1] for name, _ in lines]
    assert endpoints == sorted(endpoints)
    assert len(lines) == 2 * 121 * 13
    for number in range(0, len(lines), 13):
        suffixes = [re.split("[{]", name)[0] for name, _ in lines[number : number + 13]]
        assert suffixes == [*["bucket"] * 11, "count", "sum"]
        assert len({time for _, time in lines[number : number + 13]}) == 1


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--duration", "1h"], "argument --duration: expected a duration of at least 2h, got '1h'"),
        (["--step", "15"], "argument --step: expected a duration of at least 1s, got '15'"),
        (["--end", "2026-08-02T12:00:00"], "argument --end: expected now, or a time such as"),
        (["--end", "noon"], "argument --end: expected now, or a time such as"),
    ],
)
def test_a_bad_flag_is_refused_in_a_sentence(capsys, flags, complaint):
    with pytest.raises(SystemExit, match="2"):
        main(flags)
    assert re.search(re.escape(complaint), capsys.readouterr().err)
