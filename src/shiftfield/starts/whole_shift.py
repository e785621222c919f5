"""One whole-pixel shift between two images, from one correlation of all that overlaps, at any shift.

Local searches, which find what is left, live elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST = 0.25  # part of the image that must overlap
_TRUST = 0.1  # correlation that no two images reach by chance
_FINE = 15  # px; what is coarser is illumination


def whole_shift(
    reference: NDArray[np.floating[Any]], sample: NDArray[np.floating[Any]]
) -> tuple[int, int] | None:
    """Return the shift (y, x), px, sample to reference, of a sample `(K, H, W)`; None where none is found.

    The greatest of sum R S / sqrt(sum R^2 sum S^2) over what overlaps, R and S less their local means, NaN left
    out; by FFT (as J. P. Lewis, Vision Interface 1995, with the energies of what overlaps).
    """
    from scipy.fft import irfft2, next_fast_len, rfft2
    from scipy.ndimage import uniform_filter

    shape = reference.shape[1:]
    size = [next_fast_len(2 * n - 1, real=True) for n in shape]

    def spectrum(image: Any) -> Any:
        return rfft2(image, s=size, workers=1)

    cross: Any = 0
    energies: list[Any] = [0, 0]
    for pair in zip(reference, sample, strict=True):
        fine = []
        for image in pair:
            known = np.isfinite(image)
            mean = image[known].mean() if known.any() else 0
            level = np.where(known, image - mean, 0).astype(np.float32)
            fine.append(np.where(known, level - uniform_filter(level, _FINE, mode="nearest"), 0))
        cross = cross + spectrum(fine[0]) * np.conj(spectrum(fine[1]))
        energies = [
            energy + part.astype(np.float64) ** 2
            for energy, part in zip(energies, fine, strict=True)
        ]
    over = spectrum(np.ones(shape))
    found = irfft2(cross, s=size, workers=1)
    of_r = irfft2(spectrum(energies[0]) * np.conj(over), s=size, workers=1)
    of_s = irfft2(over * np.conj(spectrum(energies[1])), s=size, workers=1)
    y, x = (np.fft.fftfreq(n, 1 / n).round().astype(int) for n in size)
    (height, width), total = shape, np.sqrt(energies[0].sum() * energies[1].sum())
    room = np.maximum(height - np.abs(y), 0)[:, None] * np.maximum(width - np.abs(x), 0)[None]
    allowed = (room >= _LEAST * height * width) & (
        np.sqrt(np.maximum(of_r * of_s, 0)) > 0.01 * total
    )
    if not allowed.any():
        return None
    score = np.where(allowed, found / np.sqrt(np.where(allowed, of_r * of_s, 1)), -1)
    best = np.unravel_index(int(score.argmax()), score.shape)
    if score[best] < _TRUST:
        return None
    return int(y[best[0]]), int(x[best[1]])
