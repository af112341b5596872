"""A colour for each value of the labels `endpoint` and `reason`, so that it never changes."""

ENDPOINTS = {"assetIndex": "#3D85D8", "exchangeInfo": "#2CA58D"}

# Red: Binance turns this address away. Yellow and orange: Binance or the network is in trouble.
# Blue: an answer that the exporter cannot use.
REASONS = {
    "banned": "dark-red",
    "rate_limited": "red",
    "restricted_location": "light-red",
    "timeout": "orange",
    "connection": "light-orange",
    "http_5xx": "yellow",
    "http_4xx": "#8F6BC8",
    "api_error": "#B07AA1",
    "bad_payload": "#3D85D8",
    "too_large": "#17A7C4",
    "invalid_symbol": "#2CA58D",
}
HELD = {"blocked": "red", "weight_ceiling": "orange"}
REFUSED = {
    "bad_symbol": "#3D85D8",
    "bad_value": "orange",
    "duplicate": "#2CA58D",
    "not_an_object": "#8F6BC8",
}
