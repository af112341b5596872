"""The names and help texts of all metrics, and the counters of this process."""
