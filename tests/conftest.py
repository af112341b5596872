"""What several tests need: the captures, golden files, throw-away certificates."""

import datetime
import functools
import json
import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import settings
from requests_mock import Mocker

from tests.stand_ins import mocked_requests

TESTDATA = Path(__file__).parent / "testdata"

# Prometheus's programs are written in Go: with less garbage collection, and on one core each, they
# take a quarter less CPU
os.environ.setdefault("GOGC", "400")
os.environ.setdefault("GOMAXPROCS", "1")

# a slow machine must not turn a property into a failure
settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("fuzz", settings.get_profile("default"), max_examples=7_000)
settings.load_profile("default")  # `make fuzz` takes the other one by its name


LONG = ("rules", "dashboards", "end_to_end", "deploy", "soak")
"""Folders whose tests run processes, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: no worker is left alone with it at the end."""

    def turn(item: pytest.Item) -> int:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        return LONG.index(folder) if folder in LONG else len(LONG)

    items.sort(key=turn)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers a core: a test that waits for a process leaves its core to another one."""
    return 2 * len(os.sched_getaffinity(0))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )


@pytest.fixture(autouse=True)
def _logging_untouched() -> Iterator[None]:
    """No test sees how another one, or a fixture that outlives it, has configured the log."""
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    for name in ("exporter", "urllib3", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    handlers = root.handlers[:]
    yield
    root.handlers[:] = handlers


@pytest.fixture
def requests_mock() -> Iterator[Mocker]:
    """The plugin's fixture patches sessions only."""
    with mocked_requests() as mocker:
        yield mocker


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with the golden file of that name."""

    def compare(name: str, text: str) -> None:
        file = TESTDATA / "golden" / name
        if request.config.getoption("--update-golden"):
            file.write_text(text)
        assert text == file.read_text()

    return compare


@pytest.fixture
def testdata() -> Path:
    return TESTDATA


@pytest.fixture
def capture() -> Callable[[str], Any]:
    """The exchange's real answers, by file name without its ending."""
    return lambda name: json.loads((TESTDATA / "captures" / f"{name}.json").read_text())


@pytest.fixture(scope="session")
def tool() -> Callable[[str, str], str]:
    """Finds a system tool; without it the test skips, and in CI it fails."""

    def find(name: str, package: str) -> str:
        path = shutil.which(name)
        if path is None:
            message = f"{name} is missing; on Debian: apt-get install {package}"
            pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
        return path

    return find


@pytest.fixture(scope="session")
def jsonnet(tool: Callable[[str, str], str]) -> Callable[[str], Any]:
    """Evaluates jsonnet code in the project's folder; what it makes, as Python's objects."""

    def evaluate(code: str) -> Any:
        done = subprocess.run(
            [tool("jsonnet", "jsonnet"), "-e", code],
            cwd=TESTDATA.parents[1],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return evaluate


LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
LONG_AFTER = datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate and its key, both PEM."""

    cert: bytes
    key: bytes

    def write(self, folder):
        """Write `cert.pem` and `key.pem`."""
        (folder / "cert.pem").write_bytes(self.cert)
        (folder / "key.pem").write_bytes(self.key)

    @property
    def revocation_list(self):
        """A list, PEM too, that revokes nothing."""
        cert = x509.load_pem_x509_certificate(self.cert)
        return (
            x509.CertificateRevocationListBuilder()
            .issuer_name(cert.subject)
            .last_update(LONG_AGO)
            .next_update(LONG_AFTER)
            .sign(serialization.load_pem_private_key(self.key, None), hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )

    @property
    def encrypted_key(self):
        """The key under a password."""
        key = serialization.load_pem_private_key(self.key, None)
        return pem(key, serialization.BestAvailableEncryption(b"hunter2"))


def pem(key, encryption):
    """Write a private key as PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


@pytest.fixture(scope="session")
def certificate():
    """Make the certificate of a name; the same name is the same certificate."""
    return _certificate


@functools.cache
def _certificate(name):
    # A name that says so has a key of another kind.
    is_rsa = name.startswith("rsa")
    key = (
        rsa.generate_private_key(65537, 2048) if is_rsa else ec.generate_private_key(ec.SECP256R1())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    cert = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(LONG_AGO)
        .not_valid_after(LONG_AFTER)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Certificate(
        cert.public_bytes(serialization.Encoding.PEM), pem(key, serialization.NoEncryption())
    )
