"""Binance's API: send a request when the gate allows it, and decode the response."""
