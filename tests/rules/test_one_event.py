"""Twelve assets whose four haircuts rise at once, seen by two replicas, are twelve alerts."""

from collections.abc import Iterator
from pathlib import Path

from tests.rules.conftest import Promtool
from tests.rules.promtool_files import RULES, write

ASSETS = [
    "USDT",
    "BTC",
    "BNB",
    "ETH",
    "USDC",
    "FDUSD",
    "BNFCR",
    "BFUSD",
    "LDUSDT",
    "RWUSD",
    "USD1",
    "U",
]
BUFFERS = ("bid", "ask", "auto_exchange_bid", "auto_exchange_ask")
REPLICAS = ("a", "b")


def _series() -> Iterator[dict[str, str]]:
    for replica in REPLICAS:
        yield {
            "series": f'binance_asset_index_up{{job="j",instance="{replica}"}}',
            "values": "1x200",
        }
        for asset in ASSETS:
            labels = f'{{job="j",instance="{replica}",symbol="{asset}USD"}}'
            rates = {"price_usd": "1+0.00001x200", "margin_available": "1x200"}
            # the second replica scrapes later
            rise = "0.05x39 0.1x160" if replica == "a" else "0.05x40 0.1x160"
            rates |= {f"{buffer}_buffer_ratio": rise for buffer in BUFFERS}
            rates |= {"bid_rate_usd": "0.95x39 0.9x160", "ask_rate_usd": "1.05x39 1.1x160"}
            for field, values in rates.items():
                yield {"series": f"binance_asset_index_{field}{labels}", "values": values}


def test_each_asset_is_one_alert(run_promtool: Promtool, tmp_path: Path) -> None:
    fired = (
        'count by (alertname, severity) (max_over_time(ALERTS{alertstate="firing",'
        ' alertname!="BinanceRateFormulaMismatch"}[40m]))'
    )
    expected = {
        "labels": '{alertname="BinanceHaircutIncreased",severity="critical"}',
        "value": len(ASSETS),
    }
    document = {
        "rule_files": [str(RULES / "recording.yaml"), str(RULES / "alerts.yaml")],
        "evaluation_interval": "15s",
        "group_eval_order": [
            "binance-asset-index",
            "binance-asset-index-slow",
            "binance-asset-index-alerts",
        ],
        "tests": [
            {
                "interval": "15s",
                "input_series": list(_series()),
                "promql_expr_test": [
                    {"expr": fired, "eval_time": "40m", "exp_samples": [expected]}
                ],
            }
        ],
    }
    done = run_promtool("test", "rules", write(tmp_path / "test.yaml", document))
    assert done.returncode == 0, done.stdout + done.stderr
