"""A projection as it is compared: cropped, and corrected for the detector's dark and flat image."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.inputs.frames import Frames
from shiftfield.settings import check_integer

Float = NDArray[np.float64]


class Correction:
    """Which rows and columns are used, and (pixels - dark) / (flat - dark) in float32.

    `dark` and `flat` are single images or stacks, whose mean is taken; None for no such correction. A pixel where
    flat - dark is not positive is NaN.
    """

    def __init__(
        self, size: tuple[int, int], dark: Any, flat: Any, crop: Sequence[int] | None
    ) -> None:
        self.crop = _crop(crop, size)
        images = [
            _mean(image, name, size)
            for image, name in ((dark, "The dark image"), (flat, "The flat image"))
        ]
        self.active = any(image is not None for image in images)
        rows, columns = self.crop
        self.dark, self.scale = np.zeros(size)[rows, columns], np.ones(size)[rows, columns]
        if images[0] is not None:
            self.dark = images[0][rows, columns]
        if images[1] is not None:
            light = images[1][rows, columns] - self.dark
            self.scale = np.where(light > 0, 1 / np.where(light > 0, light, 1), np.nan)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) after cropping, px."""
        rows, columns = self.crop
        return rows.stop - rows.start, columns.stop - columns.start

    def digest(self) -> str:
        """Return what tells this correction from another."""
        return blake2b(self.dark.tobytes() + self.scale.tobytes(), digest_size=16).hexdigest()

    def of(self, stack: Any) -> Any:
        """Return a stack `(frame, y, x)` as it is compared; read when sliced."""
        if not self.active and self.size == tuple(stack.shape[1:]):
            return stack
        return Corrected(stack, self)


class Corrected:
    """A stack seen through a `Correction`."""

    def __init__(self, stack: Any, correction: Correction) -> None:
        self._stack, self._correction = stack, correction
        self.shape = stack.shape[0], *correction.size
        self.dtype = np.dtype(np.float32) if correction.active else stack.dtype
        self.chunks = _cut_chunks(getattr(stack, "chunks", None), correction.crop[0])

    def __getitem__(self, key: Any) -> NDArray[Any]:
        frames, rows, columns = (*key, slice(None), slice(None))[:3] if isinstance(key, tuple) else (
            key, slice(None), slice(None)
        )  # fmt: skip
        inside = [
            slice(one.start + n.start, one.start + n.stop)
            for one, n in zip(
                self._correction.crop,
                (range(size)[n] for n, size in zip((rows, columns), self.shape[1:], strict=True)),
                strict=True,
            )
        ]
        found = np.asarray(self._stack[frames, inside[0], inside[1]])
        if not self._correction.active:
            return found
        corrected: Float = (found - self._correction.dark[rows, columns]) * self._correction.scale[
            rows, columns
        ]
        return corrected.astype(np.float32)


def _cut_chunks(chunks: Any, rows: slice) -> tuple[Any, ...] | None:
    """Return the chunks of a stack of which only some rows are used; those along y as a tuple of sizes."""
    if not chunks:
        return None
    along = chunks[-2]
    ends = (
        range(0, rows.stop + int(along), int(along)) if isinstance(along, int) else np.cumsum(along)
    )
    cuts = sorted({rows.start, *(int(n) for n in ends if rows.start < n < rows.stop), rows.stop})
    return chunks[0], tuple(b - a for a, b in pairwise(cuts)), chunks[-1]


def _crop(crop: Sequence[int] | None, size: tuple[int, int]) -> tuple[slice, slice]:
    """Return the (row, column) slices of a crop (top, bottom, left, right), px."""
    if crop is None:
        return slice(0, size[0]), slice(0, size[1])
    words = f"crop is {crop!r}; it must be (top, bottom, left, right) with 0 <= top < bottom <= {size[0]} and "
    words += f"0 <= left < right <= {size[1]}, px."
    try:
        top, bottom, left, right = (check_integer("crop", n, 0) for n in crop)
    except (TypeError, ValueError):
        raise ValueError(words) from None
    if not (top < bottom <= size[0] and left < right <= size[1]):
        raise ValueError(words)
    return slice(top, bottom), slice(left, right)


def _mean(image: Any, name: str, size: tuple[int, int]) -> Float | None:
    """Return the mean over the frames of an image or stack of the detector's size."""
    if image is None:
        return None
    frames = Frames(image, name)
    if frames.size != size:
        raise ValueError(
            f"{name} is {frames.size[0]} x {frames.size[1]} px, the images are {size[0]} x {size[1]} px; "
            "they must be the same."
        )
    total: Float = np.zeros(size)
    for start, band in frames.bands():
        total[start : start + band.shape[1]] = band.mean(axis=0, dtype=np.float64)
    return total
