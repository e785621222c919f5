"""The kinds of files that are known, by the ends of their names, and the choice among arrays of one file.

Also what is held against every file before any of it is read: its sizes against the memory, its places against
what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from shiftfield import machine
from shiftfield.strangers import clipped

HDF5 = (".h5", ".hdf5", ".hdf", ".he5", ".nxs", ".nx", ".cxi")
TIFF = (".tif", ".tiff")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".gif")
IMAGES = (*TIFF, *PICTURES, ".npy")
_MOST = 1 << 60  # bytes that an array may say it has; beyond this NumPy cannot count
_LITTLE = 1 << 26  # bytes that are always granted


def the_only(names: list[str], path: Path, inside: str) -> str:
    """Return the one array that is meant, or raise a ValueError that lists what there is."""
    if inside:
        wanted = inside.strip("/")
        found = [name for name in names if name.strip("/") == wanted]
        if found:
            return found[0]
        raise ValueError(
            f"{path} has no images at {clipped(repr(inside))}; it has {_listed(names)}."
        )
    if len(names) == 1:
        return names[0]
    raise ValueError(
        f"{path} has {_listed(names)}; say which by {path}::NAME."
        if names
        else f"{path} holds no images: no array of numbers with 2 to 4 axes."
    )


def check_size(name: Any, shape: Sequence[int], itemsize: int, unit: Sequence[int] = ()) -> None:
    """Raise a ValueError when no machine holds so many numbers, or this one no chunk of them (`unit`)."""
    if any(n < 0 for n in shape) or prod(shape) * itemsize > _MOST:
        raise ValueError(f"{name} says that its shape is {tuple(shape)}, which cannot be.")
    check_fits(f"A chunk of {name}", prod(unit) * itemsize)


def check_fits(name: Any, size: int) -> None:
    """Raise a ValueError when more bytes are wanted at once than the memory has left."""
    if size > _LITTLE and size > (free := machine.free_memory()):
        raise ValueError(
            f"{name} takes {size / 1e9:,.1f} GB of memory at once, and {free / 1e9:,.1f} GB are free."
        )


def taken(shape: Sequence[int], key: Any) -> int:
    """Return how many numbers a slice takes of an array."""
    try:
        return int(np.broadcast_to(np.int8(0), tuple(shape))[key].size)
    except (IndexError, TypeError, ValueError):  # told by who slices
        return 0


def check_regular(file: Path, said: str) -> None:
    """Raise a ValueError where a file leads to a pipe, a device or a folder: those may never end."""
    if file.exists() and not file.is_file():
        raise ValueError(f"{said} leads to {file}, which is no file.")


def _listed(names: list[str]) -> str:
    if not names:
        return "none"
    shown = clipped(", ".join(names[:10]))
    return shown + (f" and {len(names) - 10} more" if len(names) > 10 else "")
