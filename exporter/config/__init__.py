"""The configuration file: YAML into settings, and every error with its line."""
