import os
import threading
from pathlib import Path

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


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "empty"),
        (" \n\n", "empty"),
        ("# a comment\n", "expected a mapping, got nothing"),
        ("---\n", "expected a mapping, got nothing"),
        ("null\n", "expected a mapping, got nothing"),
        ("~", "expected a mapping, got nothing"),
    ],
)
def test_a_file_without_content_is_an_error(tmp_path, text, error):
    file = tmp_path / "file.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_file(file, Plain)
    assert str(raised.value).removeprefix(str(file)) in (f": {error}", f":1: {error}")


def test_a_pipe_is_read_to_its_end_once(pipe):
    name, writer = pipe
    thread = threading.Thread(target=write_slowly, args=(writer, [b"num", b"ber: ", b"7\n"]))
    thread.start()
    assert load_file(name, Plain) == Plain(number=7)
    thread.join()
    with pytest.raises(ConfigError, match="empty, as a pipe can be read only once"):
        load_file(name, Plain)


def write_slowly(descriptor, chunks):
    with os.fdopen(descriptor, "wb", buffering=0) as stream:
        stream.writelines(chunks)


def test_a_pipe_whose_writer_does_not_finish_is_an_error(pipe, monkeypatch):
    monkeypatch.setattr("exporter.config.file._PIPE_SECONDS", 0.05)
    name, writer = pipe
    with os.fdopen(writer, "wb", buffering=0) as stream:
        stream.write(b"number: 7\n")
        with pytest.raises(ConfigError, match=r"cannot be read: no end after 0\.05 seconds"):
            load_file(name, Plain)


def test_a_named_pipe_without_a_writer_holds_nothing_up(tmp_path):
    fifo = tmp_path / "file.yaml"
    os.mkfifo(fifo)
    with pytest.raises(ConfigError, match="empty, as a pipe can be read only once"):
        load_file(fifo, Plain)


@pytest.fixture
def pipe():
    """A pipe as `<(command)` passes it: the name to read from, the descriptor to write to."""
    reader, writer = os.pipe()
    yield Path(f"/dev/fd/{reader}"), writer
    os.close(reader)
