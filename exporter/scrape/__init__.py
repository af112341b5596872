"""A scrape: which requests it needs, who shares them, and what the log says of them."""
