from pathlib import Path

import pytest

from exporter.config.errors import ConfigError, ErrorLine, found, where


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("modules", "default", "symbols", 0), "modules.default.symbols[0]"),
        (("modules", "9 lives"), 'modules."9 lives"'),
        (("headers", "X-Frame-Options"), "headers.X-Frame-Options"),
        (("proxy_url:http://user:hunter2@proxy",), '"proxy_url:..."'),
        (("x" * 65,), '"' + "x" * 57 + '..."'),
    ],
)
def test_writes_a_key_path_as_people_do(path, text):
    assert where(path) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        (1.5, "1.5"),
        ("no", '"no"'),
        ("币安人生", '"币安人生"'),
        ("a\u2028b", '"a\\u2028b"'),
        ("x" * 61, '"' + "x" * 57 + '..."'),
        ("user:hunter2@proxy", "a string not shown here, as it may hold a password"),
        (["hunter2"], "a list"),
        ({"hunter2": 1}, "a mapping"),
    ],
)
def test_names_what_was_found(value, text):
    assert found(value) == text


def test_reports_errors_in_the_order_of_the_file():
    errors = [ErrorLine(10, "b", "bad"), ErrorLine(9, "a", "bad"), ErrorLine(0, "", "unreadable")]
    assert ConfigError(Path("file"), errors).lines == (
        "file: unreadable",
        "file:9: a: bad",
        "file:10: b: bad",
    )
