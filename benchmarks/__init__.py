"""What a scrape costs, next to other exporters of the same data: `make bench`."""
