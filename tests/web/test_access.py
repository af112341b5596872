import asyncio
import base64
import logging
import os
import socket
import ssl
from pathlib import Path

import pytest

from exporter.config.errors import ConfigError
from exporter.web import logins
from exporter.web.access import Access, AccessMiddleware
from tests.web.conftest import USERS, basic, get, hashed, users

TLS = "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"
HEADERS = "http_server_config: {headers: {X-Frame-Options: deny}}\n"


def test_admits_everyone_without_a_file():
    assert get(Access(None)).text == "in"


def test_refuses_a_bad_file_at_the_start(write):
    with pytest.raises(ConfigError):
        Access(write("users: {}"))


def test_admits_a_user(write):
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
def test_refuses_everyone_else(write, authorization):
    answer = get(Access(write(users(**USERS))), authorization)
    assert (answer.status, answer.text) == (401, "Unauthorized\n")
    assert answer.headers["WWW-Authenticate"] == "Basic"


def test_takes_the_scheme_in_any_case(write):
    access = Access(write(users(**USERS)))
    assert get(access, basic("alice", "hunter2").replace("Basic", "BASIC ")).status == 200


def test_admits_a_password_of_72_bytes(write):
    access = Access(write(users(alice=hashed("x" * 72))))
    assert get(access, basic("alice", "x" * 72)).status == 200
    assert get(access, basic("alice", "x" * 73)).status == 401


def test_admits_a_password_with_a_colon(write):
    access = Access(write(users(alice=hashed("a:b"))))
    assert get(access, basic("alice", "a:b")).status == 200


def test_passes_lifespan_on_without_a_password(write):
    async def app(scope, receive, send):
        passed.append(scope["type"])

    passed = []
    middleware = AccessMiddleware(app, Access(write(users(**USERS))))
    asyncio.run(middleware({"type": "lifespan"}, None, None))
    assert passed == ["lifespan"]


def test_asks_to_come_back_if_too_many_wait(write, monkeypatch):
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


def test_reads_nothing_if_nothing_changed(write, folder, monkeypatch):
    access = Access(write(TLS))
    monkeypatch.setattr("exporter.web.access.config.load", None)
    access.refresh()


def test_knows_good_logins_after_a_renewed_certificate(write, folder, certificate, checks):
    access = Access(write(TLS + users(**USERS)))
    get(access, basic("alice", "hunter2"))
    certificate("renewed").write(folder)
    access.refresh()
    get(access, basic("alice", "hunter2"))
    passwords = [password for password, _ in checks.seen]
    assert passwords.count(b"hunter2") == 1


def test_keeps_the_last_good_file_and_warns_once(write, caplog):
    access = Access(write(users(**USERS)))
    file = write("basic_auth_users: {alice: hunter2}\nrate_limit: {}\n")
    for _ in range(3):
        access.refresh()
    assert get(access).status == 401
    assert [(it.levelname, it.message) for it in caplog.records] == [
        ("WARNING", "web configuration refused, the last good one stays active")
    ]
    assert caplog.records[0].file == str(file)
    assert caplog.records[0].error.startswith(
        f"{file}:1: basic_auth_users.alice: expected a bcrypt"
    )
    assert caplog.records[0].error.endswith(
        f"; {file}:2: rate_limit: is not supported by this exporter"
    )


def test_notes_whether_a_changed_file_was_accepted(write):
    noted = []
    access = Access(write(HEADERS), noted.append)
    for content in ("nonsense", HEADERS):
        write(content)
        access.refresh()
    assert noted == [False, True]


def test_logs_that_a_file_is_good_again(write, caplog):
    caplog.set_level(logging.INFO)
    access = Access(write(HEADERS))
    write("nonsense")
    access.refresh()
    write(HEADERS)
    access.refresh()
    assert caplog.messages[1:] == ["web configuration reloaded"]


def test_keeps_the_last_good_file_if_it_is_gone(write, caplog):
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


@pytest.mark.parametrize(("before", "after"), [(TLS, ""), ("", TLS)])
@pytest.mark.usefixtures("folder")
def test_switching_tls_needs_a_restart(write, caplog, before, after):
    access = Access(write(before + HEADERS))
    context = access.ssl_context
    write(after + HEADERS.replace("deny", "sameorigin"))
    access.refresh()
    access.refresh()
    assert access.ssl_context is context
    assert access.headers == {"X-Frame-Options": "deny"}
    assert len(caplog.records) == 1
    assert caplog.records[0].error.endswith(": switching TLS on or off needs a restart")
    with pytest.raises(ConfigError, match="needs a restart"):
        access.reload()


