import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.simulator.assets import ASSETS
from exporter.simulator.exchange import ASSET_INDEX, EXCHANGE_INFO, Exchange
from exporter.simulator.scenarios import SCENARIOS

from .conftest import START, Clock
from .test_rows import FIELDS


def index(exchange):
    """The list by symbol, in the exchange's order."""
    answer = exchange.answer(ASSET_INDEX, {})
    assert answer.status == 200
    return {row["symbol"]: row for row in json.loads(answer.body)}


def one(exchange, symbol):
    answer = exchange.answer(ASSET_INDEX, {"symbol": symbol})
    assert answer.status == 200
    return json.loads(answer.body)


def info(exchange):
    answer = exchange.answer(EXCHANGE_INFO, {})
    assert answer.status == 200
    return json.loads(answer.body)


def margin_available(exchange):
    return {asset["asset"]: asset["marginAvailable"] for asset in info(exchange)["assets"]}


def buffers(row):
    return [row[field] for field in FIELDS if field.endswith("Buffer")]


def used_weight(answer):
    return int(answer.headers["X-MBX-USED-WEIGHT-1M"])


# What it answers


def test_the_list_has_every_asset_in_an_order_of_its_own(open_exchange):
    symbols = list(index(open_exchange()))
    assert symbols == [asset.symbol for asset in ASSETS]
    assert symbols != sorted(symbols)


def test_the_list_has_other_assets_if_they_are_given(open_exchange):
    assert list(index(open_exchange(assets=ASSETS[:2]))) == ["USDTUSD", "BTCUSD"]


def test_the_rows_of_a_list_share_one_whole_second(open_exchange, clock):
    clock.now = START + 7.89
    exchange = open_exchange()
    assert {row["time"] for row in index(exchange).values()} == {(START + 7) * 1000}


def test_a_single_symbol_carries_milliseconds(open_exchange, clock):
    exchange = open_exchange()
    clock.now = START + 7.25
    assert one(exchange, "BTCUSD")["time"] == START * 1000 + 7250


def test_a_single_symbol_is_the_lists_row_but_for_the_time(open_exchange, clock):
    exchange = open_exchange()
    clock.now = START + 7.25
    row, listed = one(exchange, "ETHUSD"), index(exchange)["ETHUSD"]
    assert {**row, "time": None} == {**listed, "time": None}


def test_an_unknown_symbol_is_refused_in_the_exchanges_words(open_exchange):
    answer = open_exchange().answer(ASSET_INDEX, {"symbol": "NOPEUSD"})
    assert answer.status == 400
    assert json.loads(answer.body) == {"code": -1121, "msg": "Invalid symbol."}


def test_an_unknown_path_is_not_found(open_exchange):
    assert open_exchange().answer("/fapi/v1/nothing", {}).status == 404


def test_exchange_info_is_over_a_megabyte(open_exchange):
    assert len(open_exchange().answer(EXCHANGE_INFO, {}).body) > 1 << 20


def test_exchange_info_has_the_servers_time_and_the_weight_limit(open_exchange, clock):
    exchange = open_exchange()
    clock.now = START + 1.5
    facts = info(exchange)
    assert facts["serverTime"] == START * 1000 + 1500
    assert facts["futuresType"] == "U_MARGINED"
    assert {
        "rateLimitType": "REQUEST_WEIGHT",
        "interval": "MINUTE",
        "intervalNum": 1,
        "limit": 2400,
    } in facts["rateLimits"]


def test_exchange_info_has_thresholds_as_the_exchange_writes_them(open_exchange):
    thresholds = {
        asset["asset"]: asset["autoAssetExchange"] for asset in info(open_exchange())["assets"]
    }
    assert thresholds["USDT"] == "-10000"
    assert thresholds["BTC"] == "-0.10000000"
    assert thresholds["ETH"] == "0"


