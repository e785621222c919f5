"""On what a run was done: the processor, the system, the commit, the versions of all programs."""

from __future__ import annotations

import platform
import subprocess
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import shiftfield
from benchmarks.cases import Job
from benchmarks.programs import PROGRAMS, cores_of, installed


def machine(seconds: float) -> dict[str, Any]:
    """Return processor, system and versions, and how long the run took, s."""
    versions = {name: version(name) for name in ("numpy", "numba", "scipy")}
    return {
        "date": date.today().isoformat(),
        "commit": _commit(),
        "processor": _processor(),
        "system": platform.system(),
        "cores": cores_of(Job()),
        "python": platform.python_version(),
        "versions": {
            **versions,
            **{name: installed(name) for name in PROGRAMS if name != "shiftfield"},
        },
        "seconds": round(seconds),
    }


def _commit() -> str:
    """Return the commit of the package's source, with "+" when it was changed since; "" outside a checkout."""
    package = Path(shiftfield.__file__).parent
    try:
        commit, changes = (
            subprocess.run(
                ["git", *command], cwd=package, capture_output=True, text=True
            ).stdout.strip()
            for command in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "."])
        )
    except OSError:
        return ""
    return commit + ("+" if changes else "")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
