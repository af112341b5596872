import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config import strict_yaml
from exporter.config.errors import ConfigError

FILE = Path("file.yaml")
ANCHORS = "anchors and aliases (& and *) are not supported"


def parse(text):
    document = strict_yaml.parse(text, FILE)
    assert document.errors == ()
    return document.data


def errors(text):
    return [f"{error.line}: {error}" for error in strict_yaml.parse(text, FILE).errors]


def refusal(text):
    with pytest.raises(ConfigError) as error:
        strict_yaml.parse(text, FILE)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("1.50", 1.5),
        ("1e3", 1000.0),
    ],
)
def test_reads_what_json_has(text, value):
    data = parse(f"key: {text}")["key"]
    assert data == value
    assert type(data) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *["yes", "no", "on", "off", "y", "n", "True", "FALSE", "NULL", "2026-11-22", "<<", "="],
        *["1:30", "010", "0o10", "0x1F", "0b1", "1_000", "+1", ".5", "1.", ".inf", ".nan"],
    ],
)
def test_reads_everything_else_as_text(text):
    assert parse(f"key: {text}") == {"key": text}


@pytest.mark.parametrize("text", ['"5"', "'true'", "|-\n  5"])
def test_reads_quoted_text_as_text(text):
    assert isinstance(parse(f"key: {text}")["key"], str)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null"])
def test_reads_an_empty_document_as_nothing(text):
    assert parse(text) is None


def test_reads_a_number_of_20_digits_as_text():
    assert parse("key: " + "9" * 20) == {"key": "9" * 20}


def test_has_no_merge_keys():
    assert parse("<<: {a: 1}") == {"<<": {"a": 1}}


def test_knows_the_line_of_each_key():
    document = strict_yaml.parse("a:\n  b: 1\n\n  c:\n    - 2\n    - d: 3\n", FILE)
    assert [
        document.line(path)
        for path in [(), ("a",), ("a", "b"), ("a", "c"), ("a", "c", 0), ("a", "c", 1, "d")]
    ] == [1, 1, 2, 4, 5, 6]


def test_gives_the_line_of_the_holder_for_a_key_that_is_not_there():
    assert strict_yaml.parse("\na:\n  b: 1\n", FILE).line(("a", "x", "y")) == 2


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "a: 1\nb: 2\na: 3\nb: 4\n",
            [
                "3: a: duplicate key, first given on line 1",
                "4: b: duplicate key, first given on line 2",
            ],
        ),
        ("a:\n  b: 1\n  'b': 2", ["3: a.b: duplicate key, first given on line 2"]),
        ("a:\n  5: x", ["2: a: expected a string as key, got 5"]),
        ("true: x", ["1: expected a string as key, got true"]),
        ("? [1, 2]\n: x", ["1: expected a string as key, got a list"]),
        ("? {a: 1}\n: x", ["1: expected a string as key, got a mapping"]),
        ("a: &x 1\nb: *x", [f"1: a: {ANCHORS}", f"2: b: {ANCHORS}"]),
        ("- *x", [f"1: [0]: {ANCHORS}"]),
        ("*x", [f"1: {ANCHORS}"]),
        ("a: !!python/object:os.system {}", ["1: a: tags (!) are not supported"]),
        ("a: !!str 5", ["1: a: tags (!) are not supported"]),
        ("a: 1\n---\nb: 2", ["2: expected one YAML document, got another one"]),
        ('a: "x\\0y"', ["1: a: a control character"]),
        ('a: "\\ud800"', ["1: a: a control character"]),
        ('"a\\eb": 1', ["1: a control character"]),
    ],
)  # fmt: skip
def test_reports_every_error_that_leaves_a_document(text, lines):
    assert errors(text) == lines


def test_leaves_out_what_it_refused():
    assert strict_yaml.parse("a: *x\nb: [*x, 1]\n5: 6", FILE).data == {"b": [1]}


def test_keeps_the_first_of_two_keys():
    assert strict_yaml.parse("a: 1\na: 2", FILE).data == {"a": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "1: column 5: not YAML: mapping values are not allowed here"),
        (
            "a: 1\n\tb: 2",
            "2: column 1: not YAML: found character '\\t' that cannot start any token",
        ),
        ("a: [1, 2", "1: column 9: not YAML: expected ',' or ']', but got the stream end"),
        ('a: "b', "1: column 6: not YAML: found unexpected end of stream"),
        ("a: !hunter!2 b", "1: column 4: not YAML: found undefined tag handle"),
        ("a: 1\nb: \x07", "2: column 4: a control character"),
        ('\na: "\\U00110000"', "2: not YAML: a number out of range"),
        ("%YAML 1." + "9" * 5000 + "\n--- a", "1: not YAML: a number out of range"),
        ("[" * 1000, "1: nested deeper than 20 levels"),
    ],
)  # fmt: skip
def test_reports_a_syntax_error_in_one_sentence(text, message):
    assert refusal(text) == f"{FILE}:{message}"


@pytest.mark.fuzz
@given(st.text() | st.text(alphabet="ab:-[]{}\"'&*!%|>?#,@`\n \t\\~01<"))
def test_no_text_raises_anything_else(text):
    with contextlib.suppress(ConfigError):
        strict_yaml.parse(text, FILE)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["C"]))
    | st.sampled_from(["1e3", "1E3", "yes", "null", "~", "010", "1:30", "", "2026-11-22"])
)


@pytest.mark.fuzz
@given(st.dictionaries(st.text("abc1e~", min_size=1), SCALARS | st.lists(SCALARS)))
def test_reads_what_it_writes(data):
    assert parse(strict_yaml.dump(data)) == data
