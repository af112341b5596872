"""What it takes to scale: one exporter, the store and the rules; `make scaling`."""
