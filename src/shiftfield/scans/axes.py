"""Which axis of an array is which: projections, frames, rows, columns; and one projection of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.arrays.converted import as_array, sliceable
from shiftfield.scans.identity import identity
from shiftfield.sources import is_address, open_images

AXES = ("projection", "frame", "y", "x")


class Stack:
    """One projection `(frame, y, x)` of an array with named axes, or of one for each frame; read when sliced."""

    def __init__(self, parts: Sequence[Any], axes: Sequence[str], number: int) -> None:
        self._parts, self._axes, self._number = parts, tuple(axes), number
        sizes = dict(zip(axes, parts[0].shape, strict=True))
        frames = sizes.get("frame", len(parts))
        self.shape = frames, sizes["y"], sizes["x"]
        self.dtype = parts[0].dtype
        chunks = getattr(parts[0], "chunks", None)
        self.chunks = None if not chunks else tuple(
            chunks[self._axes.index(axis)] if axis in axes else 1 for axis in ("frame", "y", "x")
        )  # fmt: skip

    def __getitem__(self, key: Any) -> NDArray[Any]:
        given = key if isinstance(key, tuple) else (key,)
        frames, rows, columns = given + (slice(None),) * (3 - len(given))
        if "frame" in self._axes:
            return self._part(self._parts[0], rows, columns, frames)
        if isinstance(frames, int | np.integer):
            return self._part(self._parts[int(frames)], rows, columns)
        return np.stack([self._part(part, rows, columns) for part in self._parts[frames]])

    def _part(self, part: Any, rows: Any, columns: Any, frames: Any = None) -> NDArray[Any]:
        wanted = {"projection": self._number, "frame": frames, "y": rows, "x": columns}
        found = np.asarray(part[tuple(wanted[axis] for axis in self._axes)])
        left = [axis for axis in self._axes if not isinstance(wanted[axis], int | np.integer)]
        order = [left.index(axis) for axis in ("frame", "y", "x") if axis in left]
        return found.transpose(order)


class Series:
    """All projections: an array or address with named axes, or a list of addresses along the first axis.

    Of a list of projections each is opened when it is wanted; of a list of frames all are at once.
    """

    def __init__(self, data: Any, axes: Sequence[str] | str, name: str) -> None:
        self._axes = check_axes(axes, name)
        self._name = f"The array of {name[0].lower()}{name[1:]}"
        self.axes = tuple(self._axes)
        self._later: list[Any] = []
        given = [data]
        if isinstance(data, list | tuple) and data and all(map(is_address, data)):
            given, along = list(data), self._axes.pop(0)
            if along not in ("projection", "frame"):
                raise ValueError(
                    f"{name} are a list along {along!r}; it must be along 'projection' or 'frame'."
                )
            if along == "projection":
                given, self._later = given[:1], given
        self._parts = [self._open(one, given[0]) for one in given]
        self.given = self._later or given
        first = Stack(self._parts, self._axes, 0)
        self.shape, self.dtype = first.shape, first.dtype

    def __len__(self) -> int:
        if self._later:
            return len(self._later)
        if "projection" not in self._axes:
            return 1
        return int(self._parts[0].shape[self._axes.index("projection")])

    def __getitem__(self, number: int) -> Stack:
        """Return one projection; a ValueError or OSError when its file is not there, or not like the first."""
        if not self._later:
            return Stack(self._parts, self._axes, number)
        return Stack([self._open(self._later[number], self._later[0])], self._axes, 0)

    def identity(self) -> dict[str, Any]:
        """Return what tells this input from another; of a list of projections, of each of them."""
        if self._later:
            return {"axes": self.axes, "each": [identity(one) for one in self._later]}
        parts = [identity(*one) for one in zip(self.given, self._parts, strict=True)]
        return {"axes": self.axes, "all": parts}

    def _open(self, data: Any, first: Any) -> Any:
        """Return something like the first that has a shape and a dtype of real numbers, and can be sliced."""
        found = open_images(data) if is_address(data) else data
        if np.ma.isMaskedArray(found):
            found = as_array(found, self._name)
        found = sliceable(found, self._name)
        said = data if is_address(data) else self._name
        if len(found.shape) != len(self._axes) or min(found.shape) == 0:
            raise ValueError(
                f"{said} has shape {tuple(found.shape)}, and its axes are {', '.join(self._axes)}."
            )
        wanted = tuple(self._parts[0].shape) if hasattr(self, "_parts") else tuple(found.shape)
        if tuple(found.shape) != wanted:
            raise ValueError(
                f"{said} has shape {tuple(found.shape)}, {first} has {wanted}; all must be alike."
            )
        return found


def check_axes(axes: Any, name: str) -> list[str]:
    """Return the axes as a list, or raise a ValueError that says which are allowed."""
    if isinstance(axes, str):
        axes = axes.replace(",", " ").split()
    found = list(axes) if isinstance(axes, Iterable) else [axes]
    if set(found) - set(AXES) or len(set(found)) != len(found) or not {"y", "x"} <= set(found):
        raise ValueError(
            f"The axes of {name[0].lower() + name[1:]} are {', '.join(map(repr, found))}; they must be among "
            f"{', '.join(map(repr, AXES))}, each once, 'y' and 'x' always."
        )
    return found
