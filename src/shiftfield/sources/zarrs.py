"""Arrays of Zarr stores: what they say of themselves is checked before a chunk is read.

Chunks are read by Zarr itself; what a store keeps beside them is not looked at.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from shiftfield.sources.kinds import check_fits, check_size, taken, the_only
from shiftfield.strangers import clipped, words_of


class ZarrImages:
    """One array, read when it is sliced; `chunks` as Zarr tells them."""

    def __init__(self, path: Path, name: str, array: Any) -> None:
        self.path, self.name, self._array = path, name, array
        self.shape: tuple[int, ...] = tuple(array.shape)
        self.dtype: Any = array.dtype
        self.chunks: tuple[int, ...] = tuple(array.chunks)
        if min(self.chunks, default=1) < 1:
            raise ValueError(f"{self} has chunks of shape {self.chunks}, which cannot be.")
        check_size(self, self.shape, self.dtype.itemsize, self.chunks)
        about = array.metadata
        packing = *(getattr(about, "filters", None) or ()), getattr(about, "compressor", None)
        if any(getattr(one, "codec_id", None) == "pickle" for one in packing):
            raise ValueError(f"{self} is packed by pickle, which runs what a stranger likes.")

    def __getitem__(self, key: Any) -> Any:
        check_fits(self, taken(self.shape, key) * self.dtype.itemsize)
        try:
            return self._array[key]
        except IndexError:
            raise
        except Exception as error:  # a codec's, of many kinds, about a broken chunk
            raise OSError(f"{self} cannot be read: {words_of(error)}.") from error

    def __str__(self) -> str:
        return f"{self.path}::{clipped(self.name)}" if self.name else str(self.path)


def package(path: Path) -> Any:
    """Return the package Zarr, which `path` needs; a ValueError says how to get it."""
    try:
        return import_module("zarr")
    except ImportError as error:
        raise ValueError(
            f'{path} is a Zarr store; to read it, pip install "shiftfield[files]".'
        ) from error


def store_of(path: Path, *, read_only: bool = True) -> Any:
    """Return the store in a folder; a pipe or a device in it is never waited for."""
    package(path)
    return _kind_of_store()(str(path), read_only=read_only)


@cache
def _kind_of_store() -> type[Any]:
    storage = import_module("zarr.storage")

    class Files(storage.LocalStore):  # type: ignore[misc, name-defined]
        async def get(self, key: str, *args: Any, **kwargs: Any) -> Any:
            file = self.root / key
            if file.exists() and not file.is_file() and not file.is_dir():
                raise OSError(f"{file} is no file")
            return await super().get(key, *args, **kwargs)

    return Files


def open_zarr(path: Path, inside: str) -> ZarrImages:
    """Return the array `inside` a store, the store's own array, or the only one that holds images."""
    zarr = package(path)
    if not path.is_dir():
        raise ValueError(f"{path} is no Zarr store: it is no folder.")
    try:
        return _opened(zarr, path, inside)
    except Exception as error:  # Zarr's, of many kinds, about a broken store
        if isinstance(error, ValueError) and str(error).startswith(str(path)):
            raise
        raise ValueError(f"{path} is no Zarr store that can be read: {words_of(error)}.") from error


def names_in(path: Path) -> list[str]:
    """Return the names of all arrays that may be images; none in a single array, or where nothing can be read."""
    try:
        zarr = package(path)
        found = zarr.open(store_of(path), mode="r")
        return _arrays(zarr, found) if isinstance(found, zarr.Group) else []
    except Exception:  # Zarr's, of many kinds; `open_zarr` says them
        return []


def _arrays(zarr: Any, group: Any) -> list[str]:
    """Return the names of all arrays of numbers with 2 to 4 axes."""
    return [
        "/" + name
        for name, thing in sorted(group.members(max_depth=None))
        if isinstance(thing, zarr.Array) and thing.ndim in (2, 3, 4) and thing.dtype.kind in "buif"
    ]


def _opened(zarr: Any, path: Path, inside: str) -> ZarrImages:
    found = zarr.open(store_of(path), mode="r")
    name = inside.strip("/")
    if not isinstance(found, zarr.Group):
        if inside:
            raise ValueError(f"{path} is one array; there is nothing at {clipped(repr(inside))}.")
        return ZarrImages(path, "", found)
    if not name or not isinstance(found.get(name), zarr.Array):
        name = the_only(_arrays(zarr, found), path, inside).strip("/")
    return ZarrImages(path, name, found[name])
