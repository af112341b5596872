"""The Grafana dashboards: `python -m dashboards` writes their JSON beside this file."""
