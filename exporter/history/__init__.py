"""A history of scrapes of the simulator, for Prometheus to load.

Fetcher, client and collector are those of a live scrape; only time and network are simulated.
"""
