"""The built-in simulator: it mimics Binance's API, and knows nothing of the exporter.

from exporter.simulator.exchange import Exchange
from exporter.simulator.server import serve

exchange = Exchange(scenario="depeg", seed=7)
with serve(exchange) as url:
    requests.get(f"{url}/fapi/v1/assetIndex", timeout=1)
"""
