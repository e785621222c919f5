"""A scan in one HDF5 file: while it is made, a file that shows the parts beside it; in the end, all in itself.

HDF5 does not survive being killed while it writes. So each projection is a file of its own, written beside its
name and renamed; the main file holds virtual datasets and is never touched. The chunks, compressed as they are,
are copied into one file when all are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from glob import escape
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from shiftfield.field.whole_file import WholeFile, reason, stored_chunks, write_packed
from shiftfield.scans.store import UNITS, Description, OutputError, axes_of, fill_of, tall
from shiftfield.strangers import words_of
from shiftfield.whole import synced


class HDF5Store:
    """The file of a scan, and the folder of its parts."""

    def __init__(self, path: Path, description: Description, *, overwrite: bool) -> None:
        self.path, self.description = path, description
        self.parts = folder_of_parts(path)
        self.complete = False
        if self.parts.is_symlink():
            raise ValueError(
                f"{self.parts} is a link; nothing is written or removed where it leads."
            )
        try:
            if overwrite:
                path.unlink(missing_ok=True)
                self._clear()
            if path.exists():
                self._go_on()
            else:
                if self.parts.exists() and any(self.parts.iterdir()):
                    raise ValueError(f"{self.parts} is there without {path}; remove it.")
                self._begin()
            others = path.parent.glob(f".{escape(path.name)}.*.part")
            for left in (*others, *self.parts.glob(".*.part")):
                left.unlink(missing_ok=True)
        except OSError as error:
            raise _failed(path, error) from error

    def _go_on(self) -> None:
        if not self.path.is_file():
            raise ValueError(f"{self.path} is no scan of shiftfield: it is no file.")
        try:
            with h5py.File(self.path, "r") as file:
                found = Description.of(file.attrs, str(self.path))
                self.complete = bool(file.attrs["complete"])
        except (OSError, KeyError, RuntimeError) as error:
            raise ValueError(
                f"{self.path} is no scan of shiftfield that can be read: {words_of(error)}."
            ) from error
        self.description.check_same(found, str(self.path), self.done())
        if self.complete:
            self._clear()
            return
        if self.description.attributes()["inputs"] != found.attributes()["inputs"]:
            self._begin()  # what is not done has other files now
        self.parts.mkdir(exist_ok=True)

    def _clear(self) -> None:
        """Remove the parts and their folder, unless something else lies in it."""
        for pattern in ("[0-9]*.h5", ".*.part"):
            for part in self.parts.glob(pattern):
                part.unlink(missing_ok=True)
        with suppress(OSError):  # not there, or not empty
            self.parts.rmdir()

    def _begin(self) -> None:
        """Write the file that shows the parts, though none is there: what is missing is NaN."""
        d = self.description
        with WholeFile(self.path, synced) as file:
            _describe(file, d, complete=False)
            for name, kind in d.quantities.items():
                size = d.size_of(name)
                layout = h5py.VirtualLayout((d.projections, *size), kind)
                for number in range(d.projections):
                    part = f"{self.parts.name}/{name_of_part(number)}"
                    layout[number] = h5py.VirtualSource(part, name, size)
                file.create_virtual_dataset(name, layout, fillvalue=fill_of(kind))
                _label(file[name], name)
        self.parts.mkdir(exist_ok=True)  # last: killed before, there is nothing yet

    def done(self) -> NDArray[np.bool_]:
        """Return which projections are finished."""
        here = range(self.description.projections)
        return np.array([self.complete or (self.parts / name_of_part(n)).is_file() for n in here])

    def write(self, number: int, quantities: Mapping[str, NDArray[Any]]) -> None:
        """Keep one projection."""
        try:
            with WholeFile(self.parts / name_of_part(number), synced) as file:
                for name, kind in self.description.quantities.items():
                    data = np.asarray(quantities[name], kind)
                    write_packed(file, name, data, **_packing(data.shape), fillvalue=fill_of(kind))
        except OSError as error:
            raise _failed(self.path, error) from error

    def finish(self) -> None:
        """Copy all chunks into one file, which takes the place of the one that shows the parts."""
        if self.complete:
            return
        try:
            with WholeFile(self.path, synced) as file:
                _describe(file, self.description, complete=True)
                self._copy(file)
        except OSError as error:
            raise OutputError(
                f"All projections can be read from {self.path} and {self.parts}, but they cannot "
                f"be put into one file: {reason(error)}."
            ) from error
        self.complete = True
        self._clear()

    def _copy(self, file: h5py.File) -> None:
        d = self.description
        for name, kind in d.quantities.items():
            size = d.size_of(name)
            packing = _packing(size)
            packing["chunks"] = (1, *packing["chunks"])
            out = file.create_dataset(
                name, (d.projections, *size), kind, **packing, fillvalue=fill_of(kind)
            )
            _label(out, name)
            for number in range(d.projections):
                place = self.parts / name_of_part(number)
                with h5py.File(place, "r") as part:
                    if not _alike(part.get(name), out):
                        raise OSError(f"{place} has another {name}; remove it")
                    for at, packed, mask in stored_chunks(part[name]):
                        out.id.write_direct_chunk((number, *at), packed, mask)


def _alike(part: Any, whole: h5py.Dataset) -> bool:
    """Return whether the chunks of one projection can go among those of all, as they are."""
    return (
        isinstance(part, h5py.Dataset)
        and (part.shape, part.chunks, part.dtype)
        == (whole.shape[1:], whole.chunks[1:], whole.dtype)
        and (part.compression, part.shuffle) == (whole.compression, whole.shuffle)
        and not (part.is_virtual or part.external)
    )


def folder_of_parts(path: Path) -> Path:
    """Return the folder in which the parts of a scan lie until all are there."""
    return path.with_name(path.name + ".parts")


def name_of_part(number: int) -> str:
    """Return the name of the file of one projection."""
    return f"{number:06d}.h5"


def _packing(size: tuple[int, ...]) -> dict[str, Any]:
    """LZF, which h5py brings along, takes a fifth of gzip's time; the digits of a shift are noise to both."""
    return {
        "chunks": tall((size[0], size[1])), "compression": "lzf", "shuffle": True,
    }  # fmt: skip


def _describe(file: h5py.File, description: Description, *, complete: bool) -> None:
    for name, value in description.attributes().items():
        file.attrs[name] = value
    file.attrs["complete"] = complete


def _label(dataset: h5py.Dataset, name: str) -> None:
    dataset.attrs["units"] = UNITS.get(name, "")
    dataset.attrs["axes"] = list(axes_of(name))


def _failed(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written: {reason(error)}; what was finished before is kept."
    )
