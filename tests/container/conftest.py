"""The image, built with Debian's buildah and run with its podman, in folders of their own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CA_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
IMAGE = "localhost/binance-asset-index-exporter:test"
BASE = os.environ.get("BASE", "localhost/python:test")
PACKAGES = "python3,python3-venv,ca-certificates"
UNWANTED = ("doc", "man", "locale", "info")
"""Folders of /usr/share that slim images leave out."""

REVISION = "0123456789abcdef"


@dataclass(frozen=True)
class Containers:
    """buildah and podman, which share one storage."""

    storage: list[str]
    environment: dict[str, str]

    def buildah(self, command: str, *arguments: str) -> None:
        """Run a command of buildah; its output goes where ours goes."""
        subprocess.run(
            ["buildah", *self.storage, command, *arguments], check=True, env=self.environment
        )

    def podman(self, command: str, *arguments: str) -> str:
        """Run a command of podman, with our runtime; returns its standard output."""
        runtime = f"--runtime={ROOT / 'tests' / 'container' / 'runtime'}"
        result = subprocess.run(
            ["podman", *self.storage, runtime, command, *arguments],
            check=True,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        return result.stdout.strip()


@pytest.fixture(scope="session")
def containers(tool, tmp_path_factory) -> Iterator[Containers]:
    for package in ("buildah", "podman", "runc"):
        tool(package, package)
    folder = tmp_path_factory.mktemp("containers")
    (folder / "containers.conf").write_text(
        '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
    )
    policy = folder / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    environment = {
        **os.environ,
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "TMPDIR": str(folder),
    }
    storage = [
        f"--root={folder / 'storage'}",
        f"--runroot={folder / 'run'}",
        "--storage-driver=vfs",
    ]
    yield Containers(storage, environment)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def image(containers, tool, tmp_path_factory) -> str:
    """Builds the image; without BASE in the environment, on a base of Debian's packages."""
    folder = tmp_path_factory.mktemp("image")
    if "BASE" not in os.environ:
        archive = folder / "base.tar"
        options = ["--quiet", "--variant=minbase", f"--include={PACKAGES}"]
        options += [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in UNWANTED]
        subprocess.run([tool("mmdebstrap", "mmdebstrap"), *options, "trixie", archive], check=True)
        containers.podman("import", str(archive), BASE)
        archive.unlink()
    containers.buildah(
        "bud",
        "--isolation=chroot",
        "--format=docker",
        f"--volume={CA_CERTIFICATES}:{CA_CERTIFICATES}:ro",  # for a registry behind a proxy
        f"--build-arg=BASE={BASE}",
        f"--build-arg=EXPORTER_REVISION={REVISION}",
        f"--tag={IMAGE}",
        str(ROOT),
    )
    return IMAGE


@pytest.fixture
def report(capsys) -> Callable[[str], None]:
    """Shows a measured figure to whoever runs the test."""

    def show(figure: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{figure}\n")

    return show
