"""What the network sees: listening, paths, negotiation, access."""
