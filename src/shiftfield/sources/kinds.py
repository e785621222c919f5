"""The kinds of files that are known, by the ends of their names, and the choice among arrays of one file."""

from __future__ import annotations

from pathlib import Path

HDF5 = (".h5", ".hdf5", ".hdf", ".he5", ".nxs", ".nx", ".cxi")
TIFF = (".tif", ".tiff")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".gif")
IMAGES = (*TIFF, *PICTURES, ".npy")


def the_only(names: list[str], path: Path, inside: str) -> str:
    """Return the one array that is meant, or raise a ValueError that lists what there is."""
    if inside:
        wanted = inside.strip("/")
        found = [name for name in names if name.strip("/") == wanted]
        if found:
            return found[0]
        raise ValueError(f"{path} has no images at {inside!r}; it has {_listed(names)}.")
    if len(names) == 1:
        return names[0]
    raise ValueError(
        f"{path} has {_listed(names)}; say which by {path}::NAME."
        if names
        else f"{path} holds no images: no array of numbers with 2 to 4 axes."
    )


def _listed(names: list[str]) -> str:
    if not names:
        return "none"
    shown = ", ".join(names[:10])
    return shown + (f" and {len(names) - 10} more" if len(names) > 10 else "")
