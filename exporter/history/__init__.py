"""The past that an exporter would have: scrapes of the embedded exchange, for Prometheus to load.

Fetcher, client and collector are those of a live scrape; only time and the network are played.
"""
