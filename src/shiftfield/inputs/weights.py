"""Weights of the pixels of both inputs: what is accepted, and what a tile gets of them and of what lies outside.

A weight of 0 is a mask: what the pixel holds is never looked at. What weights do to a score is the engine's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine.base import Real
from shiftfield.inputs.frames import Frames, as_floats

Weights = tuple[Frames | None, Frames | None]  # of reference and sample; None where all are 1
NO_WEIGHTS: Weights = (None, None)


def weights_of(reference_weights: Any, sample_weights: Any, images: Frames) -> Weights:
    """Return the weights of both inputs as frames.

    Parameters
    ----------
    reference_weights, sample_weights : array_like or None, shape (H, W) or (K, H, W)
        Booleans or numbers of at least 0, for all frames of `images` (K, H, W) or for each.

    Raises
    ------
    ValueError
        When a shape does not fit, or a weight is negative or no number; floats and signed integers are read for
        that, once.
    """
    return (
        _checked(reference_weights, "reference_weights", images),
        _checked(sample_weights, "sample_weights", images),
    )


def _checked(data: Any, name: str, images: Frames) -> Frames | None:
    if data is None:
        return None
    frames = Frames(data, name)
    if frames.size != images.size or frames.shape[0] not in (1, images.shape[0]):
        count, height, width = images.shape
        raise ValueError(
            f"{name} has shape {tuple(frames.data.shape)}; it must be ({height}, {width}) for all frames or "
            f"({count}, {height}, {width}) for each."
        )
    if frames.device is not None:
        raise ValueError(
            f"{name} lies on GPU {frames.device}; weights must lie in the host's memory (cupy.asnumpy moves "
            "arrays)."
        )
    frames.look = images.look
    if np.dtype(frames.data.dtype).kind in "fi":
        for _, band in frames.bands():
            wrong = ~((band >= 0) & np.isfinite(band))
            if wrong.any():
                raise ValueError(
                    f"{name} holds {band[wrong][0]:g}; weights must be finite and not negative."
                )
    return frames


class _Unmasked(Frames):
    """Frames whose pixels of weight 0 are NaN."""

    def __init__(self, frames: Frames, weights: Frames) -> None:
        super().__init__(frames.data, "The images")
        self.look, self.weights = frames.look, weights

    def stored(self, start: int, stop: int) -> Any:
        """Return rows [start, stop) of all frames, NaN where the weight is 0."""
        return unmasked(super().stored(start, stop), self.weights.stored(start, stop))


def unmasked(pixels: Any, weights: Any) -> Any:
    """Return pixels in floats, NaN where the weight is 0; themselves where there are no weights."""
    return pixels if weights is None else np.where(weights > 0, as_floats(pixels), np.nan)


def unmasked_frames(images: tuple[Frames, Frames], weights: Weights) -> tuple[Frames, Frames]:
    """Return both inputs, NaN where a weight is 0, for what looks at them but for their weights."""
    found = [
        frames if of is None else _Unmasked(frames, of)
        for frames, of in zip(images, weights, strict=True)
    ]
    return found[0], found[1]


def padded(pixels: Any, rows: slice, columns: slice) -> Any:
    """Return `pixels[:, rows, columns]`, where slices may begin and end outside: 0 there."""
    sides, inner = [], []
    for at, size in zip((rows, columns), pixels.shape[1:], strict=True):
        first, last = min(max(at.start, 0), size), min(max(at.stop, 0), size)
        before = min(max(-at.start, 0), at.stop - at.start)
        sides.append((before, at.stop - at.start - (last - first) - before))
        inner.append(slice(first, last))
    found = pixels[:, *inner]
    return np.pad(found, [(0, 0), *sides]) if any(map(any, sides)) else found


def weights_of_tile(
    stored: tuple[Any, Any], shape: tuple[int, int], places: tuple[tuple[slice, slice], ...]
) -> tuple[Real, Real] | None:
    """Return the weights of a tile's pixels of reference and sample, the greatest of each 1; None when all are.

    Parameters
    ----------
    stored : tuple of array_like or None
        Weights of the rows of a band of both inputs, as they are stored.
    shape : tuple of int
        (rows, columns) of that band.
    places : tuple of (rows, columns)
        What the tile needs of each; outside the weight is 0.
    """
    found = [_part(band, shape, *place) for band, place in zip(stored, places, strict=True)]
    if all(bool((one == 1).all()) for one in found):
        return None
    return found[0], found[1]


def _part(band: Any, shape: tuple[int, int], rows: slice, columns: slice) -> NDArray[np.float64]:
    if band is None:
        band = np.broadcast_to(np.uint8(1), (1, *shape))
    weights: NDArray[np.float64] = padded(band, rows, columns).astype(np.float64)
    return weights / (weights.max() or 1)
