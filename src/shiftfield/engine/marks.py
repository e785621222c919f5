"""What speaks against a pixel and is seen in its tile: a peak at the search border, texture, a second peak.

These are numbers and bits only; what is too little or too much is decided by `shiftfield.checks`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine.base import Answer, Block, Search, Tile
from shiftfield.quality import Quality
from shiftfield.scores import METHODS

Float = NDArray[np.float64]


def marked(search: Search, tile: Tile, block: Block, answer: Answer) -> Answer:
    """Return an answer, not refined yet, with the bit of a peak at the search border, and with the texture."""
    my, mx = search.margin
    with np.errstate(invalid="ignore"):
        border = (np.abs(answer.x) >= mx) | (np.abs(answer.y) >= my)
    flags = answer.flags | np.where(border, np.uint16(Quality.PEAK_AT_BORDER), np.uint16(0))
    step = search.step
    wanted = np.s_[-tile.y0 % step :: step, -tile.x0 % step :: step]
    return replace(answer, flags=flags, texture=_deviation(search, block)[wanted])


@np.errstate(invalid="ignore", divide="ignore")  # NaN and inf of the images, windows all masked
def _deviation(search: Search, block: Block) -> NDArray[np.float32]:
    """Return the standard deviation of each window of the sample, over all frames, under its pixels' weights."""
    pixels = block.sample.astype(np.float64)
    if block.weights is None:
        pixels -= _level(pixels, np.isfinite(pixels))
        of_pixels = pixels, np.square(pixels)
        mean, square = (_windowed(search, part.mean(axis=0)) for part in of_pixels)
    else:
        weights = np.broadcast_to(block.weights[1], pixels.shape).astype(np.float64)
        pixels -= _level(pixels, np.isfinite(pixels) & (weights > 0))
        pixels = np.where(weights > 0, pixels, 0)
        of_pixels = weights * pixels, weights * np.square(pixels)
        total = _windowed(search, weights.mean(axis=0))
        mean, square = (_windowed(search, part.mean(axis=0)) / total for part in of_pixels)
    return np.sqrt(np.maximum(square - mean**2, 0)).astype(np.float32)


def _level(pixels: Float, known: NDArray[np.bool_]) -> float:
    return float(pixels.mean(where=known)) if known.any() else 0.0


def _windowed(search: Search, image: Float) -> Float:
    """Return the weighted means of all windows that lie inside an image."""
    wy, wx = search.weights
    down = sum(w * image[n : image.shape[0] - wy.size + 1 + n] for n, w in enumerate(wy))
    found: Float = sum(w * down[:, n : image.shape[1] - wx.size + 1 + n] for n, w in enumerate(wx))
    return found


@np.errstate(invalid="ignore", divide="ignore")  # what is no peak at all
def ratio(method: str, best: NDArray[np.floating], second: NDArray[np.floating]) -> Float:
    """Return a second-best score over the best, both as correlation coefficients.

    The UMPA scores are squares of such (1 - D / var is the part that is explained); what is negative counts as 0,
    and so does a second that was never tried.
    """
    first, other = (np.asarray(score, dtype=np.float64) for score in (best, second))
    if METHODS[method].squared:
        first, other = np.sqrt(np.maximum(first, 0)), np.sqrt(np.maximum(other, 0))
    found: Float = np.where(other > 0, other, 0.0) / np.where(first > 0, first, np.nan)
    return found