def test_settlement_assets_have_no_haircut_and_are_no_margin_assets(open_exchange):
    exchange = open_exchange()
    margin = {f"{asset}USD" for asset in margin_available(exchange)}
    settlement = {symbol: row for symbol, row in index(exchange).items() if symbol not in margin}
    assert len(settlement) == 20
    for row in settlement.values():
        assert set(buffers(row)) == {"0.00000000"}
        assert {row[field] for field in FIELDS if field.endswith("Rate")} == {row["index"]}


def test_every_margin_asset_has_a_haircut(open_exchange):
    exchange = open_exchange()
    rows = index(exchange)
    for asset in margin_available(exchange):
        assert Decimal(rows[f"{asset}USD"]["bidBuffer"]) > 0


def test_prices_move_once_a_second(open_exchange, clock):
    exchange = open_exchange()
    first = one(exchange, "BTCUSD")["index"]
    clock.now = START + 0.999
    assert one(exchange, "BTCUSD")["index"] == first
    clock.now = START + 1
    assert one(exchange, "BTCUSD")["index"] != first


def test_the_same_seed_and_start_give_the_same_answer(open_exchange, clock):
    asked_often, asked_once = open_exchange(seed=5), open_exchange(seed=5)
    for second in range(30):
        clock.now = START + second
        asked_often.answer(ASSET_INDEX, {})
    assert index(asked_often) == index(asked_once)


def test_a_clock_that_steps_back_is_waited_for(open_exchange, clock):
    exchange = open_exchange()
    clock.now = START + 10
    before = index(exchange)
    clock.now = START + 5
    assert index(exchange) == before


def test_an_unknown_scenario_is_refused(clock):
    with pytest.raises(KeyError, match="nonsense"):
        Exchange("nonsense", clock=clock)


# What it counts


@pytest.mark.parametrize(
    ("path", "params", "weight"),
    [
        (ASSET_INDEX, {}, 10),
        (ASSET_INDEX, {"symbol": "BTCUSD"}, 1),
        (ASSET_INDEX, {"symbol": "NOPEUSD"}, 1),
        (EXCHANGE_INFO, {}, 1),
    ],
)
def test_each_request_costs_its_weight(open_exchange, path, params, weight):
    assert used_weight(open_exchange().answer(path, params)) == weight


def test_the_list_may_be_asked_for_240_times_a_minute(open_exchange, clock):
    exchange = open_exchange()
    statuses = [exchange.answer(ASSET_INDEX, {}).status for _ in range(241)]
    assert statuses == [200] * 240 + [429]
    clock.now = START + 60
    assert exchange.answer(ASSET_INDEX, {}).status == 200


def test_a_higher_limit_is_published_and_kept(open_exchange):
    exchange = open_exchange(weight_limit=6000)
    assert info(exchange)["rateLimits"][0]["limit"] == 6000
    assert [exchange.answer(ASSET_INDEX, {}).status for _ in range(600)][-2:] == [200, 429]


def test_requests_are_counted_by_path_and_symbol(open_exchange):
    exchange = open_exchange()
    for _ in range(2):
        exchange.answer(ASSET_INDEX, {})
    exchange.answer(ASSET_INDEX, {"symbol": "BTCUSD"})
    assert exchange.requests == {(ASSET_INDEX, None): 2, (ASSET_INDEX, "BTCUSD"): 1}


# What its scripts do


@settings(max_examples=60, deadline=None)
@given(
    scenario=st.sampled_from(list(SCENARIOS)),
    seconds=st.lists(st.floats(0, 300), min_size=1, max_size=4),
)
def test_every_good_answer_has_eleven_fields(scenario, seconds):
    clock = Clock()
    exchange = Exchange(scenario, clock=clock)
    for step in seconds:
        clock.now += step
        answer = exchange.answer(ASSET_INDEX, {})
        assert used_weight(answer) > 0
        if answer.status != 200:
            continue
        for row in json.loads(answer.body):
            assert list(row) == FIELDS
            assert all(Decimal(row[field]) > 0 for field in FIELDS if field.endswith("Rate"))


