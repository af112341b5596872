"""The embedded exchange: market, scenarios, server. It knows nothing of the exporter."""
