import asyncio
import contextlib
import ssl

import pytest

from exporter.web.access import Access

TLS = "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"


def certificate_served(access, *, client=None):
    """Shake hands on loopback; return the certificate, as PEM, or None if it was the last word."""

    async def serve(_reader, writer):
        writer.write(b"in")
        writer.close()

    async def shake_hands():
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=access.ssl_context)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if client:
            context.load_cert_chain(client / "cert.pem", client / "key.pem")
        async with server:
            port = server.sockets[0].getsockname()[1]
            # By address, so without SNI, as a Prometheus with static targets does.
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            connection = writer.get_extra_info("ssl_object")
            shown = ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))
            # With TLS 1.3 the client is done before the server has looked at its certificate.
            body = await reader.read()
            writer.close()
        return shown.encode() if body == b"in" else None

    with contextlib.suppress(ssl.SSLError, ConnectionError):
        return asyncio.run(shake_hands())


def test_listens_without_tls_if_the_file_has_none(write):
    assert Access(write("{}")).ssl_context is None


def test_serves_the_certificate(write, folder, certificate):
    assert certificate_served(Access(write(TLS))) == certificate("server").cert


def test_takes_tls_1_2_and_above(write, folder):
    context = Access(write(TLS)).ssl_context
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.maximum_version == ssl.TLSVersion.TLSv1_3


def test_hands_out_no_sessions_that_would_outlive_a_renewed_ca(write, folder):
    assert Access(write(TLS)).ssl_context.num_tickets == 0


def test_serves_a_renewed_certificate_after_refresh(write, folder, certificate):
    access = Access(write(TLS))
    certificate("renewed").write(folder)
    access.refresh()
    assert certificate_served(access) == certificate("renewed").cert


def test_serves_a_certificate_renewed_twice(write, folder, certificate):
    access = Access(write(TLS))
    for name in ["renewed", "renewed again"]:
        certificate(name).write(folder)
        access.refresh()
        assert certificate_served(access) == certificate(name).cert


def test_serves_the_last_good_certificate_while_the_new_one_is_half_written(
    write, folder, certificate, caplog
):
    access = Access(write(TLS))
    (folder / "cert.pem").write_bytes(certificate("renewed").cert)
    access.refresh()
    access.refresh()
    assert certificate_served(access) == certificate("server").cert
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    (folder / "key.pem").write_bytes(certificate("renewed").key)
    access.refresh()
    assert certificate_served(access) == certificate("renewed").cert


MUTUAL = """tls_server_config:
  cert_file: cert.pem
  key_file: key.pem
  client_auth_type: {}
  client_ca_file: ca.pem
"""


@pytest.fixture
def clients(folder, certificate):
    """Two folders of clients' certificates, the first of which the server trusts."""
    (folder / "ca.pem").write_bytes(certificate("client").cert)
    for name in ["client", "stranger"]:
        (folder / name).mkdir()
        certificate(name).write(folder / name)
    return folder / "client", folder / "stranger"


def test_takes_a_client_certificate_that_it_trusts(write, clients):
    access = Access(write(MUTUAL.format("RequireAndVerifyClientCert")))
    assert certificate_served(access, client=clients[0])


@pytest.mark.parametrize("who", ["nobody", "a stranger"])
def test_takes_no_other_client(write, clients, who):
    access = Access(write(MUTUAL.format("RequireAndVerifyClientCert")))
    assert certificate_served(access, client=clients[1] if who == "a stranger" else None) is None


def test_takes_a_client_without_certificate_if_it_may_have_none(write, clients):
    access = Access(write(MUTUAL.format("VerifyClientCertIfGiven")))
    assert certificate_served(access)


def test_takes_no_stranger_even_if_a_client_may_have_no_certificate(write, clients):
    access = Access(write(MUTUAL.format("VerifyClientCertIfGiven")))
    assert certificate_served(access, client=clients[1]) is None


def test_trusts_the_clients_of_a_renewed_ca_only(write, clients, folder, certificate):
    access = Access(write(MUTUAL.format("RequireAndVerifyClientCert")))
    (folder / "ca.pem").write_bytes(certificate("stranger").cert)
    access.refresh()
    assert certificate_served(access, client=clients[1])
    assert certificate_served(access, client=clients[0]) is None


def test_asks_clients_for_a_certificate_once_the_file_says_so(write, clients):
    access = Access(write(TLS))
    write(MUTUAL.format("RequireAndVerifyClientCert"))
    access.refresh()
    assert certificate_served(access) is None
