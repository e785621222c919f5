"""Images that the compiled scores read, made of windowed moments; a method's form says which.

The forms are those of `shiftfield.scores`; the loops over them are `engine.kernels.scores`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine.base import Real
from shiftfield.engine.kernels.lanes import aligned
from shiftfield.engine.kernels.scores import GENERAL, LINEAR, SQUARE
from shiftfield.scores import METHODS

Float = NDArray[np.float64]
_REFERENCE, _SAMPLE = 4, 3  # images of the most demanding form


def shape_of(method: str) -> int:
    """Return which loop computes a method's form: the one of its linear or its square term, or that of all."""
    one = np.ones(1)
    square, linear, constant = (
        term is not None for term in METHODS[method].form.reference(one, one)
    )
    plain = METHODS[method].form.sample is None and not constant
    if plain and linear != square:
        return LINEAR if linear else SQUARE
    return GENERAL


@np.errstate(all="ignore")  # windows without texture, which are NaN in the end
def reference_images(
    method: str,
    moments: Float,
    level: float,
    none: NDArray[np.uint8],
    kind: type[np.floating],
    *,
    gain: float,
) -> Real:
    """Return (4, n): the mean, and what the method needs of the reference alone; NaN where `none`.

    Means are relative to the tile's level; `level` brings it back for methods that are not blind to it. `gain` is
    the sample's scale over the reference's, for methods that are not blind to that.
    """
    mean, variance = moments
    out = aligned((_REFERENCE, mean.size), kind)
    out[0] = mean
    square, linear, constant = METHODS[method].form.reference(
        gain * (mean + level), gain**2 * variance
    )
    terms = (
        None if square is None else gain**2 * square, None if linear is None else gain * linear, constant,
    )  # fmt: skip
    if shape_of(method) != GENERAL:
        (out[1],) = (term for term in terms if term is not None)
    else:
        for image, term in zip(out[1:], terms, strict=True):
            image[:] = 0 if term is None else term
    if none.any():
        out[1, none != 0] = np.nan
    return out


def sample_images(method: str, moments: Float, level: float, kind: type[np.floating]) -> Real:
    """Return (3, n): the mean, and what the method multiplies its linear and constant term by."""
    mean, of_sample = moments[0], METHODS[method].form.sample
    out = aligned((_SAMPLE, mean.size), kind)
    out[0] = mean
    if shape_of(method) == GENERAL:
        out[1], out[2] = (1, 1) if of_sample is None else of_sample(mean + level)
    return out


@np.errstate(all="ignore")  # windows without texture, which are NaN in the end
def sample_factor(method: str, variance: Float) -> Float:
    """Return the factor of the sample alone, which makes a score of what the loops compare."""
    return METHODS[method].form.factor(variance)


@np.errstate(all="ignore")  # windows without texture, which are NaN in the end
def lowest_score(method: str, sample: Real, factor: Float) -> Float:
    """Return the score of a reference window without texture: the lowest there is."""
    return METHODS[method].form.lowest(sample[2], factor)


@np.errstate(all="ignore")  # a mean of zero makes no transmission
def transmission_and_dark_field(
    method: str, s: Float, m_r: Float, v_r: Float, m_s: Float, mean: float
) -> tuple[Float, Float]:
    """Return |T| and |V| from what the loops keep at the found shift, means and variance; V is 1 for "umpa".

    The mean of the products is T / g for "umpa", and its score leaves its square: s = T^2 / g - m_S^2. Nothing
    is kept of a constant reference window, whose covariance is 0.
    """
    if METHODS[method].gives == ("transmission",):
        s = np.where(np.isnan(s), 0.0, s)
        return np.sqrt((m_s * m_s + s) / (v_r + m_r * m_r)), np.ones(s.size)
    ratio = np.copysign(np.sqrt(np.abs(s) / v_r), s)
    transmission = (m_s - ratio * m_r) / mean + ratio
    return np.abs(transmission), np.abs(ratio / transmission)
