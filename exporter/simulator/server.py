"""Serves a simulated exchange over HTTP, dropped and hanging connections included."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import parse_qsl

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from exporter.simulator.exchange import Exchange

KEEP_ALIVE_SECONDS = 120
"""Longer than usual scrape intervals, so that a client's pooled connection stays open."""


@contextlib.contextmanager
def serve(exchange: Exchange, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an exchange in a thread of its own.

    It listens inside the block and stops at its end, without waiting for responses that hang. It
    changes neither signal handlers nor logging.

    Args:
        exchange: Used only by the server's thread while it runs.
        host: Address to listen on.
        port: TCP port; 0 for a free one.

    Yields:
        The base URL, without a slash at the end.

    Raises:
        OSError: The address cannot be listened on.
    """
    with socket.create_server((host, port)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted ones inherit it
        config = uvicorn.Config(
            _app(exchange),
            loop="asyncio",
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        server = _Server(config)
        thread = threading.Thread(
            target=server.run, args=([listener],), name="simulator", daemon=True
        )
        thread.start()
        try:
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


class _Protocol(HttpToolsProtocol):
    """uvicorn's connection, with an `abort` in the state, which ASGI lacks."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.access_log = False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["abort"] = self.transport.abort


class _Server(uvicorn.Server):
    """uvicorn's server, which stops without waiting for open connections."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


def _app(exchange: Exchange) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        params = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        answer = exchange.answer(scope["path"], params)
        if answer.delay_seconds:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_disconnect(receive), answer.delay_seconds)
                return
        if answer.drop:
            scope["state"]["abort"]()
            await _disconnect(receive)
            return
        headers = {**answer.headers, "Content-Length": str(len(answer.body))}
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
            }
        )
        await send({"type": "http.response.body", "body": answer.body})

    return app


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
