"""Processes: started, ended, and what the kernel knows of their CPU time and memory."""

import contextlib
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_CPUCLOCK_SCHED = 2
_LISTENING = "0A"


@contextlib.contextmanager
def running(command: Sequence[str | Path]) -> Iterator["subprocess.Popen[str]"]:
    """Run a command until the block ends; what it logs is dropped, what it prints can be read."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, with all threads that it ever had, in nanosecond steps."""
    return time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED)  # as clock_getcpuclockid(3) does


def memory_mib(pid: int, field: str = "VmRSS") -> float:
    """Resident memory of a process, or its peak with `VmHWM`."""
    status = Path(f"/proc/{pid}/status").read_text()
    match = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    assert match
    return int(match[1]) / 1024


def listening_on(port: int) -> int | None:
    """The process of this machine that listens on a TCP port; None if it is not to be seen."""
    sockets = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == _LISTENING and int(local.rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{inode}]")
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if str(link.readlink()) in sockets:
                return int(link.parts[2])
    return None
