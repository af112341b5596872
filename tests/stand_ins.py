"""What stands in for clocks, configuration files and the network."""

import contextlib
from collections.abc import Iterator
from unittest import mock

import requests_mock

from exporter.binance.adapter import DeadlineAdapter
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


@contextlib.contextmanager
def mocked_requests() -> Iterator[requests_mock.Mocker]:
    """Responses for all requests of the exporter, which uses no session for a mocker to patch."""
    adapter = requests_mock.Adapter()

    def send(_: DeadlineAdapter, request, **kwargs):
        return adapter.send(request, **kwargs)

    with mock.patch.object(DeadlineAdapter, "send", send):
        yield requests_mock.Mocker(adapter=adapter)


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
