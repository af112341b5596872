"""PEM files that a configuration names; each is checked when the configuration is read."""

import ssl
import stat
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from exporter.config.file import expected, in_folder


def _readable(path: str) -> str:
    try:
        # It is read more than once, which a pipe does not allow; opening one could block.
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise ValueError("not a regular file")
        Path(path).open("rb").close()
    except OSError as error:
        raise ValueError(error.strerror) from None
    return path


def _holds_certificates(path: str) -> str:
    store = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        store.load_verify_locations(_readable(path))
    except ssl.SSLError:
        raise ValueError("no PEM certificate in it") from None
    if not store.cert_store_stats()["x509"]:  # it may hold revocation lists only
        raise ValueError("no PEM certificate in it")
    return path


_EXPECTED = expected("a readable file of PEM certificates")

CertificatesFile = Annotated[
    str,
    Field(min_length=1),
    AfterValidator(in_folder),
    AfterValidator(_holds_certificates),
    _EXPECTED,
]
"""The absolute path of a file that held at least one certificate when it was read."""

OptionalCertificatesFile = Annotated[
    str,
    AfterValidator(in_folder),
    AfterValidator(lambda path: path and _holds_certificates(path)),
    _EXPECTED,
]
"""The same, or `""` for none."""

KeyFile = Annotated[
    str,
    Field(min_length=1),
    AfterValidator(in_folder),
    AfterValidator(_readable),
    expected("a readable file with a PEM key"),
]
"""The absolute path of a file; whether the key fits is checked together with the certificate."""
