"""The web configuration file: TLS, passwords and headers, in exporter-toolkit's format.

https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
"""

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from exporter.config.certificate_files import CertificatesFile, KeyFile, OptionalCertificatesFile
from exporter.config.file import Section, expected, load_file, refusal, with_content
from exporter.web import tls

_BCRYPT = re.compile(
    r"(\$2[aby]\$)(?:0[4-9]|[12][0-9]|3[01])(\$[./A-Za-z0-9]{22})[./A-Za-z0-9]{31}"
)


def _known_client_auth(name: str) -> str:
    if name in ("RequestClientCert", "RequireClientCert", "RequireAnyClientCert"):
        raise ValueError("this exporter takes no client certificate without verifying it")
    if name not in tls.CLIENT_AUTH:
        raise ValueError
    return name


def _refuse_http2(switched_on: bool) -> bool:
    if switched_on:
        raise ValueError
    return False


def _bcrypt_hash(text: str) -> str:
    if not (match := _BCRYPT.fullmatch(text)):
        raise ValueError
    import bcrypt  # noqa: PLC0415 - without passwords nothing needs it

    # Whether bcrypt takes the salt, asked at the lowest cost as the right one may take seconds.
    bcrypt.hashpw(b"", f"{match[1]}04{match[2]}".encode())
    return text


Version = Annotated[Literal["TLS12", "TLS13"], expected("TLS12 or TLS13")]

HeaderValue = Annotated[
    str, Field(pattern="^[ -~]*$"), expected("a string of printable ASCII characters")
]

UserName = Annotated[
    str,
    Field(pattern="^[^:]+$"),
    expected("a user name, which is not empty and has no colon"),
]

PasswordHash = Annotated[
    str,
    AfterValidator(_bcrypt_hash),
    expected("a bcrypt hash, such as htpasswd -nBC 10 prints", secret=True),
]


class TlsServerConfig(Section):
    """How to serve HTTPS. Paths are relative to the file's folder."""

    unsupported: ClassVar = {
        "cert": "; name its file with cert_file",
        "key": "; name its file with key_file",
        "client_ca": "; name its file with client_ca_file",
        "client_allowed_sans": "",
        "cipher_suites": "",
        "prefer_server_cipher_suites": "",
        "curve_preferences": "",
    }

    cert_file: CertificatesFile
    """The server's certificate and those between it and the root, PEM."""

    key_file: KeyFile
    """Its key, PEM."""

    client_auth_type: Annotated[
        str,
        AfterValidator(_known_client_auth),
        expected(f"one of {', '.join(tls.CLIENT_AUTH)}"),
    ] = "NoClientCert"
    """Whether clients must show a certificate, and who must have signed it."""

    client_ca_file: OptionalCertificatesFile = ""
    """The certificates that sign those of clients, PEM."""

    min_version: Version = "TLS12"
    """The oldest version of TLS to speak."""

    max_version: Version = "TLS13"
    """The newest version of TLS to speak."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.min_version > self.max_version:
            raise refusal("min_version is above max_version")
        if self.client_ca_file and self.client_auth_type == "NoClientCert":
            raise refusal("client_ca_file is of no use without client_auth_type")
        if self.client_auth_type != "NoClientCert" and not self.client_ca_file:
            raise refusal(f"client_auth_type {self.client_auth_type} needs client_ca_file")
        try:
            tls.server_context(**self.model_dump())
        except (ValueError, OSError) as error:
            raise refusal(str(error)) from None
        return self


class Headers(Section):
    """Headers to add to every response; one that is empty is not sent."""

    frame_options: Annotated[Literal["", "deny", "sameorigin"], expected("deny or sameorigin")] = (
        Field("", alias="X-Frame-Options")
    )
    content_type_options: Annotated[Literal["", "nosniff"], expected("nosniff")] = Field(
        "", alias="X-Content-Type-Options"
    )
    xss_protection: HeaderValue = Field("", alias="X-XSS-Protection")
    strict_transport_security: HeaderValue = Field("", alias="Strict-Transport-Security")
    content_security_policy: HeaderValue = Field("", alias="Content-Security-Policy")


class HttpServerConfig(Section):
    """What the HTTP server sends besides its answers."""

    http2: Annotated[
        bool,
        AfterValidator(_refuse_http2),
        expected("false, as HTTP/2 is not supported by this exporter"),
    ] = False
    """Only false is accepted."""

    headers: Headers = Headers()
    """Headers to add to every response."""


class WebConfig(Section):
    """The web configuration; an empty one is plain HTTP without passwords."""

    unsupported: ClassVar = {"rate_limit": ""}

    tls_server_config: Annotated[
        TlsServerConfig | None, BeforeValidator(lambda section: with_content(section) or None)
    ] = None
    """Serves HTTPS; without it, HTTP."""

    http_server_config: HttpServerConfig = HttpServerConfig()
    """What the HTTP server sends."""

    basic_auth_users: Annotated[
        dict[UserName, PasswordHash],
        BeforeValidator(with_content),
    ] = Field({}, repr=False)
    """Bcrypt hashes by user name; with at least one, every path asks for a password."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers to add, by name."""
        headers = self.http_server_config.headers.model_dump(by_alias=True)
        return {name: value for name, value in headers.items() if value}

    @property
    def verifies_clients(self) -> bool:
        """Whether no client may connect without a certificate that was verified."""
        section = self.tls_server_config
        return section is not None and section.client_auth_type == "RequireAndVerifyClientCert"

    @property
    def files(self) -> list[Path]:
        """The files that it names."""
        section = self.tls_server_config
        if not section:
            return []
        return [
            *map(Path, filter(None, (section.cert_file, section.key_file, section.client_ca_file)))
        ]


def load(file: Path | None) -> WebConfig:
    """Read the web configuration file; without one, an empty one.

    Raises:
        ConfigError: The file is refused; all errors are reported.
    """
    return load_file(file, WebConfig) if file else WebConfig()
