"""The embedded exchange: it answers as Binance does, and knows nothing of the exporter."""

from exporter.simulator.answers import Answer
from exporter.simulator.exchange import Exchange
from exporter.simulator.scenarios import SCENARIOS, Scenario

__all__ = ["SCENARIOS", "Answer", "Exchange", "Scenario"]
