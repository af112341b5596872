"""A TCP server that answers exactly as a test says, however wrong that is."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Script = Callable[[socket.socket], None]
"""Plays the server's part on one accepted connection."""


@contextlib.contextmanager
def raw_server(script: Script) -> Iterator[str]:
    """Serve each connection with `script` in a thread; yields `http://127.0.0.1:PORT`."""
    stop = threading.Event()
    open_connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def play(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                script(connection)

        def accept() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                open_connections.append(connection)
                threading.Thread(target=play, args=(connection,), daemon=True).start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for connection in open_connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def read_request(connection: socket.socket) -> bytes:
    """Read up to the end of a request's head; empty where the client has left."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        received = connection.recv(65536)
        if not received:
            return b""
        head += received
    return head


def trickle(connection: socket.socket, data: bytes, pause: float = 0.02) -> None:
    """Send one byte at a time."""
    silence = threading.Event()
    for byte in data:
        connection.sendall(bytes([byte]))
        silence.wait(pause)


def ok(body: bytes, headers: bytes = b"") -> bytes:
    """A whole 200."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), headers, body)
