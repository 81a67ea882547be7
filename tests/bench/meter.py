"""What a server costs: CPU and memory of a process and of everything it started, read from /proc (proc(5))."""

import os
import time
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_QUIET_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 10.0


def family(pid: int) -> list[int]:
    """List a process and its living descendants."""
    found = [pid]
    for parent in found:  # grows while it is walked
        for task in _paths(f"/proc/{parent}/task"):
            found += [int(child) for child in _read(task / "children").split()]
    return found


def cpu_seconds(pid: int) -> float:
    """Add up user and system time of a family; who has ended counts with the parent that waited for it."""
    fields = [_read(f"/proc/{each}/stat").rpartition(")")[2].split()[11:15] for each in family(pid)]
    return sum(int(field) for four in fields for field in four) / _TICKS


def memory_bytes(pid: int) -> int:
    """Add up the proportional set sizes of a family: pages that several share are counted once."""
    lines = [line for each in family(pid) for line in _read(f"/proc/{each}/smaps_rollup").splitlines()]
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def settled_cpu_seconds(pid: int) -> float:
    """Wait until a family has nothing more to do, and return what it has used."""
    deadline, used = time.monotonic() + _LONGEST_WAIT_SECONDS, cpu_seconds(pid)
    while time.monotonic() < deadline:
        time.sleep(_QUIET_SECONDS)
        before, used = used, cpu_seconds(pid)
        if used - before < 1.5 / _TICKS:
            break
    return used


def _paths(folder: str) -> list[Path]:
    try:
        return list(Path(folder).iterdir())
    except OSError:
        return []  # it has ended


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
