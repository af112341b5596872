"""Requests that a foreign web page makes through the browser of somebody who may connect.

A page can post to any address, and a name of its own may lead to this one (DNS rebinding). Then
`Origin` or `Host` name the foreign site.
"""

import ipaddress
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers

_PRIVATE_SUFFIXES = ("localhost", "local", "internal", "svc", "home.arpa")
"""Domains in which nobody can register a name."""


def is_foreign(headers: Headers) -> bool:
    """Return whether `Origin` or `Host` is that of another site than this one.

    An address, a name without a dot, this machine's name and a name of a private domain are no
    foreign hosts: no stranger can make them lead here.
    """
    hosts = headers.getlist("host")
    if not all(map(_is_ours, hosts)):
        return True
    origins = headers.getlist("origin")
    return any(urlsplit(origin).netloc.lower() not in map(str.lower, hosts) for origin in origins)


def _is_ours(host: str) -> bool:
    try:
        name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return False
    if ("." not in name and ":" not in name) or name == socket.gethostname().lower():
        return True
    if name.endswith(tuple(f".{suffix}" for suffix in _PRIVATE_SUFFIXES)):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
