"""HDF5 files that are there whole or not at all, also where the disk is full.

HDF5 keeps chunks for later, and a disk that is full then ends the process without a word. So chunks are packed in
memory, and go to the file as they are; what the file is of is decided elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import h5py
import numpy as np

from shiftfield.whole import synced

VERSIONS = ("v110", "latest")


class WholeFile:
    """A file written beside its name under a name that nobody foresees, then renamed; `synced` makes it last."""

    def __init__(self, path: Path, synced: Callable[[Path], None] = synced) -> None:
        self.path, self._synced = path, synced
        self._part = path.with_name(f".{path.name}.{token_hex(8)}.part")

    def __enter__(self) -> h5py.File:
        try:
            self._file = h5py.File(self._part, "x", libver=VERSIONS)
        except OSError as error:
            self._part.unlink(missing_ok=True)
            raise OSError(reason(error)) from error
        return self._file

    def __exit__(self, kind: Any, error: BaseException | None, _: object) -> None:
        try:
            try:
                self._file.close()
            except (OSError, RuntimeError) as late:  # what h5py raises where the disk is full
                if error is None:
                    raise OSError(reason(late)) from late
            if error is None:
                self._put()
            elif isinstance(error, OSError | RuntimeError):
                raise OSError(reason(error)) from error
        finally:
            self._part.unlink(missing_ok=True)

    def _put(self) -> None:
        self._synced(self._part)
        self._part.replace(self.path)
        self._synced(self.path.parent)


def write_packed(file: h5py.File, name: str, data: Any, **packing: Any) -> h5py.Dataset:
    """Write a dataset whose chunks were packed in memory; return it."""
    own = f"{file.filename}.{name}"  # HDF5 knows files in memory by their names, those of other threads too
    with h5py.File(own, "w", driver="core", backing_store=False, libver=VERSIONS) as memory:
        source = memory.create_dataset(name, data=np.asarray(data), **packing)
        memory.flush()
        packing["chunks"] = source.chunks
        out = file.create_dataset(name, source.shape, source.dtype, **packing)
        for at, packed, mask in stored_chunks(source):
            out.id.write_direct_chunk(at, packed, mask)
    return out


def stored_chunks(dataset: h5py.Dataset) -> Iterator[tuple[tuple[int, ...], bytes, int]]:
    """Yield (place, bytes, which filters were not applied) of each chunk as it is stored."""
    chunks = dataset.id
    for n in range(chunks.get_num_chunks()):
        at = chunks.get_chunk_info(n).chunk_offset
        mask, packed = chunks.read_direct_chunk(at)
        yield at, packed, mask


def reason(error: Exception) -> str:
    """Return the system's words for what HDF5 tells at length."""
    number = re.search(r"errno = (\d+)", str(error))
    if number:
        return os.strerror(int(number[1]))
    return str(getattr(error, "strerror", None) or error).partition("\n")[0]
