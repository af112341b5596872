"""The exchange: one request at a time, when it may leave, and what its answers mean."""
