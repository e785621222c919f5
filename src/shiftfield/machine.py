"""What the machine grants this process: cores and memory, and how much of that a caller allows."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import numpy as np

_UNKNOWN_MEMORY = 2 * 10**9  # bytes, where no system tells
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def available_cores() -> int:
    """Return the cores this process may use: affinity and cgroup quota respected, at least 1."""
    if hasattr(os, "process_cpu_count"):
        cores = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = _cgroup_quota()
    return max(1, min(cores, int(quota + 0.5)) if quota else cores)


def _cgroup_quota() -> float:
    """Return the cgroup's limit in cores, 0 when there is none."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        folder = Path("/sys/fs/cgroup/cpu")
        try:
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return 0.0
    if not quota.isdigit() or int(quota) <= 0:
        return 0.0
    return int(quota) / max(int(period), 1)


def parse_bytes(memory: str | int) -> int:
    """Return a number of bytes from an int or a text such as '2 GB', '600MB', '1.5GiB'."""
    if isinstance(memory, int | np.integer) and not isinstance(memory, bool) and memory > 0:
        return int(memory)
    if isinstance(memory, str):
        match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([KMGT]?)(i?)B?\s*", memory, re.IGNORECASE)
        if match:
            number, unit, binary = match.groups()
            factor = _UNITS[unit.upper()]
            if binary:
                factor = 2 ** (10 * "KMGT".index(unit.upper()) + 10) if unit else 1
            size = float(number) * factor
            if 1 <= size < math.inf:
                return int(size)
    raise ValueError(
        f"memory is {memory!r}; it must be a positive number of bytes, or a text such as '2 GB'."
    )


def allowed_memory(memory: str | int | None) -> int:
    """Return the bytes that a caller allows; half of what is free where nobody says."""
    return free_memory() // 2 if memory is None else parse_bytes(memory)


def free_memory() -> int:
    """Return the bytes that may still be taken: what the system has available, within the cgroup's limit."""
    found = [n for n in (_system_memory(), _cgroup_memory()) if n is not None]
    return min(found, default=_UNKNOWN_MEMORY)


def _system_memory() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    try:  # macOS
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):
        return None


def _cgroup_memory() -> int | None:
    """Return what the cgroup leaves; its page cache counts as free."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit, used = ((folder / name).read_text() for name in ("memory.max", "memory.current"))
        stat = (folder / "memory.stat").read_text()
    except OSError:
        return None
    if not limit.strip().isdigit():
        return None
    match = re.search(r"^inactive_file (\d+)$", stat, re.MULTILINE)
    cached = int(match.group(1)) if match else 0
    return max(0, int(limit) - int(used) + cached)