@pytest.mark.parametrize("truncated", ["", "\n", "basic_auth_users:\n", "# users", HEADERS, "{}"])
def test_a_truncated_file_lets_nobody_in(write, caplog, truncated):
    access = Access(write(HEADERS + users(**USERS)))
    write(truncated)
    access.refresh()
    assert get(access).status == 401
    assert len(caplog.records) == 1


def test_a_reload_switches_passwords_off(write):
    access = Access(write(users(**USERS)))
    write(HEADERS)
    access.refresh()
    access.reload()
    assert get(access).status == 200


CLIENTS = TLS.replace(
    "}\n", ", client_ca_file: cert.pem, client_auth_type: RequireAndVerifyClientCert}\n"
)


@pytest.mark.usefixtures("folder")
def test_only_a_reload_switches_client_certificates_off(write):
    access = Access(write(CLIENTS))
    write(TLS)
    access.refresh()
    assert access.ssl_context.verify_mode == ssl.CERT_REQUIRED
    access.reload()
    assert access.ssl_context.verify_mode == ssl.CERT_NONE


def test_a_reload_reads_a_file_that_seems_unchanged(write, folder, certificate, caplog):
    caplog.set_level(logging.INFO)
    access = Access(write(TLS))
    access.reload()
    assert caplog.messages == ["web configuration reloaded"]


def test_a_refused_reload_says_why(write):
    access = Access(write(users(**USERS)))
    write("")
    with pytest.raises(ConfigError, match=r"web\.yaml: empty"):
        access.reload()
    assert get(access).status == 401


def test_a_pipe_is_read_once_and_not_looked_at_again(caplog):
    reader, writer = os.pipe()
    os.write(writer, users(**USERS).encode())
    os.close(writer)
    access = Access(Path(f"/dev/fd/{reader}"))
    access.refresh()
    assert caplog.messages == []
    with pytest.raises(ConfigError, match="empty, as a pipe can be read only once"):
        access.reload()
    os.close(reader)
    assert get(access).status == 401


def test_has_nothing_to_read_without_a_file():
    Access(None).refresh()
    Access(None).reload()


@pytest.mark.parametrize("path", ["/config", "/-/reload"])
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:10198", "origin": "http://evil.example:10198"},
        {"host": "localhost.evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "localhost:10198", "origin": "https://evil.example"},
        {"host": "localhost:10198", "origin": "http://localhost:3000"},
        {"host": "192.0.2.1:10198", "origin": "null"},
        {"host": "[evil"},
    ],
)
def test_a_foreign_page_can_neither_reload_nor_read_the_configuration(path, headers):
    assert get(Access(None), path=path, **headers).status == 403
    assert get(Access(None), path="/metrics", **headers).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "localhost:10198", "origin": "http://localhost:10198"},
        {"host": "127.0.0.1:10198"},
        {"host": "[::1]:10198", "origin": "http://[::1]:10198"},
        {"host": "exporter:10198"},
        {"host": "Exporter.monitoring.svc.cluster.local:10198"},
        {"host": "exporter.monitoring.svc"},
        {"host": socket.gethostname()},
    ],
)
def test_who_asks_by_a_name_that_no_stranger_owns_is_no_foreigner(headers):
    assert get(Access(None), path="/config", **headers).status == 200


FOREIGN = {"host": "exporter.example.com", "origin": "https://other.example.com"}


def test_a_login_makes_every_name_good(write):
    access = Access(write(users(**USERS)))
    assert get(access, basic("alice", "hunter2"), path="/config", **FOREIGN).status == 200
    assert get(access, path="/config", **FOREIGN).status == 401


@pytest.mark.usefixtures("folder")
def test_only_verified_client_certificates_make_every_name_good(write):
    assert get(Access(write(CLIENTS)), path="/config", **FOREIGN).status == 200
    given = CLIENTS.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
    assert get(Access(write(given)), path="/config", **FOREIGN).status == 403
