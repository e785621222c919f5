"""Images with squares of pixels averaged, each level made of the finer one, so that the input is read once.

What is searched in them is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.inputs.frames import Frames

Image = NDArray[np.floating[Any]]
_AT_ONCE = 4_000_000  # pixels of all frames


def binned(
    frames: Frames, binnings: list[int], most: int, look: Callable[[], None]
) -> dict[int, Image]:
    """Return at most `most` of the frames binned by each of some powers of two, `(k, H // n, W // n)`.

    Means of the pixels that are known, NaN where none is; what is over at the ends is left out.
    """
    count, height, width = frames.shape
    chosen = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
    finest = min(binnings)
    tall, wide = height // finest, width // finest
    parts: list[Image] = []
    many: list[Image | None] = []
    rows = max(1, _AT_ONCE // (count * width * finest))
    for top in range(0, tall, rows):
        look()
        stop = min(top + rows, tall) * finest
        band: Image = frames.rows(top * finest, stop)[chosen, :, : wide * finest]
        known = np.isfinite(band)
        shares: Image | None = None if known.all() else known.astype(np.float32)
        band, n = band if shares is None else np.where(known, band, 0), 1
        while n < finest:
            band, shares = _halved(band, shares)
            n *= 2
        parts.append(band)
        many.append(shares)
    image: Image = np.concatenate(parts, axis=1)
    known_part: Image | None = None
    if any(shares is not None for shares in many):
        known_part = np.concatenate(
            [np.ones(band.shape, np.float32) if shares is None else shares
             for band, shares in zip(parts, many, strict=True)], axis=1,
        )  # fmt: skip
    out: dict[int, Image] = {}
    n = finest
    while True:
        if n in binnings:
            out[n] = image if known_part is None else np.where(known_part > 0, image, np.nan)
        if n >= max(binnings):
            return out
        image, known_part = _halved(image, known_part)
        n *= 2


def _halved(image: Image, shares: Image | None) -> tuple[Image, Image | None]:
    """Return means of squares of four pixels, and the share of each that is known; None for all."""
    if shares is None:
        return _fours(image) / 4, None
    total = _fours(shares)
    return _fours(image * shares) / np.maximum(total, 1e-30), total / 4


def _fours(image: Image) -> Image:
    """Return sums of squares of four pixels; an odd last row or column is left out."""
    tall, wide = (n // 2 * 2 for n in image.shape[1:])
    sums: Image = image[:, 0:tall:2, 0:wide:2] + image[:, 0:tall:2, 1:wide:2]
    sums += image[:, 1:tall:2, 0:wide:2]
    sums += image[:, 1:tall:2, 1:wide:2]
    return sums
