import pytest

from docs.generated import ROOT, pages


@pytest.mark.parametrize("name", pages())
def test_page_is_as_the_code_generates_it(name):
    assert (ROOT / name).read_text() == pages()[name], "run `make docs`"
