"""What a process holds, from /proc."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Holdings:
    """Memory in MiB, threads, open files."""

    memory: float
    threads: int
    files: int

    def __str__(self) -> str:
        return f"memory {self.memory:.0f} MiB, threads {self.threads}, open files {self.files}"


def holdings(pid: int) -> Holdings:
    """What it holds now."""
    proc = Path(f"/proc/{pid}")
    status = dict(re.findall(r"^(\w+):\s+(\d+)", (proc / "status").read_text(), re.MULTILINE))
    files = len(list((proc / "fd").iterdir()))
    return Holdings(int(status["VmRSS"]) / 1024, int(status["Threads"]), files)
