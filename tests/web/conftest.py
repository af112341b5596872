"""For the tests of the web configuration: files, and a request without a network."""

import asyncio
import base64
import sys
import threading
from types import SimpleNamespace

import bcrypt
import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from exporter.web.access import AccessMiddleware


def hashed(password, cost=4):
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


USERS = {"alice": hashed("hunter2"), "bob": hashed("hunter3", cost=5)}


def users(**hashes):
    """Write the section of the file that has these users."""
    return "basic_auth_users:\n" + "".join(f"  {name}: {it}\n" for name, it in hashes.items())


def basic(user, password):
    """Write an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def app(scope, receive, send):
    headers = {"X-Frame-Options": "sameorigin", "X-Own": "1"}
    await PlainTextResponse("in", headers=headers)(scope, receive, send)


def get(access, authorization=None, path="/", **more):
    """Ask the app behind `access`, as a server would."""

    async def send(message):
        messages.append(message)

    messages = []
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    headers += [(name.encode(), value.encode()) for name, value in more.items()]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
    asyncio.run(AccessMiddleware(app, access)(scope, None, send))
    start, body = messages
    return SimpleNamespace(
        status=start["status"], headers=Headers(scope=start), text=body["body"].decode()
    )


@pytest.fixture
def write(tmp_path):
    """Write the web configuration file, the way an editor does: another file, moved over it."""

    def write(text):
        new = tmp_path / "web.yaml.new"
        new.write_text(text)
        return new.replace(tmp_path / "web.yaml")

    return write


@pytest.fixture
def folder(tmp_path, certificate):
    """The folder of that file, with a certificate."""
    certificate("server").write(tmp_path)
    return tmp_path


class Checks:
    """Stands in for bcrypt: keeps what was checked, and holds checks up until `go_on` is set."""

    def __init__(self):
        self.seen = []
        self.threads = set()
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def checkpw(self, password, hashed_password):
        self.threads.add(threading.get_ident())
        self.seen.append((password, hashed_password))
        self.begun.set()
        assert self.go_on.wait(10)
        return bcrypt.checkpw(password, hashed_password)

    def hashpw(self, password, salt):
        self.seen.append((password, salt))
        return bcrypt.hashpw(password, salt)


@pytest.fixture
def checks(monkeypatch):
    checks = Checks()
    monkeypatch.setitem(sys.modules, "bcrypt", checks)  # imported when first needed
    yield checks
    checks.go_on.set()
