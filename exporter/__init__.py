"""Prometheus exporter for the asset index of Binance USDⓈ-M futures' Multi-Assets mode."""

__version__ = "0.1.0"
