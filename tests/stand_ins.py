"""What stands in for clocks and configuration files."""

from exporter.config.file import ConfigError
from exporter.config.modules import MarginAssetsSettings, ModuleSettings, Settings

BASE_URL = "https://fapi.example"


class Clock:
    """A clock that the test moves."""

    def __init__(self, now: float = 0.0):
        self.now = now

    def __call__(self) -> float:
        return self.now


def module(base_url: str = BASE_URL, **settings) -> ModuleSettings:
    return ModuleSettings(
        base_url=base_url, margin_assets=MarginAssetsSettings(enabled=False), **settings
    )


class Configuration:
    """The configuration file's part: what a load gives, or why it is refused."""

    def __init__(self) -> None:
        self.modules(btc=module(symbols=["BTCUSD"]))
        self.refused: ConfigError | None = None

    def modules(self, **modules: ModuleSettings) -> None:
        """Hold these, and a default one."""
        self.settings = Settings(modules={"default": module()} | modules)

    def load(self) -> Settings:
        if self.refused:
            raise self.refused
        return self.settings
