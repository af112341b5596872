import re

import pytest

from docs import metrics
from exporter.metrics import catalogue
from exporter.metrics.catalogue import Spec

SPECS = [
    *(value for value in vars(catalogue).values() if isinstance(value, Spec)),
    *catalogue.INDEX.values(),
]


def test_the_page_in_the_docs_names_every_metric():
    page = metrics.page()
    assert all(f"| `{spec.name}` |" in page for spec in SPECS)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_names_follow_the_guide(spec):
    assert re.fullmatch(r"binance_(asset_index|api)_[a-z_]+[a-z]", spec.name)
    assert spec.name.endswith("_total") == (spec.type == "counter")
    assert spec.name.endswith(f"_{spec.unit}") or not spec.unit


@pytest.mark.parametrize("spec", catalogue.INDEX.values(), ids=lambda spec: spec.name)
def test_every_help_of_the_index_names_its_api_field(spec):
    assert re.search(r"\(API field [a-zA-Z]+[),]", spec.help)
