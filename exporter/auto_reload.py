"""Reload a configuration that has changed, without a signal: `--config.auto-reload-interval`."""

import threading
from collections.abc import Callable
from contextlib import suppress

from exporter.config.errors import ConfigError
from exporter.config.modules import Settings


class AutoReload:
    """Compares the configuration on disk with the active one.

    It compares what the files say, secrets in files of their own included. So a file that was only
    touched is no change, and a link that was replaced is one.

    Args:
        load: Reads the configuration; raises `ConfigError`.
        active: Returns the active configuration.
        reload: Applies the configuration on disk; logs and raises `ConfigError`.
    """

    def __init__(
        self,
        load: Callable[[], Settings],
        active: Callable[[], Settings],
        reload: Callable[[], None],
    ) -> None:
        self._load = load
        self._active = active
        self._reload = reload
        self._refused = ""

    def run_every(self, seconds: float) -> None:
        """Look every so often, in the background, until the process ends."""

        def look() -> None:
            while not threading.Event().wait(seconds):
                self.look()

        threading.Thread(target=look, daemon=True, name="auto-reload").start()

    def look(self) -> None:
        """Reload if the configuration has changed; an error is reported once."""
        try:
            refused, changed = "", self._load() != self._active()
        except ConfigError as error:
            refused, changed = str(error), str(error) != self._refused
        self._refused = refused
        if changed:
            with suppress(ConfigError):  # the service has logged it
                self._reload()
