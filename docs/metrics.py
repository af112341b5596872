"""docs/metrics.md: the catalogue of metrics as tables."""

from exporter.metrics import catalogue


def page() -> str:
    """Return the page."""
    margin = (catalogue.MARGIN_AVAILABLE, catalogue.AUTO_EXCHANGE_THRESHOLD)
    scrape = (
        catalogue.UP,
        catalogue.SCRAPE_DURATION,
        catalogue.SCRAPE_SYMBOLS,
        catalogue.SCRAPE_REJECTED_ROWS,
        catalogue.FETCH_TIMESTAMP,
    )
    api = (
        catalogue.REQUESTS,
        catalogue.REQUEST_FAILURES,
        catalogue.REQUEST_DURATION,
        catalogue.REJECTED_ROWS,
        catalogue.SCRAPES_HELD,
        catalogue.USED_WEIGHT,
        catalogue.WEIGHT_LIMIT,
        catalogue.BLOCKED_UNTIL,
    )
    process = (
        catalogue.BUILD_INFO,
        catalogue.DEMO,
        catalogue.CONFIG_RELOAD_SUCCESSFUL,
        catalogue.CONFIG_RELOAD_TIMESTAMP,
    )
    sections = {
        "The asset index (`/metrics`, `/probe`)": catalogue.INDEX.values(),
        "Margin assets (`/metrics`, `/probe`; from exchangeInfo)": margin,
        "The scrape itself (`/metrics`, `/probe`)": scrape,
        "Binance's API as this process sees it (`/metrics`)": api,
        "The process (`/metrics`)": process,
    }
    text = "# Metrics\n\nGenerated from `exporter/metrics/catalogue.py`; `make docs` writes it.\n"
    for title, specs in sections.items():
        text += f"\n## {title}\n\n"
        text += "| metric | type | labels | values | meaning |\n| --- | --- | --- | --- | --- |\n"
        for spec in specs:
            labels = ", ".join(f"`{label}`" for label in spec.labels)
            text += f"| `{spec.name}` | {spec.type} | {labels} | {spec.values} | {spec.help} |\n"
    return text + "\nBeside these: `process_*` and `python_*`, as every Python exporter has them.\n"
