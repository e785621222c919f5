"""What tells one input from another, so that a scan goes on with the inputs it began with, and where inputs lie.

Whether two differ is decided by who compares them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from fnmatch import fnmatchcase
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from shiftfield.sources import is_address, open_images, split_address
from shiftfield.sources.kinds import HDF5, IMAGES
from shiftfield.sources.series import files_of


def identity(given: Any, found: Any = None) -> dict[str, Any]:
    """Return the place of an input, and sizes and times of its files; or what an array is and a digest of it.

    Arrays in memory are digested whole, others by some of their pixels. `found` is what `given` opens as.
    """
    place = place_of(given)
    if place is not None:
        address = (
            os.fspath(given) if is_address(given) else f"{place}::{getattr(given, 'name', '')}"
        )
        known: dict[str, Any] = {"address": os.path.abspath(address)}  # noqa: PTH100 - with ::inside
        files = sorted({*_files(place), *getattr(found, "files", ())})
        if len(files) == 1:
            about = files[0].stat()
            known |= {"size": about.st_size, "modified": about.st_mtime_ns}
        elif files:
            known |= {"files": len(files), "digest": _digest(map(_state, files))}
        return known
    return {
        "shape": [int(n) for n in found.shape], "dtype": str(found.dtype), "digest": _digest(_pixels(found)),
    }  # fmt: skip


def place_of(given: Any) -> Path | None:
    """Return the file or folder that an address, a dataset, or a mapped array names; None for other arrays."""
    if is_address(given):
        return split_address(given)[0]
    named = (
        getattr(getattr(given, "file", None), "filename", None),  # h5py's
        getattr(getattr(given, "store", None), "root", None),  # Zarr's
        given.filename if isinstance(given, np.memmap) else None,
    )
    return next((Path(name) for name in named if isinstance(name, str | Path)), None)


def check_apart(out: Path, given: Iterable[Any], name: str = "out") -> None:
    """Raise a ValueError when an output would take the place of an input, or become one of its files."""
    written = out.resolve()
    for one in given:
        place = place_of(one)
        if place is None:
            continue
        if written in (place.resolve(), *place.resolve().parents):
            raise ValueError(f"{name} is {out}, which an input lies in; choose another name.")
        if _joins(out, place) or (
            out.exists() and _is_among(out, _files(place) + _linked(one, place))
        ):
            raise ValueError(f"{name} is {out}, a file of the input {place}; choose another name.")


def _is_among(out: Path, files: Iterable[Path]) -> bool:
    """Return whether a file is one of others, by whatever name."""
    about = out.stat()
    return any(os.path.samestat(about, file.stat()) for file in files)


def _joins(out: Path, place: Path) -> bool:
    """Return whether a new file would be an image of a folder, or among those that a pattern names."""
    if place.is_dir() and place.suffix.lower() != ".zarr":
        folder, fits = place, out.suffix.lower() in IMAGES
    else:
        folder, fits = place.parent, not place.exists() and fnmatchcase(out.name, place.name)
    return fits and folder.resolve() == out.resolve().parent


def _linked(given: Any, place: Path) -> list[Path]:
    """Return the files that a dataset of an HDF5 file has its numbers in."""
    if not is_address(given) or place.suffix.lower() not in HDF5:
        return []
    try:
        return list(open_images(given).files)
    except (OSError, ValueError):  # not there, or no images: told where it is opened
        return []


def _files(place: Path) -> list[Path]:
    """Return the files of a place: itself, those of a Zarr store, or of a series of images."""
    if place.is_file():
        return [place]
    if place.suffix.lower() == ".zarr":
        return [path for path in place.rglob("*") if path.is_file()]
    try:
        return files_of(place)
    except (OSError, ValueError):  # not there, or no images: told where it is opened
        return []


def _state(file: Path) -> bytes:
    about = file.stat()
    return f"{file}\0{about.st_size}\0{about.st_mtime_ns}\0".encode(errors="surrogateescape")


def _pixels(found: Any) -> Iterable[bytes]:
    """Yield the pixels of an array in memory, a part of those of any other."""
    if isinstance(found, np.ndarray):
        return (np.ascontiguousarray(part).tobytes() for part in found)
    some = np.asarray(found[tuple(slice(0, None, max(1, n // 8)) for n in found.shape)])
    return (np.ascontiguousarray(some).tobytes(),)


def _digest(parts: Iterable[bytes]) -> str:
    made = blake2b(digest_size=16)
    for part in parts:
        made.update(part)
    return made.hexdigest()
