"""What the machine grants this process: cores and memory. It decides nothing."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import numpy as np

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
