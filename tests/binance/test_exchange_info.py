import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.binance.errors import BadPayload
from exporter.binance.exchange_info import MarginAsset, parse_exchange_info

BTC = {"asset": "BTC", "marginAvailable": True, "autoAssetExchange": "-0.10000000"}
LIMIT = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400}


def parse(assets: object, limits: object = ()):
    return parse_exchange_info(json.dumps({"assets": assets, "rateLimits": limits}).encode())


def test_the_capture_is_read_exactly(testdata):
    info = parse_exchange_info(
        (testdata / "captures" / "exchange_info_assets_2025-08-07.json").read_bytes()
    )
    thresholds = {s: asset.auto_exchange_threshold for s, asset in info.assets.items()}
    assert thresholds == {
        "USDTUSD": -10000,
        "BTCUSD": -0.1,
        "BNBUSD": 0,
        "ETHUSD": 0,
        "USDCUSD": -10000,
        "FDUSDUSD": 0,
        "BNFCRUSD": -5000,
        "BFUSDUSD": 0,
        "LDUSDTUSD": 0,
    }
    assert all(asset.available for asset in info.assets.values())
    assert info.weight_limit == 2400


@pytest.mark.parametrize("value", ["yes", 1, None, "true"])
def test_availability_that_is_no_boolean_is_unknown(value):
    assert parse([BTC | {"marginAvailable": value}]).assets["BTCUSD"].available is None


@pytest.mark.parametrize("value", ["", "x", "1e5", "1_0", True, None, 10**400, "9" * 400])
def test_a_threshold_that_is_no_number_is_unknown(value):
    asset = parse([BTC | {"autoAssetExchange": value}]).assets["BTCUSD"]
    assert asset == MarginAsset(available=True, auto_exchange_threshold=None)


@pytest.mark.parametrize("item", [None, 1, "BTC", {}, {"asset": ""}, {"asset": 1}, {"asset": "\n"}])
def test_an_asset_without_a_name_is_left_out(item):
    assert list(parse([item, BTC]).assets) == ["BTCUSD"]


def test_of_two_entries_for_one_asset_the_first_stays():
    info = parse([BTC, BTC | {"marginAvailable": False}])
    assert info.assets["BTCUSD"].available is True


@pytest.mark.parametrize(
    "limits",
    [
        [],
        [LIMIT | {"rateLimitType": "ORDERS"}],
        [LIMIT | {"interval": "SECOND"}],
        [LIMIT | {"limit": 0}],
        [LIMIT | {"limit": True}],
        [LIMIT | {"limit": 10**9 + 1}],
        [LIMIT | {"limit": 10**400}],
        [None],
    ],
)
def test_a_weight_limit_that_is_not_the_minutes_is_unknown(limits):
    assert parse([BTC], limits).weight_limit is None


def test_a_high_weight_limit_as_of_an_embedded_exchange_is_believed():
    assert parse([BTC], [LIMIT | {"limit": 10**9}]).weight_limit == 10**9


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b'{"assets":[]}', b'{"assets":{}}', b"[" * 100_000, b"<"]
)
def test_another_shape_is_refused(body):
    with pytest.raises(BadPayload):
        parse_exchange_info(body)


def test_more_assets_than_any_exchange_has_are_refused():
    assets = [{"asset": f"A{number}"} for number in range(2001)]
    assert len(parse(assets[:-1]).assets) == 2000
    with pytest.raises(BadPayload):
        parse(assets)


@pytest.mark.fuzz
@given(st.binary() | st.text().map(lambda text: f'{{"assets":[{text}]}}'.encode()))
def test_no_body_raises_anything_else(body):
    with contextlib.suppress(BadPayload):
        parse_exchange_info(body)
