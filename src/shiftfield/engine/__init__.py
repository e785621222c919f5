"""The backends, by name, and the choice among them; each backend is one file."""

from __future__ import annotations

from shiftfield.engine.base import Answer, Backend, Block, Search, Stop, Tile

__all__ = [
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
    "auto": ("cpu",),
    "cpu": ("cpu",),
    "gpu": ("gpu", "cpu"),
    "hybrid": ("gpu", "cpu"),
    "reference": ("reference",),
}


def backend(name: str) -> Backend:
    """Return the backend called `name`; only then is what it needs imported."""
    if name == "reference":
        from shiftfield.engine.reference import ReferenceBackend

        return ReferenceBackend()
    from shiftfield.engine.cpu import CpuBackend

    return CpuBackend()


def choose(device: str, search: Search) -> tuple[str, str]:
    """Return the backend for a device, and why it is not the one that was asked for (or nothing).

    "auto" takes the fastest backend that can run the search, in silence.
    """
    refused = ""
    for name in _CANDIDATES[device]:
        reason = why_no_gpu() if name == "gpu" else backend(name).can_run(search)
        if not reason:
            return name, refused and no_gpu(refused)
        refused = refused or reason
    raise RuntimeError(f"No backend can run this search: {refused}.")


def no_gpu(reason: str) -> str:
    """Return the sentence that tells a user why the CPU is used."""
    return f"A GPU was asked for, but {reason}; the CPU is used."


def why_no_gpu() -> str:
    """Return why no GPU backend can be used."""
    return "this version of shiftfield has no GPU engine yet"
