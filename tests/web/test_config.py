import contextlib
from pathlib import Path

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config.errors import ConfigError
from exporter.web import config

TESTDATA = Path(__file__).parents[1] / "testdata" / "web_config"
HASH = bcrypt.hashpw(b"hunter2", bcrypt.gensalt(4)).decode()


@pytest.fixture
def folder(folder, certificate):
    """A folder with the files that the web configuration files of the tests name."""
    (folder / "encrypted_key.pem").write_bytes(certificate("server").encrypted_key)
    (folder / "other_key.pem").write_bytes(certificate("other").key)
    (folder / "rsa_key.pem").write_bytes(certificate("rsa").key)
    return folder


def load(folder, text):
    file = folder / "web.yaml"
    file.write_text(text)
    return config.load(file)


def test_switches_nothing_on_without_a_file():
    web = config.load(None)
    assert web.tls_server_config is None
    assert web.basic_auth_users == {}
    assert web.headers == {}


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "tls_server_config: {}",
        "http_server_config: {}",
        "http_server_config:\n  headers: {}",
        "basic_auth_users: {}",
        "http_server_config:\n  http2: false",
    ],
)
def test_switches_nothing_on_with_empty_sections(tmp_path, text):
    assert load(tmp_path, text) == config.WebConfig()


def test_reads_every_key(folder):
    web = load(
        folder,
        f"""
tls_server_config:
  cert_file: cert.pem
  key_file: {folder}/key.pem
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: cert.pem
  min_version: TLS13
  max_version: TLS13
http_server_config:
  http2: false
  headers:
    X-Frame-Options: deny
    X-Content-Type-Options: nosniff
    X-XSS-Protection: ""
    Strict-Transport-Security: max-age=31536000
    Content-Security-Policy: default-src 'self'
basic_auth_users:
  alice: {HASH}
""",
    )
    assert web.files == [folder / "cert.pem", folder / "key.pem", folder / "cert.pem"]
    assert web.tls_server_config.min_version == "TLS13"
    assert web.basic_auth_users == {"alice": HASH}
    assert web.headers == {
        "X-Frame-Options": "deny",
        "X-Content-Type-Options": "nosniff",
        "Strict-Transport-Security": "max-age=31536000",
        "Content-Security-Policy": "default-src 'self'",
    }


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_takes_the_hashes_of_every_tool(tmp_path, prefix):
    hashed = prefix + HASH[4:]
    assert (
        load(tmp_path, f"basic_auth_users: {{alice: {hashed}}}").basic_auth_users["alice"] == hashed
    )


@pytest.mark.parametrize("file", sorted(TESTDATA.glob("*.bad.yaml")), ids=lambda file: file.name)
def test_reports_the_error_that_the_first_line_of_the_file_names(folder, file):
    text = file.read_text()
    with pytest.raises(ConfigError) as error:
        load(folder, text)
    line = text.splitlines()[0].removeprefix("# ")
    assert str(error.value) == f"{folder / 'web.yaml'}:{line}"


@pytest.mark.parametrize("file", sorted(TESTDATA.glob("*.bad.yaml")), ids=lambda file: file.name)
def test_never_shows_a_password(folder, file):
    with pytest.raises(ConfigError) as error:
        load(folder, file.read_text())
    assert "hunter2" not in str(error.value)


def test_shows_no_hash_if_the_configuration_is_printed(tmp_path):
    assert HASH not in repr(load(tmp_path, f"basic_auth_users: {{alice: {HASH}}}"))


def test_reports_all_errors_at_once(folder):
    with pytest.raises(ConfigError) as error:
        load(
            folder,
            """tls_server_config:
  cert_file: absent.pem
  cipher_suites: []
basic_auth_users:
  alice: hunter2
  bob: hunter2
http_server_config:
  http2: true
""",
        )
    lines = [line.removeprefix(f"{folder}/web.yaml:").split(":")[0] for line in error.value.lines]
    assert lines == ["1", "2", "3", "5", "6", "8"]


@pytest.mark.fuzz
@given(text=st.text("tls_server_config:basic_auth_users{}[] \n$2y"))
def test_no_text_raises_anything_else(tmp_path_factory, text):
    file = tmp_path_factory.getbasetemp() / "any_web.yaml"
    file.write_text(text)
    with contextlib.suppress(ConfigError):
        config.load(file)
