import pytest

from docs.generated import ROOT, pages

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_as_the_code_generates_it(name):
    assert (ROOT / name).read_text() == PAGES[name], "run `make docs`"