def test_haircut_change_steps_btc_up_and_back(open_exchange, clock):
    exchange = open_exchange("haircut-change")
    seen = []
    for second in (59, 60, 539, 540):
        clock.now = START + second
        seen.append(buffers(index(exchange)["BTCUSD"]))
    usual = ["0.05000000", "0.05000000", "0.02500000", "0.02500000"]
    raised = ["0.10000000", "0.10000000", "0.07500000", "0.07500000"]
    assert seen == [usual, raised, raised, usual]


def test_depeg_takes_usdc_to_97_cents_and_back(open_exchange, clock):
    exchange = open_exchange("depeg")
    seen = []
    for second in (0, 120, 240, 420):
        clock.now = START + second
        seen.append(float(one(exchange, "USDCUSD")["index"]))
    assert seen == pytest.approx([0.9994, 0.9844, 0.9694, 0.9994], abs=5e-4)


def test_depeg_leaves_usdt_alone(open_exchange, clock):
    exchange = open_exchange("depeg")
    clock.now = START + 240
    assert float(one(exchange, "USDTUSD")["index"]) == pytest.approx(0.9988, abs=5e-4)


def test_delisting_takes_fdusd_away_and_back(open_exchange, clock):
    exchange = open_exchange("delisting")
    seen = []
    for second in (0, 60, 180, 510):
        clock.now = START + second
        seen.append(("FDUSDUSD" in index(exchange), margin_available(exchange).get("FDUSD")))
    assert seen == [(True, True), (True, False), (False, None), (True, True)]


def test_a_delisted_symbol_is_invalid(open_exchange, clock):
    exchange = open_exchange("delisting")
    clock.now = START + 180
    assert exchange.answer(ASSET_INDEX, {"symbol": "FDUSDUSD"}).status == 400


def test_ban_refuses_then_bans_then_recovers(open_exchange, clock):
    exchange = open_exchange("ban")
    seen = []
    for second in (59, 60, 179, 180, 299, 300):
        clock.now = START + second
        seen.append(exchange.answer(ASSET_INDEX, {}).status)
    assert seen == [200, 429, 429, 418, 418, 200]


def test_ban_says_its_true_end(open_exchange, clock):
    exchange = open_exchange("ban")
    clock.now = START + 200
    message = json.loads(exchange.answer(ASSET_INDEX, {}).body)["msg"]
    assert f"banned until {(START + 300) * 1000}." in message


def test_outage_goes_through_its_four_kinds(open_exchange, clock):
    exchange = open_exchange("outage")
    seen = []
    for second in (0, 60, 120, 180, 240, 300):
        clock.now = START + second
        answer = exchange.answer(ASSET_INDEX, {})
        kind = answer.headers.get("Content-Type")
        seen.append((answer.status, kind, answer.delay_seconds, answer.drop))
    assert seen == [
        (200, "application/json", 0, False),
        (503, "application/json", 0, False),
        (503, "text/html", 0, False),
        (0, None, 0, True),
        (0, None, 60, True),
        (200, "application/json", 0, False),
    ]


def test_outage_begins_in_the_exchanges_words(open_exchange, clock):
    exchange = open_exchange("outage")
    clock.now = START + 60
    assert json.loads(exchange.answer(ASSET_INDEX, {}).body) == {
        "239999": "The system is under maintenance. Please try again later."
    }


def test_frozen_holds_time_and_prices_from_its_beginning(open_exchange, clock):
    exchange, late = open_exchange("frozen"), open_exchange("frozen")
    clock.now = START + 60
    first = index(exchange)
    clock.now = START + 299.9
    assert index(exchange) == index(late) == first
    assert one(exchange, "BTCUSD") == first["BTCUSD"]


def test_frozen_recovers(open_exchange, clock):
    exchange, calm = open_exchange("frozen"), open_exchange("calm")
    clock.now = START + 100
    exchange.answer(ASSET_INDEX, {})
    clock.now = START + 300
    assert index(exchange) == index(calm)
