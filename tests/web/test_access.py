import asyncio
import base64
import logging
import os

import pytest

from exporter.config.errors import ConfigError
from exporter.web import logins
from exporter.web.access import Access, AccessMiddleware
from tests.web.conftest import USERS, basic, get, hashed, users

TLS = "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"
HEADERS = "http_server_config: {headers: {X-Frame-Options: deny}}\n"


def test_lets_everyone_in_without_a_file():
    assert get(Access(None)).text == "in"


def test_refuses_a_bad_file_at_the_start(write):
    with pytest.raises(ConfigError):
        Access(write("users: {}"))


def test_lets_a_user_in(write):
    access = Access(write(users(**USERS)))
    assert get(access, basic("alice", "hunter2")).text == "in"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic " + base64.b64encode(b"alice").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b":").decode(),
        "Bearer " + base64.b64encode(b"alice:hunter2").decode(),
        basic("alice", "hunter3"),
        basic("Alice", "hunter2"),
        basic("carol", "hunter2"),
        basic("alice", ""),
        basic("alice", "x" * 73),
        basic("alice", "hunter2" + "x" * 73),
        basic("alice", "hunter2\0"),
    ],
)
def test_lets_nobody_else_in(write, authorization):
    answer = get(Access(write(users(**USERS))), authorization)
    assert (answer.status, answer.text) == (401, "Unauthorized\n")
    assert answer.headers["WWW-Authenticate"] == "Basic"


def test_takes_the_scheme_in_any_case(write):
    access = Access(write(users(**USERS)))
    assert get(access, basic("alice", "hunter2").replace("Basic", "BASIC ")).status == 200


def test_lets_a_password_of_72_bytes_in(write):
    access = Access(write(users(alice=hashed("x" * 72))))
    assert get(access, basic("alice", "x" * 72)).status == 200
    assert get(access, basic("alice", "x" * 73)).status == 401


def test_lets_a_password_with_a_colon_in(write):
    access = Access(write(users(alice=hashed("a:b"))))
    assert get(access, basic("alice", "a:b")).status == 200


def test_passes_lifespan_on_without_a_password(write):
    async def app(scope, receive, send):
        passed.append(scope["type"])

    passed = []
    middleware = AccessMiddleware(app, Access(write(users(**USERS))))
    asyncio.run(middleware({"type": "lifespan"}, None, None))
    assert passed == ["lifespan"]


def test_asks_to_come_back_where_too_many_wait(write, monkeypatch):
    monkeypatch.setattr(logins, "_MAX_WAITING", 0)
    answer = get(Access(write(users(**USERS))), basic("alice", "hunter2"))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


def test_adds_its_headers_to_every_answer(write):
    answer = get(Access(write(HEADERS)))
    assert answer.headers["X-Frame-Options"] == "deny"
    assert answer.headers["X-Own"] == "1"


def test_adds_its_headers_to_a_refusal(write):
    answer = get(Access(write(HEADERS + users(**USERS))))
    assert (answer.status, answer.headers["X-Frame-Options"]) == (401, "deny")


def test_takes_a_new_password_after_refresh(write):
    access = Access(write(users(alice=hashed("old"))))
    assert get(access, basic("alice", "old")).status == 200
    write(users(alice=hashed("new")))
    access.refresh()
    assert get(access, basic("alice", "old")).status == 401
    assert get(access, basic("alice", "new")).status == 200


def test_sends_new_headers_after_refresh(write):
    access = Access(write(HEADERS))
    write(HEADERS.replace("deny", "sameorigin"))
    access.refresh()
    assert get(access).headers["X-Frame-Options"] == "sameorigin"


def test_notices_a_file_of_the_same_time_and_size(write, tmp_path):
    file = write(HEADERS.replace("deny", '"deny"'))
    access = Access(file)
    before = file.stat()
    write(HEADERS.replace("deny", '""    '))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    access.refresh()
    assert access.headers == {}


def test_reads_nothing_where_nothing_changed(write, folder, monkeypatch):
    access = Access(write(TLS))
    monkeypatch.setattr("exporter.web.access.config.load", None)
    access.refresh()


def test_knows_good_logins_after_a_renewed_certificate(write, folder, certificate, checks):
    access = Access(write(TLS + users(**USERS)))
    get(access, basic("alice", "hunter2"))
    certificate("renewed").write(folder)
    access.refresh()
    get(access, basic("alice", "hunter2"))
    assert len(checks.seen) == 1


def test_keeps_the_last_good_file_and_warns_once(write, caplog):
    access = Access(write(users(**USERS)))
    file = write("basic_auth_users: {alice: hunter2}\nrate_limit: {}\n")
    for _ in range(3):
        access.refresh()
    assert get(access).status == 401
    assert [(it.levelname, it.message) for it in caplog.records] == [
        ("WARNING", "web configuration refused, the last good one stays in force")
    ]
    assert caplog.records[0].file == str(file)
    assert caplog.records[0].error.startswith(
        f"{file}:1: basic_auth_users.alice: expected a bcrypt"
    )
    assert caplog.records[0].error.endswith(
        f"; {file}:2: rate_limit: is not supported by this exporter"
    )


def test_tells_that_a_file_is_good_again(write, caplog):
    caplog.set_level(logging.INFO)
    access = Access(write(HEADERS))
    write("nonsense")
    access.refresh()
    write(HEADERS)
    access.refresh()
    assert caplog.messages[1:] == ["web configuration reloaded"]


def test_keeps_the_last_good_file_where_it_is_gone(write, caplog):
    access = Access(write(users(**USERS)))
    write("").unlink()
    access.refresh()
    assert get(access).status == 401
    assert caplog.records[0].error.endswith("cannot be read: No such file or directory")


def test_notices_the_certificate_that_a_refused_file_named(write, folder, certificate):
    access = Access(write(TLS))
    write(TLS.replace("cert.pem", "new.pem"))
    access.refresh()
    (folder / "new.pem").write_bytes(certificate("server").cert)
    access.refresh()
    write(TLS.replace("cert.pem", "new.pem") + HEADERS)
    access.refresh()
    assert access.headers == {"X-Frame-Options": "deny"}


@pytest.mark.parametrize(("before", "after", "state"), [(TLS, "", "on"), ("", TLS, "off")])
@pytest.mark.usefixtures("folder")
def test_tells_that_switching_tls_needs_a_restart(write, caplog, before, after, state):
    access = Access(write(before))
    context = access.ssl_context
    write(after + HEADERS)
    access.refresh()
    access.refresh()
    assert access.ssl_context is context
    assert access.headers == {"X-Frame-Options": "deny"}
    assert [(it.message, it.tls) for it in caplog.records if it.levelname == "WARNING"] == [
        ("switching TLS on or off needs a restart", state)
    ]


def test_has_nothing_to_refresh_without_a_file():
    Access(None).refresh()
