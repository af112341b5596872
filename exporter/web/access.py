"""What the web configuration file switches on, kept up to date while the exporter runs."""

import logging
from pathlib import Path
from ssl import SSLContext

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter.config.errors import ConfigError
from exporter.web import config, tls
from exporter.web.config import WebConfig
from exporter.web.logins import Logins, TooManyLogins

logger = logging.getLogger(__name__)

_Stamps = dict[Path, tuple[int, int, int] | None]


class Access:
    """The web configuration in force.

    Attributes:
        ssl_context: What to listen with, the same object for good; None for plain HTTP.
        headers: To add to every response, by name.
        logins: Who may come in.
    """

    def __init__(self, file: Path | None) -> None:
        """Read the file; None switches nothing on.

        Raises:
            ConfigError: The file is refused.
        """
        self._file = file
        self._refused = ""
        self._config, self._stamps = self._read()
        context = _server_context(self._config)
        self._tls = tls.RenewableContext(context) if context else None
        self.ssl_context = self._tls.context if self._tls else None
        self.headers = self._config.headers
        self.logins = Logins(self._config.basic_auth_users)

    def refresh(self) -> None:
        """Put a changed file in force, the certificates it names included.

        To be called every few seconds, from a worker thread, as it reads files: their content only
        where size, time or inode have changed, or where they were refused the last time.
        """
        if self._file is None or (
            not self._refused and self._stamps == _stamps(self._file, self._config)
        ):
            return
        try:
            renewed, stamps = self._read()
            context = _server_context(renewed)
        except (ConfigError, OSError, ValueError) as error:
            reason = "; ".join(str(error).splitlines())
            if reason != self._refused:
                logger.warning(
                    "web configuration refused, the last good one stays in force",
                    extra={"file": str(self._file), "error": reason},
                )
            self._refused = reason
            return
        self._put_in_force(renewed, context)
        self._stamps = stamps
        self._refused = ""
        logger.info("web configuration reloaded", extra={"file": str(self._file)})

    def _put_in_force(self, renewed: WebConfig, context: SSLContext | None) -> None:
        if self._tls and context:
            self._tls.renew(context)
        elif self._tls or context:
            logger.warning(
                "switching TLS on or off needs a restart",
                extra={"file": str(self._file), "tls": "on" if self._tls else "off"},
            )
        if renewed.basic_auth_users != self._config.basic_auth_users:
            self.logins = Logins(renewed.basic_auth_users)  # which knows none as good yet
        self.headers = renewed.headers
        self._config = renewed

    def _read(self) -> tuple[WebConfig, _Stamps]:
        """Read the file, with stamps that are older than what was read, so no change is missed."""
        if self._file is None:
            return WebConfig(), {}
        stamps = _stamps(self._file, config.load(self._file))
        return config.load(self._file), stamps


class AccessMiddleware:
    """Lets in whom `access` admits, and adds its headers to every response."""

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

        answer = await self._answer_at_the_door(Headers(scope=scope).get("authorization"))
        await (answer or self._app)(scope, receive, send_with_headers)

    async def _answer_at_the_door(self, authorization: str | None) -> PlainTextResponse | None:
        try:
            admitted = await self._access.logins.admit(authorization)
        except TooManyLogins:
            return PlainTextResponse("Too many logins at once.\n", 503, {"Retry-After": "1"})
        if admitted:
            return None
        return PlainTextResponse("Unauthorized\n", 401, {"WWW-Authenticate": "Basic"})


def _server_context(web: WebConfig) -> SSLContext | None:
    section = web.tls_server_config
    return tls.server_context(**section.model_dump()) if section else None


def _stamps(file: Path, web: WebConfig) -> _Stamps:
    """Tell the files of a configuration from what they will be when they change."""
    return {path: _stamp(path) for path in (file, *web.files)}


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
