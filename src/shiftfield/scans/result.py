"""A scan's file, opened to be looked at: nothing is read before it is sliced."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, overload

import h5py
import numpy as np
from numpy.typing import NDArray

from shiftfield.field import ShiftField
from shiftfield.field.hdf5 import declared_format
from shiftfield.scans.hdf5_store import folder_of_parts, name_of_part
from shiftfield.scans.store import FORMAT, Description, check_out
from shiftfield.settings import Settings
from shiftfield.sources import open_images, zarrs
from shiftfield.strangers import words_of

_LONGEST = 1 << 26  # bytes; a scan of a hundred thousand files says in less what it is


class Scan:
    """The shift fields of a series of projections, in a file.

    Attributes
    ----------
    path : Path
    projections : int
    shape : tuple of int
        (rows, columns) of each quantity: every step-th pixel of the images.
    image_shape : tuple of int
        (H, W) of the images that were compared, px.
    frames : int
    settings : Settings
    version : str
        Version of shiftfield that began the scan.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = check_out(path)
        if not self.path.exists():
            raise FileNotFoundError(f"{self.path} does not exist.")
        if not self.path.is_file() and not self.path.is_dir():
            raise ValueError(f"{self.path} is no scan of shiftfield: it is no file.")
        with _attributes(self.path) as attributes:
            self._about = Description.of(attributes, str(self.path))
        self.projections, self.shape = self._about.projections, self._about.shape
        self.image_shape, self.frames = self._about.image_shape, self._about.frames
        self.settings, self.version = Settings(**self._about.settings), self._about.version
        self._parts = folder_of_parts(self.path)

    def __len__(self) -> int:
        return self.projections

    @property
    def done(self) -> NDArray[np.bool_]:
        """Which projections are finished."""
        if self.path.suffix.lower() == ".zarr":
            found: NDArray[np.bool_] = np.asarray(self._array("done", (self.projections,))[:]) != 0
            return found
        with _attributes(self.path) as attributes:
            complete = bool(attributes["complete"])
        if complete:
            return np.ones(self.projections, bool)
        here = range(self.projections)
        return np.array([(self._parts / name_of_part(n)).is_file() for n in here])

    def quantities(self) -> dict[str, Any]:
        """Return `x`, `y` (px), `valid`, `score` and what else there is, `(projection, rows, columns)`.

        Each is read when it is sliced; NaN where a projection is not finished.
        """
        names = [name for name in self._about.quantities if name != "drift"]
        shape = self.projections, *self.shape
        return {name: self._array(name, shape) for name in names}

    def _array(self, name: str, shape: tuple[int, ...]) -> Any:
        """Return an array of the scan's own; a ValueError unless it is what the scan says of it."""
        found = open_images(f"{self.path}::{name}")
        kind = self._about.quantities.get(name, "uint8")
        if tuple(found.shape) != shape or np.dtype(found.dtype) != np.dtype(kind):
            raise ValueError(
                f"{self.path}::{name} has shape {tuple(found.shape)} and dtype {found.dtype}; the scan says "
                f"{shape} and {kind}."
            )
        for file in getattr(found, "files", ()):
            if file != self.path and file.parent != self._parts:
                raise ValueError(
                    f"{self.path}::{name} leads to {file}, which is no part of the scan."
                )
        return found

    @overload
    def __getitem__(self, number: int) -> ShiftField: ...

    @overload
    def __getitem__(self, number: slice) -> list[ShiftField]: ...

    def __getitem__(self, number: Any) -> ShiftField | list[ShiftField]:
        """Return one projection, or of a slice a list of them."""
        if isinstance(number, slice):
            return [self[n] for n in range(self.projections)[number]]
        if not isinstance(number, int | np.integer) or not 0 <= number < self.projections:
            raise IndexError(
                f"{number!r} is no projection of {self.path}; they are 0 to {self.projections - 1}."
            )
        arrays: dict[str, Any] = {
            name: np.asarray(data[number]) for name, data in self.quantities().items()
        }
        arrays["valid"] = arrays["valid"] != 0
        return ShiftField(
            **arrays, settings=self.settings, image_shape=self.image_shape, frames=self.frames,
            version=self.version,
        )  # fmt: skip

    def __iter__(self) -> Iterator[ShiftField]:
        return (self[number] for number in range(self.projections))

    def __repr__(self) -> str:
        height, width = self.shape
        return f"<Scan {self.path}: {int(self.done.sum())} of {self.projections} projections, {height} x {width}>"


def is_scan(path: str | os.PathLike[str]) -> bool:
    """Return whether a file or a folder says that it is a scan, of whatever version of the format.

    No data are read, Zarr is not needed, and nothing is raised.
    """
    path = Path(path)
    found = _declared_by_zarr(path) if path.is_dir() else declared_format(path)
    return found.startswith(FORMAT.partition("/")[0] + "/")


def _declared_by_zarr(path: Path) -> str:
    about = path / "zarr.json"
    try:
        if not about.is_file() or about.stat().st_size > _LONGEST:
            return ""
        return str(json.loads(about.read_text("utf-8"))["attributes"]["format"])
    except (OSError, KeyError, TypeError, ValueError, RecursionError):
        return ""


@contextmanager
def _attributes(path: Path) -> Iterator[Any]:
    """Give the attributes of a file; a ValueError when it cannot be opened."""
    opened: Any
    try:
        if path.suffix.lower() == ".zarr":
            group = zarrs.package(path).open_group(zarrs.store_of(path), mode="r")
            opened = contextlib.nullcontext(group)
        else:
            opened = h5py.File(path, "r")
    except Exception as error:  # h5py's or Zarr's, of many kinds, about a broken file
        raise ValueError(
            f"{path} is no scan of shiftfield that can be read: {words_of(error)}."
        ) from error
    with opened as found:
        try:
            yield found.attrs
        except KeyError as error:
            raise ValueError(
                f"{path} is no whole scan of shiftfield: {words_of(error)}."
            ) from error
