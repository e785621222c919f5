"""The Pearson map of a large stack, frame after frame: a few images are held, however many frames there are.

The same as `pearson` for one template, which holds all frames and is faster for small ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from shiftfield.maps.pearson import (
    SCIPY,
    Float,
    by_size,
    constant_windows,
    level_of,
    power_for,
    touched,
    typical_spread,
    usual_size,
    window_sums,
)

Pair = tuple[Float, Float]


@np.errstate(divide="ignore", invalid="ignore", over="ignore")
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
            image = image - self.levels[n]
            if self.frames == 1:
                self.usual[n] = usual_size(image)
            image = np.ldexp(image, power) if (power := power_for(self.usual[n])) else image
            reference, template = (reference, image) if n else (image, template)
        sums, squares = window_sums(reference[None, None], template.shape)
        self.sums += sums[0]
        self.squares += squares[0]
        self.total += float(template.sum())
        self.square += float(np.vdot(template, template))
        spectrum = np.conj(SCIPY.fft.rfft2(template, self.fast))
        for number, (part, where) in by_size(reference, self._usual()).items():
            if number:
                near = touched(where[None, None], template.shape)[0]
                self.touched[number] = self.touched.get(number, False) | near
            self.spectra[number] = self.spectra.get(number, 0) + spectrum * SCIPY.fft.rfft2(
                part, self.fast
            )

    def _begin(self, reference: Float, template: Float) -> None:
        images = reference, template
        self.usual = [0.0, 0.0]
        self.levels = [level_of(image) for image in images]
        self.spoilt = [np.zeros(image.shape, bool) for image in images]
        self.highest = [np.full(image.shape, -np.inf) for image in images]
        self.lowest = [np.full(image.shape, np.inf) for image in images]
        self.window = template.shape
        self.places = tuple(n - m + 1 for n, m in zip(reference.shape, template.shape, strict=True))
        self.sums, self.squares = np.zeros(self.places), np.zeros(self.places)
        self.total = self.square = 0.0
        self.fast = tuple(SCIPY.fft.next_fast_len(n, real=True) for n in reference.shape)
        # by the size of the reference's pixels, which only the windows that they touch may know
        self.spectra: dict[int, Any] = {}
        self.touched: dict[int, Any] = {}

    def _usual(self) -> float:
        """Return the usual size of the reference's pixels as they are transformed."""
        return float(np.ldexp(self.usual[0], power_for(self.usual[0])))

    def map(self) -> Float:
        """Return the coefficients."""
        ny, nx = self.places
        n = self.frames * self.window[0] * self.window[1]
        cross: Float = -self.total / n * self.sums
        for number, spectrum in sorted(self.spectra.items()):
            part = SCIPY.fft.irfft2(spectrum, self.fast)[:ny, :nx]
            cross += np.where(self.touched[number], part, 0.0) if number else part
        square = self.square - self.total * self.total / n
        level = self.sums * self.sums / n
        spread = np.maximum(self.squares - level, 0.0)
        found: Float = np.clip(cross / (np.sqrt(spread) * np.sqrt(square)), -1, 1)
        extremes = np.stack([self.highest[0], self.lowest[0]])[None]
        typical = typical_spread(spread[None], n, self._usual())
        sums = spread[None], level[None], typical
        flat = constant_windows(extremes, self.window, sums, SCIPY.ndimage)[0]
        found[flat] = 0.0
        if self.highest[1].max() == self.lowest[1].min() or not square > 0:
            found[:] = 0.0
        found[~np.isfinite(spread * square)] = np.nan  # squares beyond float64
        if self.spoilt[0].any():
            found[touched(self.spoilt[0][None, None], self.window)[0]] = np.nan
        if self.spoilt[1].any():
            found[:] = np.nan
        return found
