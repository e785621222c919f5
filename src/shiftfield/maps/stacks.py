"""The Pearson map of a large stack, frame after frame: a few images are held, however many frames there are.

The same as `pearson` for one template, which holds all frames and is faster for small ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from shiftfield.arrays.converted import power_for
from shiftfield.maps.pearson import (
    RANGE,
    SCIPY,
    Float,
    by_size,
    constant_windows,
    level_of,
    touched,
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
        reference = self._centred(0, reference)
        sums, squares = window_sums(reference[None, None], template.shape)
        self.sums += sums[0]
        self.squares += squares[0]
        del sums, squares  # two images less, while others are transformed
        template = self._centred(1, template)
        self.total += float(template.sum())
        self.square += float(np.vdot(template, template))
        spectrum = np.conj(SCIPY.fft.rfft2(template, self.fast))
        for number, (part, where) in by_size(reference, self._usual()).items():
            if number:
                near = touched(where[None, None], template.shape)[0]
                self.touched[number] = self.touched.get(number, False) | near
            product = SCIPY.fft.rfft2(part, self.fast)
            product *= spectrum
            if number not in self.spectra:
                self.spectra[number] = np.zeros(product.shape, product.dtype)
            self.spectra[number] += product

    def _centred(self, n: int, image: Float) -> Float:
        """Return the reference (0) or the template (1) less its level, and remember its extremes."""
        known = np.isfinite(image)
        if not known.all():
            self.spoilt[n] |= ~known
            image = np.where(known, image, self.levels[n])
        np.maximum(self.highest[n], image, out=self.highest[n])
        np.minimum(self.lowest[n], image, out=self.lowest[n])
        image = image - self.levels[n]
        if self.frames == 1:
            self.usual[n] = usual_size(image)
        power = power_for(self.usual[n])
        return np.ldexp(image, power) if power else image

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
        # (the usual ones from the start: what is allocated last keeps all freed memory below it)
        self.spectra: dict[int, Any] = {
            0: np.zeros((self.fast[0], self.fast[1] // 2 + 1), np.complex128)
        }
        self.touched: dict[int, Any] = {}

    def _usual(self) -> float:
        """Return the usual size of the reference's pixels as they are transformed."""
        return float(np.ldexp(self.usual[0], power_for(self.usual[0])))

    def _cross(self) -> Float:
        """Return the sums of reference times template; of parts of unusual pixels where those are."""
        ny, nx = self.places
        cross: Float = SCIPY.fft.irfft2(self.spectra.pop(0), self.fast)[:ny, :nx]
        for number in sorted(self.spectra):
            part = SCIPY.fft.irfft2(self.spectra.pop(number), self.fast)[:ny, :nx]
            cross += np.where(self.touched[number], part, 0.0)
        return cross

    def map(self) -> Float:
        """Return the coefficients."""
        n = self.frames * self.window[0] * self.window[1]
        cross = self._cross()
        cross -= self.total / n * self.sums
        square = self.square - self.total * self.total / n
        level = self.sums * self.sums / n
        spread = np.maximum(self.squares - level, 0.0)
        found: Float = np.clip(cross / (np.sqrt(spread) * np.sqrt(square)), -1, 1)
        extremes = np.stack([self.highest[0], self.lowest[0]])[None]
        typical = spread.max(keepdims=True)
        if self.touched:
            typical = np.minimum(typical, n * (RANGE * self._usual()) ** 2)
        sums = spread[None], level[None], typical[None]
        flat = constant_windows(extremes, self.window, sums, SCIPY.ndimage)[0]
        found[flat] = 0.0
        if self.highest[1].max() == self.lowest[1].min() or not square > 0:
            found[:] = 0.0
        if not np.isfinite(square):
            found[:] = np.nan
        found[~np.isfinite(spread)] = np.nan  # squares beyond float64
        if self.spoilt[0].any():
            found[touched(self.spoilt[0][None, None], self.window)[0]] = np.nan
        if self.spoilt[1].any():
            found[:] = np.nan
        return found
