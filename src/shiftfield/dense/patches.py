"""A few patches of both images on a grid: what can be told of a search before it, and how large speckles are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shiftfield.arrays.on_device import to_host
from shiftfield.inputs.frames import Frames
from shiftfield.settings import Settings

_PATCHES = 4  # along each axis


def apart_of(patches: NDArray[np.float64]) -> int:
    """Return the least distance of a second peak from the best, px; patches of the reference `(N, K, h, w)`."""
    return max(int(np.ceil(2 * speckle_radius(patches))), 2)


def patches_of(
    reference: Frames, sample: Frames, settings: Settings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a few patches `(N, K, h, w)` of reference and sample on a grid, as large as fits."""
    margin, (_, height, width) = settings.margin, reference.shape
    window = min(max(settings.window, 15), height - 2 * margin, width - 2 * margin)
    radius = window // 2
    window = 2 * radius + 1 if 2 * radius + 1 + 2 * margin <= min(height, width) else 2 * radius - 1
    radius, edge = window // 2, window // 2 + margin
    rows = np.unique(np.linspace(edge, height - edge - 1, _PATCHES).astype(int))
    columns = np.unique(np.linspace(edge, width - edge - 1, _PATCHES).astype(int))
    ref, sam = [], []
    for i in rows:
        band_r = reference.rows(i - edge, i + edge + 1).astype(np.float64)
        band_s = sample.rows(i - radius, i + radius + 1).astype(np.float64)
        for j in columns:
            ref.append(to_host(band_r[:, :, j - edge : j + edge + 1]))
            sam.append(to_host(band_s[:, :, j - radius : j + radius + 1]))
    return np.stack(ref), np.stack(sam)


def speckle_radius(patches: NDArray[np.float64]) -> float:
    """Return the shift along x, px, at which the reference's autocorrelation falls to half."""
    known = np.isfinite(patches)
    count = np.maximum(known.sum(axis=(2, 3), keepdims=True), 1)
    mean = patches.sum(axis=(2, 3), keepdims=True, where=known) / count
    patches = np.where(known, patches - mean, 0)
    power = float(np.mean(patches * patches))
    for lag in range(1, patches.shape[3] - 1):
        if np.mean(patches[..., lag:] * patches[..., :-lag]) < 0.5 * power:
            return float(lag)
    return float(patches.shape[3])
