"""Every page that is generated from the code."""

import json
from pathlib import Path

from docs import alert_tables, chart_values, configuration, metrics, weight_table
from exporter.config.modules import json_schema

ROOT = Path(__file__).parent.parent


def pages() -> dict[str, str]:
    """Return the pages by their path from the root of the repository."""
    return {
        "docs/metrics.md": metrics.page(),
        "docs/config.schema.json": json.dumps(json_schema(), indent=2) + "\n",
        "docs/configuration.md": configuration.page(),
        "docs/alerts.md": alert_tables.page(alert_tables.PAGE, "alerts.yaml"),
        "docs/collateral.md": alert_tables.page(alert_tables.COLLATERAL_PAGE, "collateral.yaml"),
        "docs/scaling.md": weight_table.page(),
        str((chart_values.CHART / "README.md").relative_to(ROOT)): chart_values.page(),
    }
