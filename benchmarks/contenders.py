"""Who is measured: this exporter, the two rivals written here, and peers given by URL."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from benchmarks.processes import free_port, listening_on, running

HERE = Path(__file__).parent
OURS, PLAIN, GO = "this exporter", "plain Python", "Go"
_GO_ENVIRONMENT = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}  # where Debian puts it


@dataclass(frozen=True)
class Contender:
    """A running exporter."""

    name: str
    url: str
    pid: int | None
    """None if it is a peer whose process is not to be seen."""


class Line:
    """All contenders, ready to be started for one upstream.

    Args:
        folder: For what they need on disk.
        peers: URLs by name, with `{upstream}` where the upstream's address goes.
        go: The Go exporter; None leaves it out.
    """

    def __init__(self, folder: Path, peers: dict[str, str], go: Path | None = None) -> None:
        self._folder = folder
        self._peers = peers
        self._go = go
        self.own = [OURS, PLAIN, *([GO] if self._go else [])]
        """Those that this program starts."""
        self.names = [*self.own, *peers]

    @contextlib.contextmanager
    def start(self, name: str, upstream: str) -> Iterator[Contender]:
        """Start one; it may not listen yet. A peer runs already."""
        if name in self._peers:
            url = self._peers[name].replace("{upstream}", quote(upstream, safe=":/"))
            yield Contender(name, url, listening_on(urlsplit(url).port or 80))
            return
        port = free_port()
        with running(self._command(name, upstream, port)) as process:
            yield Contender(name, f"http://127.0.0.1:{port}/metrics", process.pid)

    def _command(self, name: str, upstream: str, port: int) -> list[str | Path]:
        if name == GO and self._go:
            return [self._go, str(port), upstream]
        if name == PLAIN:
            return [sys.executable, HERE / "plain_exporter.py", str(port), upstream]
        config = self._folder / f"{urlsplit(upstream).port}.yaml"
        config.write_text(f"modules: {{default: {{base_url: '{upstream}'}}}}\n")
        exporter = Path(sys.executable).with_name("binance-asset-index-exporter")
        return [exporter, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]


def build_go(folder: Path) -> Path | None:
    """Build the Go exporter; None, with a word to the reader, where that is not possible."""
    go = shutil.which("go")
    if go is None or not Path("/usr/share/gocode/src/github.com/prometheus/client_golang").is_dir():
        print(
            "The Go exporter is left out; on Debian: apt-get install --no-install-recommends"
            " golang-go golang-github-prometheus-client-golang-dev"
        )
        return None
    binary = folder / "go_exporter"
    subprocess.run(
        [go, "build", "-o", binary, "."],
        cwd=HERE / "go_exporter",
        env=os.environ | _GO_ENVIRONMENT,
        check=True,
    )
    return binary
