"""Datasets of HDF5 files, opened for each read: no handle is held, none can leak into another thread.

A detector's files lead to others by links, virtual datasets and raw data; they may, where those are files.
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from shiftfield.sources.kinds import check_fits, check_regular, check_size, taken, the_only
from shiftfield.strangers import clipped, words_of

_DEEP = 16  # links, one after another; as many as HDF5 itself follows


class HDF5Images:
    """One dataset; `chunks` as h5py tells them, `files` are those that links and virtual datasets lead to too."""

    def __init__(self, path: Path, name: str, dataset: h5py.Dataset) -> None:
        self.path, self.name = path, name
        if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
            raise ValueError(f"{self} is no array.")
        self.shape: tuple[int, ...] = tuple(dataset.shape)
        self.dtype: np.dtype[Any] = dataset.dtype
        self.chunks: tuple[int, ...] | None = dataset.chunks
        check_size(self, self.shape, self.dtype.itemsize, self.chunks or ())
        holder = Path(dataset.file.filename)
        self.files = {holder}
        _gather(dataset, str(self), (), set(), self.files)
        self.files = {file for file in self.files if file.is_file()}

    def __getitem__(self, key: Any) -> Any:
        with contextlib.suppress(ImportError):
            import_module("hdf5plugin")  # the filters of detectors register themselves
        check_fits(self, taken(self.shape, key) * self.dtype.itemsize)
        try:
            with h5py.File(self.path, "r") as file:
                return file[self.name][key]
        except (OSError, KeyError, RuntimeError, MemoryError) as error:
            raise OSError(f"{self} cannot be read: {_reason(error)}.") from error

    def __str__(self) -> str:
        return f"{self.path}::{clipped(self.name)}"


def open_hdf5(path: Path, inside: str) -> HDF5Images:
    """Return the dataset `inside` a file, or the only one that holds images."""
    try:
        with h5py.File(path, "r") as file:
            if inside and _leads_to_data(file, inside):
                name = inside
            else:
                name = the_only(_datasets(file), path, inside)
            return HDF5Images(path, name, file[name])
    except ValueError as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{path} cannot be read: {words_of(error)}.") from error
    except Exception as error:  # h5py's, of many kinds, about a broken file
        raise ValueError(f"{path} is no HDF5 file that can be read: {_reason(error)}.") from error


def names_in(path: Path) -> list[str]:
    """Return the names of all datasets that may be images; none where the file cannot be read."""
    try:
        with h5py.File(path, "r") as file:
            return _datasets(file)
    except Exception:  # h5py's, of many kinds; `open_hdf5` says them
        return []


def _leads_to_data(file: h5py.File, inside: str) -> bool:
    """Return whether a dataset is at a name; a ValueError where the way leads to what is no file."""
    check_way(file, inside)
    try:
        return isinstance(file.get(inside), h5py.Dataset)
    except (OSError, RuntimeError):  # a circle, or the end of a link is gone
        return False


def check_way(file: h5py.File, name: str, links: int = 0) -> None:
    """Follow the links on the way to a name; raise a ValueError where one leads to a pipe, a device or a folder.

    HDF5 would open those, and wait for ever.
    """
    group: Any = file.id
    parts = [part for part in name.split("/") if part not in ("", ".")]
    for n, part in enumerate(parts):
        key = part.encode("utf-8", "surrogateescape")
        if not isinstance(group, h5py.h5g.GroupID | h5py.h5f.FileID) or not group.links.exists(key):
            return
        kind = group.links.get_info(key).type
        if kind == h5py.h5l.TYPE_HARD:
            group = h5py.h5o.open(group, key)
            continue
        if links == _DEEP:
            return
        rest = "/".join(parts[n + 1 :])
        if kind == h5py.h5l.TYPE_SOFT:
            there = group.links.get_val(key).decode("utf-8", "surrogateescape")
            above = "" if there.startswith("/") else "/".join(parts[:n])
            check_way(file, f"{above}/{there}/{rest}", links + 1)
        elif kind == h5py.h5l.TYPE_EXTERNAL:
            _check_outside(file, group.links.get_val(key), rest, links + 1)
        return


def _check_outside(file: h5py.File, target: tuple[bytes, bytes], rest: str, links: int) -> None:
    there, inside = (one.decode("utf-8", "surrogateescape") for one in target)
    for other in (Path(file.filename).parent / there, Path(there)):
        check_regular(other, f"{file.filename}::{clipped(inside)}")
        if other.is_file():
            with contextlib.suppress(OSError), h5py.File(other, "r") as opened:
                check_way(opened, f"{inside}/{rest}", links)
            return


def _datasets(file: h5py.File) -> list[str]:
    """Return the names of all datasets of numbers with 2 to 4 axes."""
    names: list[str] = []

    def visit(name: str, thing: Any) -> None:
        if (
            isinstance(thing, h5py.Dataset)
            and thing.dtype.kind in "buif"
            and thing.ndim in (2, 3, 4)
        ):
            names.append("/" + name)

    file.visititems(visit)
    return names


def _gather(
    dataset: h5py.Dataset, said: str, above: tuple[Any, ...], seen: set[Any], files: set[Path]
) -> None:
    """Add the files that a dataset's numbers lie in; a ValueError where one never ends, or leads back to itself.

    HDF5 follows a circle of virtual datasets until the process ends. `above` is the way so far.
    """
    holder = Path(dataset.file.filename)
    above = (*above, (holder.resolve(), dataset.name))
    for file, *_ in dataset.external or ():  # any bytes of any file would be pixels
        raw = holder.parent / file
        check_regular(raw, said)
        if not raw.resolve().is_relative_to(holder.parent.resolve()):
            raise ValueError(
                f"{said} has its numbers in {raw}, which is not in the folder of the file."
            )
        files.add(raw)
    for file, names in _sources(dataset).items():
        place = holder if file == "." else holder.parent / file
        check_regular(place, said)
        files.add(place)
        there = {(place.resolve(), "/" + name.strip("/")) for name in names}
        if there & set(above) or len(above) == _DEEP:
            raise ValueError(f"{said} is a virtual dataset that leads to itself, or too far.")
        if not there <= seen and place.is_file():
            seen |= there
            with contextlib.suppress(OSError), h5py.File(place, "r") as opened:
                for name in sorted(names):
                    if _leads_to_data(opened, name):
                        _gather(opened[name], said, above, seen, files)


def _sources(dataset: h5py.Dataset) -> dict[str, set[str]]:
    """Return the names of a virtual dataset's sources by their file."""
    found: dict[str, set[str]] = {}
    if dataset.is_virtual:
        for one in dataset.virtual_sources():
            found.setdefault(one.file_name, set()).add(one.dset_name)
    return found


def _reason(error: Exception) -> str:
    said = words_of(error)
    if "filter" in said or "plugin" in said.lower():
        said += ' (compressed by a detector? pip install "shiftfield[files]")'
    return said
