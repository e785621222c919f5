"""Plain numbers in a file, one after another: what is asked for is read into memory, nothing is mapped.

Pages of a mapped file count as memory of the process that touched them; what a search may hold is promised.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray


class FlatImages:
    """An array in C order from a byte of a file on; `file` is a path, or a file that goes with the array."""

    def __init__(
        self, file: Path | BinaryIO, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...]
    ) -> None:
        self._file, self._offset, self._lock = file, offset, Lock()
        self.dtype, self.shape = dtype, tuple(int(n) for n in shape)
        if not isinstance(file, Path):
            weakref.finalize(self, file.close)
        size = file.stat().st_size if isinstance(file, Path) else os.fstat(file.fileno()).st_size
        if size < offset + prod(self.shape) * dtype.itemsize:
            raise ValueError(f"{self} is cut short: it has {size} bytes.")

    def __getitem__(self, key: Any) -> NDArray[Any]:
        given = key if isinstance(key, tuple) else (key,)
        given += (slice(None),) * (len(self.shape) - len(given))
        picked = [_indices(one, n) for one, n in zip(given, self.shape, strict=True)]
        *leading, rows, columns = picked
        out = np.empty([len(one) for one in picked], self.dtype)
        flat = out.reshape(-1, *out.shape[-2:])
        if out.size:
            self._read(leading, rows, columns, flat)
        kept = tuple(0 if isinstance(one, int | np.integer) else slice(None) for one in given)
        found: NDArray[Any] = out[kept]
        return found

    def _read(self, leading: list[range], rows: range, columns: range, out: NDArray[Any]) -> None:
        """Read whole rows of each plane, those between the first and the last that are wanted."""
        height, width = self.shape[-2:]
        first, last = min(rows), max(rows) + 1
        whole = rows == range(first, last) and columns == range(width)
        with self._lock, _opened(self._file) as file:
            for n, index in enumerate(product(*leading)):
                plane = int(np.ravel_multi_index(index, self.shape[:-2])) if index else 0
                to = out[n] if whole else np.empty((last - first, width), self.dtype)
                file.seek(self._offset + (plane * height + first) * width * self.dtype.itemsize)
                wanted = to.reshape(-1).view(np.uint8)
                if file.readinto(wanted) != wanted.size:
                    raise OSError(f"{self} is cut short.")
                if not whole:
                    picked = np.arange(rows.start, rows.stop, rows.step) - first
                    out[n] = to[picked][:, columns.start : columns.stop : columns.step]

    def __str__(self) -> str:
        return str(self._file) if isinstance(self._file, Path) else "The temporary file"


@contextmanager
def _opened(file: Path | BinaryIO) -> Iterator[Any]:
    """Give a file to read from: opened and closed, or the one that stays open."""
    if isinstance(file, Path):
        with file.open("rb") as ours:
            yield ours
    else:
        yield file


@dataclass(frozen=True, slots=True)
class Part:
    """Whole rows `(k, h, W)` of some frames, and where they begin."""

    frame: int
    row: int
    pixels: NDArray[Any]


def spooled(shape: tuple[int, ...], dtype: np.dtype[Any], parts: Iterator[Part]) -> FlatImages:
    """Write parts of `(H, W)` or `(K, H, W)` to a temporary file; return the array, which the file goes with."""
    file: Any = tempfile.TemporaryFile(dir=folder())  # noqa: SIM115 - it goes with the array
    height, width = shape[-2:]
    try:
        file.truncate(prod(shape) * dtype.itemsize)
        for part in parts:
            for n, plane in enumerate(part.pixels):
                file.seek(((part.frame + n) * height + part.row) * width * dtype.itemsize)
                file.write(np.ascontiguousarray(plane, dtype).reshape(-1).view(np.uint8))
        file.flush()
        return FlatImages(file, dtype, 0, shape)
    except OSError as error:
        file.close()
        raise OSError(
            f"The images cannot be kept in {folder()} while in work: {error.strerror or error}."
        ) from error
    except BaseException:
        file.close()
        raise


@cache
def folder() -> str:
    """Return where temporary files go: TMPDIR, or where the system says unless that is but memory."""
    usual = tempfile.gettempdir()
    lasting = Path("/var/tmp")  # noqa: S108 - a temporary file has no name there
    if "TMPDIR" in os.environ or not _in_memory(usual) or _in_memory(str(lasting)):
        return usual
    return str(lasting) if os.access(lasting, os.W_OK) else usual


def free_space() -> int:
    """Return how many bytes temporary files may take."""
    return shutil.disk_usage(folder()).free


def _in_memory(path: str) -> bool:
    """Return whether a folder is a file system in memory, as far as the system says."""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    places = {line.split()[1]: line.split()[2] for line in lines}
    above = [str(one) for one in (Path(path), *Path(path).parents)]
    return next((places[one] for one in above if one in places), "") in ("tmpfs", "ramfs")


def _indices(key: Any, size: int) -> range:
    """Return what an integer or a slice picks of an axis."""
    if isinstance(key, int | np.integer):
        at = int(key) + size * (key < 0)
        if not 0 <= at < size:
            raise IndexError(f"index {key} is out of bounds for {size}")
        return range(at, at + 1)
    if isinstance(key, slice) and (key.step is None or key.step > 0):
        return range(size)[key]
    raise IndexError(f"{key!r} is no integer and no forward slice")
