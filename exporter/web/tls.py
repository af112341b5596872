"""TLS for the listening socket, with a certificate that can be renewed while it is in use."""

import ssl
from typing import NoReturn

VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}

CLIENT_AUTH = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


def server_context(
    *,
    cert_file: str,
    key_file: str,
    client_auth_type: str,
    client_ca_file: str,
    min_version: str,
    max_version: str,
) -> ssl.SSLContext:
    """Build a context of HTTP/1.1 over TLS; the arguments are the keys of the toolkit's file.

    Raises:
        ValueError: The certificate and the key cannot be used together; it says why.
        OSError: A file cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = VERSIONS[min_version]
    context.maximum_version = VERSIONS[max_version]
    context.set_alpn_protocols(["http/1.1"])
    context.num_tickets = 0  # no client resumes a session older than the trusted CA
    try:
        # Without a password of our own, OpenSSL would ask for one at the terminal.
        context.load_cert_chain(cert_file, key_file, password=_no_password)
    except ssl.SSLError as error:
        reason = error.reason.replace("_", " ").lower() if error.reason else "no PEM key"
        raise ValueError(f"cert_file and key_file do not work together: {reason}") from None
    if client_ca_file:
        context.load_verify_locations(client_ca_file)
    context.verify_mode = CLIENT_AUTH[client_auth_type]
    return context


class RenewableContext:
    """Uses the newest context for each new connection.

    A renewed certificate that is loaded into the active context would leave it without a key for a
    moment, and for good if the new key does not fit. Here a complete new context replaces it in
    one assignment.

    A client that connected over TLS 1.2 may resume its session, even if its CA is no longer
    trusted, until the session or the exporter ends; over TLS 1.3 it may not.

    Attributes:
        context: What to listen with; it stays the same object.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = self._newest = context
        context.sni_callback = self._hand_over

    def renew(self, newest: ssl.SSLContext) -> None:
        """Let new connections use `newest`; open ones do not change."""
        # A connection takes these from the context it begins with, the rest from its newest one.
        self.context.minimum_version = newest.minimum_version
        self.context.maximum_version = newest.maximum_version
        self.context.verify_mode = newest.verify_mode
        self._newest = newest

    def _hand_over(
        self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext
    ) -> None:
        # OpenSSL calls this for every connection, also for one that names no server.
        connection.context = self._newest


def _no_password() -> NoReturn:
    raise ValueError("key_file is encrypted, and there is no way to give its password")
