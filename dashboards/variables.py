"""What can be selected at the top of a dashboard."""

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

from dashboards.queries import TARGET
from dashboards.style import DATASOURCE

Variable = Builder[models.VariableModel]

_ALL = models.VariableOption(text="All", value="$__all", selected=True)


def data_source() -> Variable:
    """The Prometheus that is queried."""
    return builders.DatasourceVariable("datasource").label("Data source").type("prometheus")


def targets() -> list[Variable]:
    """Job and instance of the exporters."""
    metric = "binance_asset_index_up"
    return [
        select("job", f"label_values({metric}, job)"),
        select("instance", f'label_values({metric}{{job=~"$job"}}, instance)'),
    ]


def symbols(*chosen: str) -> Variable:
    """Symbols of the index; all are chosen if none is."""
    return select(
        "symbol", f"label_values(binance_asset_index_price_usd{{{TARGET}}}, symbol)", *chosen
    )


def accounts() -> list[Variable]:
    """Accounts, and the assets of theirs that a what-if is about."""
    values = "account_symbol:binance_collateral_market_value:usd"
    held = f'label_values({values}{{account=~"$account"}}, symbol)'
    return [
        select("account", f"label_values({values}, account)"),
        select("moved", held, "BTCUSD", "ETHUSD", "BNBUSD", label="What if"),
    ]


def select(name: str, query: str, *chosen: str, label: str | None = None) -> Variable:
    """One or several values of a label.

    Args:
        name: Of the variable.
        query: Finds the values.
        chosen: Selected at first; none for all.
        label: What stands before it; its name, if none is given.
    """
    values = list(chosen)
    first = models.VariableOption(text=values, value=values, selected=True) if values else _ALL
    return (
        builders.QueryVariable(name)
        .label(label or name.capitalize())
        .query({"query": query, "refId": name})
        .definition(query)
        .datasource(DATASOURCE)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(first)
    )


def box(name: str, label: str, default: str) -> Variable:
    """A number to type in."""
    return builders.TextBoxVariable(name).label(label).default_value(default)
