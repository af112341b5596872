import pytest

from exporter.config.errors import ConfigError
from exporter.config.file import Section, load_file


class Plain(Section):
    number: int = 0


def test_reports_what_pydantic_says_of_a_field_that_does_not_say_what_it_expects(tmp_path):
    file = tmp_path / "file.yaml"
    file.write_text("number: hunter2")
    with pytest.raises(ConfigError) as error:
        load_file(file, Plain)
    assert str(error.value) == f"{file}:1: number: Input should be a valid integer"
