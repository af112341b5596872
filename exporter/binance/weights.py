"""What a request costs: the request weight that Binance counts against this address.

Source: the documentation of GET /fapi/v1/assetIndex (10 for all symbols, 1 for one) and
GET /fapi/v1/exchangeInfo (1).
"""

ALL_SYMBOLS = 10
ONE_SYMBOL = 1
EXCHANGE_INFO = 1

ALL_FROM = ALL_SYMBOLS // ONE_SYMBOL
"""From this number of symbols on, one request for all costs no more than one for each."""
