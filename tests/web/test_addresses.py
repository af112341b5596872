import contextlib
import socket

import pytest

from exporter.web.addresses import address_of, listen


@pytest.fixture
def listening():
    """Listens on an address until the test ends."""
    with contextlib.ExitStack() as stack:
        yield lambda address: stack.enter_context(listen([address])[0])


@pytest.mark.parametrize("address", [":0", "[::]:0"])
def test_every_interface_means_ipv4_too(listening, address):
    port = listening(address).getsockname()[1]
    for host in ("127.0.0.1", "::1"):
        socket.create_connection((host, port), 10).close()


def test_one_address_is_that_one_only(listening):
    port = listening("127.0.0.1:0").getsockname()[1]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("::1", port), 10)


@pytest.mark.parametrize(
    ("address", "written"), [("[::1]:0", "[::1]:"), ("127.0.0.1:0", "127.0.0.1:")]
)
def test_addresses_are_written_as_people_do(listening, address, written):
    listener = listening(address)
    assert address_of(listener) == f"{written}{listener.getsockname()[1]}"


def test_accepted_connections_do_not_wait_to_send(listening):
    listener = listening("127.0.0.1:0")
    with socket.create_connection(listener.getsockname(), 10):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("a..b:80", "not a host name"),
        ("x" * 64 + ":80", "not a host name"),
        ("name.invalid:80", ""),
        ("192.0.2.1:80", "Cannot assign requested address"),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_named(address, reason):
    with pytest.raises(OSError, match=f"^cannot listen on {address}: {reason}"):
        listen(["127.0.0.1:0", address])
