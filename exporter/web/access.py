"""What the web configuration file switches on, kept up to date while the exporter runs."""

import contextlib
import logging
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from ssl import SSLContext

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter.config.errors import ConfigError, ErrorLine
from exporter.web import config, tls
from exporter.web.config import WebConfig
from exporter.web.logins import Logins, TooManyLogins
from exporter.web.same_site import is_foreign

logger = logging.getLogger(__name__)

_PROTECTED = ("/config", "/-/reload")
_FOREIGN = (
    "Refused: the Host or Origin header names another site. Use this machine's address or name,"
    " or switch on passwords or client certificates.\n"
)

_Fingerprints = dict[Path, tuple[int, int, int] | None]
"""Size, time and inode of each file; None for one that is not there, or not a regular file."""


class Access:
    """The active web configuration.

    A file is applied whole or not at all; after an error the last good one stays active.

    Attributes:
        ssl_context: What to listen with, always the same object; None for plain HTTP.
        headers: To add to every response, by name.
        logins: Who may log in.
    """

    def __init__(self, file: Path | None, note: Callable[[bool], None] = lambda _: None) -> None:
        """Read the file.

        Args:
            file: The web configuration file; None switches nothing on.
            note: Takes, after each later reading, whether the file was accepted.

        Raises:
            ConfigError: The file is refused.
        """
        self._file = file
        self._note = note
        self._refused = ""
        self._config, context, self._fingerprints = _read(file)
        self._tls = tls.RenewableContext(context) if context else None
        self.ssl_context = self._tls.context if self._tls else None
        self.headers = self._config.headers
        self.logins = Logins(self._config.basic_auth_users)

    @property
    def knows_clients(self) -> bool:
        """Whether every client has logged in or shown a certificate."""
        return self.logins.required or self._config.verifies_clients

    def refresh(self) -> None:
        """Apply a changed file, or changed certificates.

        To be called every few seconds, from a worker thread, as it reads files: their content only
        if size, time or inode have changed, or if they were refused the last time. It switches no
        passwords or client certificates off, as the file may be half written: `reload` does.
        """
        if self._refused or self._fingerprints != _fingerprints([*self._fingerprints]):
            with contextlib.suppress(ConfigError):  # logged
                self._update(may_open=False)

    def reload(self) -> None:
        """Read the file and apply it, changed or not.

        Raises:
            ConfigError: The file is refused.
        """
        if self._file is not None:
            self._update(may_open=True)

    def _update(self, *, may_open: bool) -> None:
        assert self._file is not None  # noqa: S101 - both callers check that there is one
        try:
            renewed, context, fingerprints = _read(self._file)
            if sentence := self._objection(renewed, may_open=may_open):
                raise ConfigError(self._file, [ErrorLine(0, "", sentence)])
        except ConfigError as error:
            reason = "; ".join(error.lines)
            if may_open or reason != self._refused:
                logger.warning(
                    "web configuration refused, the last good one stays active",
                    extra={"file": str(self._file), "error": reason},
                )
            self._refused = reason
            self._note(False)
            raise
        self._apply(renewed, context)
        self._fingerprints = fingerprints
        self._refused = ""
        self._note(True)
        logger.info("web configuration reloaded", extra={"file": str(self._file)})

    def _objection(self, renewed: WebConfig, *, may_open: bool) -> str:
        if (renewed.tls_server_config is None) != (self._tls is None):
            return "switching TLS on or off needs a restart"
        if may_open:
            return ""
        if self._config.basic_auth_users and not renewed.basic_auth_users:
            return "switching passwords off needs a reload (SIGHUP or POST /-/reload)"
        if self._config.verifies_clients and not renewed.verifies_clients:
            return "switching client certificates off needs a reload (SIGHUP or POST /-/reload)"
        return ""

    def _apply(self, renewed: WebConfig, context: SSLContext | None) -> None:
        if self._tls and context:
            self._tls.renew(context)
        if renewed.basic_auth_users != self._config.basic_auth_users:
            self.logins = Logins(renewed.basic_auth_users)  # which starts with no known login
        self.headers = renewed.headers
        self._config = renewed


class AccessMiddleware:
    """Answers only requests that `access` admits; adds its headers to every response."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = self._access.headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        refusal = await self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_with_headers if headers else send)

    async def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        address, _ = scope.get("client") or ("", 0)
        try:
            admitted = await self._access.logins.admit(headers.get("authorization"), address)
        except TooManyLogins:
            return PlainTextResponse("Too many logins at once.\n", 503, {"Retry-After": "1"})
        if not admitted:
            return PlainTextResponse("Unauthorized\n", 401, {"WWW-Authenticate": "Basic"})
        if scope["path"] in _PROTECTED and not self._access.knows_clients and is_foreign(headers):
            return PlainTextResponse(_FOREIGN, 403)
        return None


def _read(file: Path | None) -> tuple[WebConfig, SSLContext | None, _Fingerprints]:
    """Read the file once, and then the certificates that it names.

    The fingerprints are taken before each is read, so that no change is missed.
    """
    if file is None:
        return WebConfig(), None, {}
    fingerprints = _fingerprints([file])
    web = config.load(file)
    fingerprints |= _fingerprints(web.files)
    section = web.tls_server_config
    try:
        context = tls.server_context(**section.model_dump()) if section else None
    except (OSError, ValueError) as error:  # the certificates have just changed
        raise ConfigError(file, [ErrorLine(0, "tls_server_config", str(error))]) from None
    return web, context, fingerprints


def _fingerprints(files: Iterable[Path]) -> _Fingerprints:
    return {path: _fingerprint(path) for path in files}


def _fingerprint(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None  # a pipe changes its time when it is read
    return status.st_mtime_ns, status.st_size, status.st_ino
