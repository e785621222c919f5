"""Arrays of Zarr stores."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from shiftfield.sources.kinds import the_only


def package(path: Path) -> Any:
    """Return the package Zarr, which `path` needs; a ValueError says how to get it."""
    try:
        return import_module("zarr")
    except ImportError as error:
        raise ValueError(
            f'{path} is a Zarr store; pip install "shiftfield[files]" reads it.'
        ) from error


def open_zarr(path: Path, inside: str) -> Any:
    """Return the array `inside` a store, the store's own array, or the only one that holds images."""
    zarr = package(path)
    try:
        found = zarr.open(str(path), mode="r")
    except Exception as error:
        raise ValueError(f"{path} is no Zarr store that can be read: {error}.") from error
    if not isinstance(found, zarr.Group):
        if inside:
            raise ValueError(f"{path} is one array; there is nothing at {inside!r}.")
        return found
    if inside and isinstance(found.get(inside.strip("/")), zarr.Array):
        return found[inside.strip("/")]
    names = [
        "/" + name
        for name, thing in found.members(max_depth=None)
        if isinstance(thing, zarr.Array) and thing.ndim in (2, 3, 4) and thing.dtype.kind in "buif"
    ]
    return found[the_only(names, path, inside).strip("/")]
