"""PEM files that a configuration names."""

import ssl
from typing import Annotated

from pydantic import AfterValidator

from exporter.config_file import expected, in_folder


def _holds_certificates(path: str) -> str:
    if not path:
        return path
    store = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        store.load_verify_locations(path)
    except ssl.SSLError:
        raise ValueError("no PEM certificate in it") from None
    except OSError as error:
        raise ValueError(error.strerror) from None
    if not store.cert_store_stats()["x509"]:  # it may hold revocation lists only
        raise ValueError("no PEM certificate in it")
    return path


CertificatesFile = Annotated[
    str,
    AfterValidator(in_folder),
    AfterValidator(_holds_certificates),
    expected("a readable file of PEM certificates"),
]
"""The absolute path of a file that held at least one certificate when it was read; or `""`."""
