import pytest

from exporter.auto_reload import AutoReload
from exporter.config.errors import ConfigError, ErrorLine
from exporter.config.modules import ModuleSettings, Settings

FIRST = Settings()
SECOND = Settings(modules={"default": ModuleSettings(timeout="9s")})


class Disk:
    """What the files say, and what is active."""

    def __init__(self) -> None:
        self.settings: Settings | ConfigError = FIRST
        self.active = FIRST
        self.reloads = 0

    def load(self) -> Settings:
        if isinstance(self.settings, ConfigError):
            raise self.settings
        return self.settings

    def reload(self) -> None:
        self.reloads += 1
        self.active = self.load()


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def auto_reload(disk) -> AutoReload:
    return AutoReload(disk.load, lambda: disk.active, disk.reload)


def test_leaves_what_has_not_changed(disk, auto_reload):
    auto_reload.look()
    assert disk.reloads == 0


def test_applies_a_change_once(disk, auto_reload):
    disk.settings = SECOND
    auto_reload.look()
    auto_reload.look()
    assert (disk.active, disk.reloads) == (SECOND, 1)


def test_reports_an_error_once_and_the_next_one_again(disk, auto_reload, tmp_path):
    for sentence, reloads in (("a", 1), ("a", 1), ("b", 2)):
        disk.settings = ConfigError(tmp_path, [ErrorLine(1, "", sentence)])
        auto_reload.look()
        assert disk.reloads == reloads
    assert disk.active is FIRST


def test_applies_a_change_after_an_error(disk, auto_reload, tmp_path):
    disk.settings = ConfigError(tmp_path, [ErrorLine(1, "", "a")])
    auto_reload.look()
    disk.settings = SECOND
    auto_reload.look()
    assert disk.active is SECOND


def test_an_error_that_went_away_and_came_back_is_reported_again(disk, auto_reload, tmp_path):
    error = ConfigError(tmp_path, [ErrorLine(1, "", "a")])
    for settings in (error, FIRST, error):
        disk.settings = settings
        auto_reload.look()
    assert disk.reloads == 2
