"""Datasets of HDF5 files, opened for each read: no handle is held, none can leak into another thread."""

from __future__ import annotations

import contextlib
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from shiftfield.sources.kinds import the_only


class HDF5Images:
    """One dataset; `chunks` as h5py tells them, `files` are those that links and virtual datasets lead to too."""

    def __init__(self, path: Path, name: str, dataset: h5py.Dataset) -> None:
        self.path, self.name = path, name
        self.shape: tuple[int, ...] = tuple(dataset.shape)
        self.dtype: np.dtype[Any] = dataset.dtype
        self.chunks: tuple[int, ...] | None = dataset.chunks
        holder = Path(dataset.file.filename)
        sources = dataset.virtual_sources() if dataset.is_virtual else []
        self.files = {holder, *(holder.parent / one.file_name for one in sources)}
        self.files = {file for file in self.files if file.is_file()}

    def __getitem__(self, key: Any) -> Any:
        with contextlib.suppress(ImportError):
            import_module("hdf5plugin")  # the filters of detectors register themselves
        try:
            with h5py.File(self.path, "r") as file:
                return file[self.name][key]
        except (OSError, KeyError) as error:
            raise OSError(f"{self} cannot be read: {_reason(error)}.") from error

    def __str__(self) -> str:
        return f"{self.path}::{self.name}"


def open_hdf5(path: Path, inside: str) -> HDF5Images:
    """Return the dataset `inside` a file, or the only one that holds images."""
    try:
        with h5py.File(path, "r") as file:
            if inside and isinstance(file.get(inside), h5py.Dataset):
                name = inside
            else:
                name = the_only(_datasets(file), path, inside)
            return HDF5Images(path, name, file[name])
    except OSError as error:
        raise ValueError(f"{path} is no HDF5 file that can be read: {_reason(error)}.") from error


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


def _reason(error: Exception) -> str:
    said = (str(error).strip().strip("'\"") or type(error).__name__).splitlines()[0].rstrip(".")
    if "filter" in said or "plugin" in said.lower():
        said += ' (compressed by a detector? pip install "shiftfield[files]")'
    return said
