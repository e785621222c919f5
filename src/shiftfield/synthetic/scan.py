"""A speckle scan of an object with its truth: shift, transmission, dark field and drift.

The pattern itself is the business of `synthetic.speckles`, and noise of a camera of `synthetic.camera`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from shiftfield.synthetic.speckles import Float, Image, checked, pattern_at, shift_of, speckle


@dataclass(frozen=True, slots=True, eq=False)
class SpeckleScan:
    """A speckle scan with its truth; px, (x, y), match in the reference minus place in the sample.

    Attributes
    ----------
    reference, sample : ndarray of float32, shape (K, H, W)
        One frame for each of K diffuser positions, without and with the object.
    x, y : ndarray of float32, shape (H, W)
        Shift along columns and rows, px: what a search must find.
    transmission, dark_field : ndarray of float32, shape (H, W)
        T and V; 1 is no absorption, 1 is no scattering.
    drift : ndarray of float64, shape (K, 2)
        (x, y) by which each frame's shift is more than `x` and `y`, px; 0 unless a drift was asked for.
    """

    reference: Image
    sample: Image
    x: Image
    y: Image
    transmission: Image
    dark_field: Image
    drift: Float


def speckle_scan(
    shape: tuple[int, int] = (256, 320),
    frames: int = 5,
    *,
    sigma: float = 1.5,
    seed: int = 0,
    displacement: float = 2.5,
    transmission: float = 0.7,
    dark_field: float = 0.5,
    mean: float = 1000.0,
    contrast: float = 0.15,
    noise: float = 0.0,
    shift: tuple[ArrayLike, ArrayLike] | None = None,
    reference_drift: ArrayLike | None = None,
    sample_drift: ArrayLike | None = None,
) -> SpeckleScan:
    """Simulate a speckle scan of a lens-like object, an absorber and a scatterer, truth included.

    The object is three Gaussian bumps B(p) = exp(-d^2 / 2), where d = (d_x, d_y) is the way from the bump's
    centre to p over the bump's width. The lens, in the middle, refracts by the slope of its bump; the
    absorber, upper left, and the scatterer, lower right, lower T and V:

        (x, y)    = displacement * sqrt(e) * d * B(p)              no longer than `displacement`,
        T         = 1 - (1 - transmission) * B(p),
        V         = 1 - (1 - dark_field) * B(p),
        sample(p) = T * (m + V * (R(p + shift) - m)),              m = mean of all reference pixels,

    frame by frame, with R the formula of `speckle` and not an interpolated image. The lens focuses: speckles
    move towards its centre, so the shifts point away from it.

    Parameters
    ----------
    shape : tuple of int
        (H, W), px.
    frames : int
        Number K of diffuser positions.
    sigma, seed, mean, contrast
        Of the speckles; see `speckle`.
    displacement : float
        Length of the longest shift of the lens, px.
    transmission, dark_field : float
        Lowest T and V, at the centres of the absorber and the scatterer.
    noise : float
        Standard deviation of Gaussian noise in all frames, as a part of `mean`; see also `camera`.
    shift : pair of float or of array_like, shape (H, W), optional
        (x, y), px, in place of the lens's: that of a `PhaseObject`, or any other.
    reference_drift, sample_drift : array_like, shape (K, 2), optional
        (x, y), px, by which the speckles of each frame are moved, as by the shift of `speckle`: the beam or the
        diffuser was not where it should be. Frame k's shift is then longer by the sample's drift minus the
        reference's, which is the scan's `drift`.

    Returns
    -------
    SpeckleScan
        Both stacks are (K, H, W), also for one frame.

    Raises
    ------
    ValueError
        When an argument is not one of those above.
    """
    height, width = checked(shape, frames)
    if not 0 <= noise < np.inf:
        raise ValueError(f"noise is {noise!r}; it must be a part of the mean, 0 or more.")
    drifts = [
        _drift(name, drift, frames)
        for name, drift in (("reference_drift", reference_drift), ("sample_drift", sample_drift))
    ]
    size = min(height, width)
    row, column, bump = _bump((height, width), (0.5, 0.5), 0.2 * size)
    if shift is None:
        x = displacement * np.sqrt(np.e) * column * bump
        y = displacement * np.sqrt(np.e) * row * bump
    else:
        x, y = shift_of(shift, (height, width))
    t = 1 - (1 - transmission) * _bump((height, width), (0.35, 0.3), 0.15 * size)[2]
    v = 1 - (1 - dark_field) * _bump((height, width), (0.65, 0.7), 0.15 * size)[2]

    pattern: dict[str, Any] = {
        "sigma": sigma, "frames": frames, "seed": seed, "mean": mean, "contrast": contrast,
    }  # fmt: skip
    reference = _frames((0.0, 0.0), drifts[0], (height, width), pattern)
    moved = _frames((x, y), drifts[1], (height, width), pattern)
    level = reference.mean(dtype=np.float64)
    sample = np.empty_like(reference)
    for frame, into in zip(moved, sample, strict=True):
        into[:] = t * (level + v * (frame - level))
    if noise:
        random = np.random.default_rng([seed, 1])
        for frame in (*reference, *sample):
            frame += noise * mean * random.standard_normal((height, width), dtype=np.float32)
    truth = [image.astype(np.float32) for image in (x, y, t, v)]
    return SpeckleScan(
        reference, sample, truth[0], truth[1], truth[2], truth[3], drifts[1] - drifts[0]
    )


def _frames(
    shift: tuple[Any, Any], drift: Float, shape: tuple[int, int], pattern: dict[str, Any]
) -> Image:
    """Return all frames `(K, H, W)`, each moved by its own drift besides; together where there is none."""
    height, width = shape
    if not drift.any():
        return speckle(shape, shift=shift, **pattern).reshape(-1, height, width)
    x, y = (np.broadcast_to(one, shape).astype(np.float64) for one in shift)
    settings = [pattern[name] for name in ("sigma", "seed", "mean", "contrast")]
    return np.concatenate(
        [pattern_at(x + dx, y + dy, np.array([k]), *settings) for k, (dx, dy) in enumerate(drift)]
    )


def _drift(name: str, drift: ArrayLike | None, frames: int) -> Float:
    """Return a drift as `(K, 2)`, or say in one sentence why it is none."""
    if drift is None:
        return np.zeros((frames, 2))
    found = np.asarray(drift, dtype=np.float64)
    if found.shape != (frames, 2) or not np.isfinite(found).all():
        raise ValueError(
            f"{name} has shape {found.shape}; it must be finite numbers (x, y) for each of the {frames} frames, "
            f"{(frames, 2)}."
        )
    return found


def _bump(
    shape: tuple[int, int], centre: tuple[float, float], width: float
) -> tuple[Float, Float, Float]:
    """Return row and column distance from the centre over the width, and exp(-d^2 / 2)."""
    row, column = (
        (np.arange(n) - place * (n - 1)) / width for n, place in zip(shape, centre, strict=True)
    )
    d = np.broadcast_arrays(row[:, None], column[None, :])
    return d[0], d[1], np.exp(-(d[0] ** 2 + d[1] ** 2) / 2)
