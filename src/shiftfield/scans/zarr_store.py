"""A scan in a Zarr group: each projection is chunks of its own, and says that it is there when they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from glob import escape
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.scans.store import UNITS, Description, OutputError, axes_of, fill_of, tall
from shiftfield.sources.zarrs import store_of
from shiftfield.strangers import words_of
from shiftfield.whole import synced


class ZarrStore:
    """The folder of a scan; chunks are written beside their name and renamed by Zarr itself."""

    def __init__(self, path: Path, description: Description, *, overwrite: bool) -> None:
        self.path, self.description = path, description
        try:
            self._zarr: Any = import_module("zarr")
        except ImportError as error:
            raise ValueError(
                f'out is {path}; to write Zarr, pip install "shiftfield[files]".'
            ) from error
        links = (place for place in path.rglob("*") if place.is_symlink())
        if (link := next(links, None)) is not None:
            raise ValueError(f"{link} is a link; nothing is written or removed where it leads.")
        try:
            if overwrite and path.exists():
                shutil.rmtree(path)
            if not path.exists():
                self._begin()
            self._group = self._opened()
        except OSError as error:
            raise self._failed(error) from error
        for left in (*path.rglob("*.partial"), *path.parent.glob(f".{escape(path.name)}.*.part")):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(
                missing_ok=True
            )

    def _opened(self) -> Any:
        try:
            group = self._zarr.open_group(store_of(self.path, read_only=False), mode="r+")
            found = Description.of(group.attrs, str(self.path))
            for name, (shape, kind) in self._arrays().items():
                array = group[name]
                if array.shape != shape or array.dtype != kind or 0 in array.chunks:
                    raise ValueError(f"its {name} has shape {array.shape} and dtype {array.dtype}")
            done = np.asarray(group["done"][:]) != 0
        except Exception as error:  # Zarr's, of many kinds, about a broken store
            if isinstance(error, ValueError) and str(error).startswith(str(self.path)):
                raise
            raise ValueError(
                f"{self.path} is no scan of shiftfield that can be read: {words_of(error)}."
            ) from error
        self.description.check_same(found, str(self.path), done)
        about = self.description.attributes()
        if about["inputs"] != found.attributes()["inputs"]:
            group.attrs["inputs"] = about["inputs"]  # what is not done has other files now
        return group

    def _arrays(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Return the shape and dtype of each array."""
        d = self.description
        found = {n: ((d.projections, *d.size_of(n)), kind) for n, kind in d.quantities.items()}
        return {**found, "done": ((d.projections,), "uint8")}

    def _begin(self) -> None:
        """Make the empty arrays in a folder beside, and rename it."""
        d = self.description
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        group = self._zarr.open_group(str(part), mode="w")
        group.attrs.update({**d.attributes(), "complete": False})
        packing = self._zarr.codecs.BloscCodec(cname="lz4", shuffle="shuffle")
        for name, kind in d.quantities.items():
            size = d.size_of(name)
            group.create_array(
                name, shape=(d.projections, *size), chunks=(1, *tall(size)), dtype=kind,
                fill_value=fill_of(kind), dimension_names=axes_of(name),
                attributes={"units": UNITS.get(name, "")}, compressors=packing,
            )  # fmt: skip
        group.create_array("done", shape=(d.projections,), chunks=(1,), dtype="uint8", fill_value=0)
        part.rename(self.path)

    def done(self) -> NDArray[np.bool_]:
        """Return which projections are finished."""
        found: NDArray[np.bool_] = np.asarray(self._group["done"][:]) != 0
        return found

    def write(self, number: int, quantities: Mapping[str, NDArray[Any]]) -> None:
        """Keep one projection, and when its chunks are safe say so."""
        try:
            for name, kind in self.description.quantities.items():
                self._group[name][number] = np.asarray(quantities[name], kind)
                for chunk in (self.path / name / "c" / str(number)).rglob("*"):
                    synced(chunk)
            self._group["done"][number] = 1
        except OSError as error:
            raise self._failed(error) from error

    def finish(self) -> None:
        """Say that all projections are written."""
        try:
            self._group.attrs["complete"] = True
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.path} cannot be written: {error.strerror or error}; what was finished before is kept."
        )
