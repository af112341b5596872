"""The container image: `make container-test`.

Not part of `make test`: it downloads a base and takes minutes.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.container.conftest import REVISION
from tests.end_to_end.conftest import PATIENCE, free_port, until

_MOST_MEGABYTES = 200
_LOCKED_DOWN = ("--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--network=host")


@dataclass(frozen=True)
class Container:
    """A running container; `seconds` passed from its start to the first page."""

    name: str
    url: str
    seconds: float
    page: str


@pytest.fixture(scope="session")
def container(containers, image) -> Iterator[Container]:
    """Runs the demo on a read-only root without a single capability."""
    address = f"127.0.0.1:{free_port()}"
    began = time.monotonic()
    flags = ("--demo", f"--web.listen-address={address}")
    name = containers.podman("run", "--detach", *_LOCKED_DOWN, image, *flags)
    with contextlib.ExitStack() as stack:
        stack.callback(containers.podman, "rm", "--force", name)
        page = until(lambda: requests.get(f"http://{address}/metrics", timeout=PATIENCE).text)
        yield Container(name, f"http://{address}", time.monotonic() - began, page)


@pytest.fixture(scope="session")
def inspected(containers, image) -> dict[str, Any]:
    (inspected,) = json.loads(containers.podman("image", "inspect", image))
    return inspected


def test_it_is_small(inspected, report):
    megabytes = inspected["Size"] / 1e6
    report(f"image: {megabytes:.0f} MB")
    assert megabytes < _MOST_MEGABYTES


def test_it_runs_as_nobody_in_particular(inspected):
    assert inspected["Config"]["User"] == "65532:65532"


def test_it_carries_its_revision(inspected):
    assert inspected["Labels"]["org.opencontainers.image.revision"] == REVISION


def test_it_serves_a_page(container, report):
    report(f"first page after {container.seconds:.2f} s")
    assert "binance_asset_index_up 1.0" in container.page
    assert f'revision="{REVISION}"' in container.page


def test_it_has_its_health_checked(containers, inspected, container):
    assert inspected["Healthcheck"]["Test"][0] == "CMD"  # no shell
    address = container.url.removeprefix("http://")
    command = ("binance-asset-index-exporter", "--healthcheck")
    containers.podman("exec", container.name, *command, f"--web.listen-address={address}")


def test_its_files_cannot_be_written(containers, container):
    writable = "import os, sys; sys.exit(any(os.access(p, os.W_OK) for p in sys.argv[1:]))"
    places = ("/", "/opt/exporter/bin", "/tmp", "/etc/passwd")
    containers.podman("exec", container.name, "python3", "-c", writable, *places)


def test_it_stops_by_itself(containers, image, report):
    address = f"127.0.0.1:{free_port()}"
    flags = ("--demo", f"--web.listen-address={address}")
    name = containers.podman("run", "--detach", *_LOCKED_DOWN, image, *flags)
    try:
        until(lambda: requests.get(f"http://{address}/-/ready", timeout=PATIENCE).ok)
        began = time.monotonic()
        containers.podman("stop", "--time=30", name)
        report(f"stopped in {time.monotonic() - began:.2f} s")
        assert containers.podman("wait", name) == "0"
    finally:
        containers.podman("rm", "--force", name)
