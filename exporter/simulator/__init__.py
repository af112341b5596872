"""The built-in simulator: it mimics Binance's API, and knows nothing of the exporter.

exchange = Exchange(scenario="depeg", seed=7)
with serve(exchange) as url:
    requests.get(f"{url}/fapi/v1/assetIndex", timeout=1)
"""

from exporter.simulator.answers import Answer
from exporter.simulator.exchange import Exchange
from exporter.simulator.scenarios import SCENARIOS, Scenario
from exporter.simulator.server import serve

__all__ = ["SCENARIOS", "Answer", "Exchange", "Scenario", "serve"]
