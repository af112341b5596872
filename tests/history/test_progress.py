import io

from exporter.history.progress import shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_how_far_it_is():
    terminal = Terminal()
    assert list(shown("abcd", 4, "work", terminal)) == list("abcd")
    assert terminal.getvalue() == "\rwork: 0 %\rwork: 25 %\rwork: 50 %\rwork: 75 %\rwork: done\n"


def test_a_terminal_is_written_once_a_percent():
    terminal = Terminal()
    list(shown(range(5000), 5000, "work", terminal))
    assert terminal.getvalue().count("\r") == 101


def test_a_file_gets_nothing():
    file = io.StringIO()
    assert list(shown("abcd", 4, "work", file)) == list("abcd")
    assert file.getvalue() == ""
