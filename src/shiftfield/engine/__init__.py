"""The backends, by name, and the choice among them; each backend is one file or folder."""

from __future__ import annotations

from shiftfield.engine.base import MOST_THREADS, Answer, Backend, Block, Search, Stop, Tile

__all__ = [
    "MOST_THREADS",
    "Answer",
    "Backend",
    "Block",
    "Search",
    "Stop",
    "Tile",
    "backend",
    "choose",
    "no_gpu",
    "why_no_gpu",
]


_CANDIDATES = {
    "auto": ("gpu", "cpu"),
    "cpu": ("cpu",),
    "gpu": ("gpu", "cpu"),
    "hybrid": ("hybrid", "cpu"),
    "reference": ("reference",),
}


def backend(name: str) -> Backend:
    """Return the backend called `name`; only then is what it needs imported. "hybrid" is planned as "gpu"."""
    if name == "reference":
        from shiftfield.engine.reference import ReferenceBackend

        return ReferenceBackend()
    if name in ("gpu", "hybrid"):
        from shiftfield.engine.gpu.backend import GpuBackend

        return GpuBackend()
    from shiftfield.engine.cpu import CpuBackend

    return CpuBackend()


def choose(device: str, search: Search) -> tuple[str, str]:
    """Return the backend for a device, and why it is not the one that was asked for (or nothing).

    "auto" takes the fastest backend that can run the search, in silence.
    """
    refused = ""
    for name in _CANDIDATES[device]:
        reason = backend(name).can_run(search)
        if not reason:
            return name, no_gpu(refused) if refused and device != "auto" else ""
        refused = refused or reason
    raise RuntimeError(f"No backend can run this search: {refused}.")


def no_gpu(reason: str) -> str:
    """Return the sentence that tells a user why the CPU is used."""
    return f"A GPU was asked for, but {reason}; the CPU is used."


def why_no_gpu() -> str:
    """Return why no GPU can be used, or an empty string when one can."""
    from shiftfield.engine.gpu.devices import devices

    return devices()[1]
