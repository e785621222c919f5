"""`shiftfield doctor`: what this machine has, and what a search would use."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from shiftfield import machine
from shiftfield._version import __version__
from shiftfield.engine.device import Gpu, gpus

_PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "llvmlite",
    "h5py",
    "cupy-cuda12x",
    "cupy-cuda13x",
    "napari",
)


def report() -> str:
    """Return versions, cores, memory, caches, GPUs and what would be used, one fact a line."""
    from shiftfield.engine.kernels.options import cache_folder  # imports Numba

    found, reason = gpus()
    folder = cache_folder()
    kept = list(folder.glob("**/*.nbc")) if folder else []
    lines = [
        ("shiftfield", __version__),
        ("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        *((name, _version(name)) for name in _PACKAGES),
        ("cores", f"{machine.available_cores()} of {os.cpu_count()} may be used"),
        (
            "kernels",
            f"{len(kept)} kept in {folder}" if folder else "not kept: no folder can be written",
        ),
        *((f"gpu {gpu.number}", _device(gpu)) for gpu in found),
    ]
    if not found:
        lines.append(("gpu", f"none: {reason}"))
    names = " and ".join(f"{gpu.name} (gpu {gpu.number})" for gpu in found)
    lines.append(
        ("would use", f"{names} for device='auto', the CPU for gpu=False" if found else "the CPU")
    )
    return "\n".join(f"{name:<14}{text}" for name, text in lines)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _device(gpu: Gpu) -> str:
    return (
        f"{gpu.name}, {gpu.architecture}, {gpu.free / 1e9:.1f} GB of {gpu.total / 1e9:.1f} GB free"
    )
