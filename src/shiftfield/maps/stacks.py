"""The Pearson map of a large stack, frame after frame: a few images are held, however many frames there are.

The same as `pearson` for one template, which holds all frames and is faster for small ones.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from shiftfield.maps.pearson import SCIPY, Float, constant_windows, level_of, window_sums

Pair = tuple[Float, Float]


def stack_map(pairs: Iterable[Pair]) -> Float:
    """Return the map `(ny, nx)` of a template in a reference, given as pairs (reference, template) of frames.

    With one level r0 and s0 taken off all pixels, R and S, the covariance of the template with a window is
    sum(R S) - mean(S) sum(R), sums over frames and window. 0 where either is constant, NaN where one holds a NaN
    or inf.
    """
    made = _Sums()
    for reference, template in pairs:
        made.add(reference, template)
    return made.map()


class _Sums:
    """What is summed over frames."""

    def __init__(self) -> None:
        self.frames = 0

    def add(self, reference: Float, template: Float) -> None:
        """Add one frame of both."""
        if not self.frames:
            self._begin(reference, template)
        self.frames += 1
        for n, image in enumerate((reference, template)):
            known = np.isfinite(image)
            if not known.all():
                self.spoilt[n] |= ~known
                image = np.where(known, image, self.levels[n])
            np.maximum(self.highest[n], image, out=self.highest[n])
            np.minimum(self.lowest[n], image, out=self.lowest[n])
            if n:
                template = image - self.levels[1]
            else:
                reference = image - self.levels[0]
        sums, squares = window_sums(reference[None, None], template.shape)
        self.sums += sums[0]
        self.squares += squares[0]
        self.total += float(template.sum())
        self.square += float(np.vdot(template, template))
        size = self.fast
        spectrum = np.conj(SCIPY.fft.rfft2(template, size))
        spectrum *= SCIPY.fft.rfft2(reference, size)
        self.spectrum += spectrum

    def _begin(self, reference: Float, template: Float) -> None:
        images = reference, template
        self.levels = [level_of(image) for image in images]
        self.spoilt = [np.zeros(image.shape, bool) for image in images]
        self.highest = [np.full(image.shape, -np.inf) for image in images]
        self.lowest = [np.full(image.shape, np.inf) for image in images]
        self.window = template.shape
        self.places = tuple(n - m + 1 for n, m in zip(reference.shape, template.shape, strict=True))
        self.sums, self.squares = np.zeros(self.places), np.zeros(self.places)
        self.total = self.square = 0.0
        self.fast = tuple(SCIPY.fft.next_fast_len(n, real=True) for n in reference.shape)
        self.spectrum = np.zeros((self.fast[0], self.fast[1] // 2 + 1), np.complex128)

    def map(self) -> Float:
        """Return the coefficients."""
        ny, nx = self.places
        n = self.frames * self.window[0] * self.window[1]
        cross = SCIPY.fft.irfft2(self.spectrum, self.fast)[:ny, :nx] - self.total / n * self.sums
        square = self.square - self.total * self.total / n
        level = self.sums * self.sums / n
        spread = np.maximum(self.squares - level, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Float = np.clip(cross / np.sqrt(spread * square), -1, 1)
        extremes = np.stack([self.highest[0], self.lowest[0]])[None]
        flat = constant_windows(extremes, self.window, spread[None], level[None], SCIPY.ndimage)[0]
        found[flat] = 0.0
        if self.highest[1].max() == self.lowest[1].min() or not square > 0:
            found[:] = 0.0
        if self.spoilt[0].any():
            near = window_sums(self.spoilt[0][None, None].astype(np.float64), self.window)[0][0]
            found[near > 0.5] = np.nan
        if self.spoilt[1].any():
            found[:] = np.nan
        return found
