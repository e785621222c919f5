"""The backends, by name, and the choice among them; each backend is one file."""

from __future__ import annotations

from shiftfield.engine.base import Answer, Backend, Block, Search, Tile

__all__ = ["Answer", "Backend", "Block", "Search", "Tile", "backend", "why_no_gpu"]


def backend(name: str) -> Backend:
    """Return the backend called `name`; only then is what it needs imported."""
    if name == "reference":
        from shiftfield.engine.reference import ReferenceBackend

        return ReferenceBackend()
    from shiftfield.engine.cpu import CpuBackend

    return CpuBackend()


def why_no_gpu() -> str:
    """Return why no GPU backend can be used."""
    return "this version of shiftfield has no GPU engine yet"
