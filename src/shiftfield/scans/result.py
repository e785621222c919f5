"""A scan's file, opened to be looked at: nothing is read before it is sliced."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from shiftfield.field import ShiftField
from shiftfield.field.hdf5 import declared_format
from shiftfield.scans.store import FORMAT, Description, check_out
from shiftfield.settings import Settings
from shiftfield.sources import open_images, zarrs

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
        with _attributes(self.path) as attributes:
            self._about = Description.of(attributes, str(self.path))
        self.projections, self.shape = self._about.projections, self._about.shape
        self.image_shape, self.frames = self._about.image_shape, self._about.frames
        self.settings, self.version = Settings(**self._about.settings), self._about.version

    def __len__(self) -> int:
        return self.projections

    @property
    def done(self) -> NDArray[np.bool_]:
        """Which projections are finished."""
        if self.path.suffix.lower() == ".zarr":
            found: NDArray[np.bool_] = np.asarray(open_images(f"{self.path}::done")[:]) != 0
            return found
        with _attributes(self.path) as attributes:
            complete = bool(attributes["complete"])
        parts = self.path.with_name(self.path.name + ".parts")
        parts_there = [
            complete or (parts / f"{n:06d}.h5").exists() for n in range(self.projections)
        ]
        return np.array(parts_there, bool)

    def quantities(self) -> dict[str, Any]:
        """Return `x`, `y` (px), `valid`, `score` and what else there is, `(projection, rows, columns)`.

        Each is read when it is sliced; NaN where a projection is not finished.
        """
        names = [name for name in self._about.quantities if name != "drift"]
        return {name: open_images(f"{self.path}::{name}") for name in names}

    def __getitem__(self, number: int) -> ShiftField:
        """Return one projection."""
        if not 0 <= number < self.projections:
            raise IndexError(
                f"projection {number} is not among the {self.projections} of {self.path}."
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
        if about.stat().st_size > _LONGEST:
            return ""
        return str(json.loads(about.read_text("utf-8"))["attributes"]["format"])
    except (OSError, KeyError, TypeError, ValueError):
        return ""


@contextmanager
def _attributes(path: Path) -> Iterator[Any]:
    """Give the attributes of a file; a ValueError when it cannot be opened."""
    if path.suffix.lower() == ".zarr":
        try:
            yield zarrs.package(path).open_group(str(path), mode="r").attrs
        except (FileNotFoundError, KeyError) as error:
            raise ValueError(f"{path} is no scan of shiftfield that can be read.") from error
        return
    try:
        with h5py.File(path, "r") as file:
            yield file.attrs
    except (OSError, KeyError) as error:
        raise ValueError(f"{path} is no scan of shiftfield that can be read.") from error
