"""The style sheet and the script of the status page, and what a browser may load for it."""

from collections.abc import Awaitable, Callable
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'"
)
"""What the page needs; one in the web configuration file replaces it."""

_FILES = {"status.css": "text/css", "status.js": "text/javascript"}


def status_files() -> list[Route]:
    """Serve the style sheet and the script: inline, a Content-Security-Policy may forbid them."""
    return [Route(f"/-/{name}", _file(name, media_type)) for name, media_type in _FILES.items()]


def _file(name: str, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    body = files("exporter.web").joinpath(name).read_bytes()

    async def answer(_: Request) -> Response:
        return Response(body, media_type=media_type, headers={"Cache-Control": "no-cache"})

    return answer
