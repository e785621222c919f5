"""What a camera makes of an image: shot noise, read noise, offset, whole numbers, dead and hot pixels.

Images come in as intensities without noise; whatever is random here repeats with its seed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shiftfield.physics.wave import positive
from shiftfield.settings import check_number

_BITS = 16


def poisson_noise(images: ArrayLike, photons: float = 1.0, *, seed: int = 0) -> NDArray[np.float32]:
    """Return images with shot noise: Poisson(images * photons) / photons.

    Parameters
    ----------
    images : array_like, any shape
        Mean intensities, 0 or more.
    photons : float
        Photons for each unit of intensity; an intensity I has the standard deviation sqrt(I / photons).
    seed : int
        Which noise.

    Returns
    -------
    ndarray of float32
        In the units of `images`.

    Raises
    ------
    ValueError
        When an intensity is negative or not finite, or `photons` is not positive.
    """
    counts = _counts(images, photons, np.random.default_rng([seed, 2]))
    return np.asarray(counts / photons, dtype=np.float32)


def camera(
    images: ArrayLike,
    *,
    photons: float = 1.0,
    gain: float = 1.0,
    read_noise: float = 0.0,
    offset: float = 100.0,
    seed: int = 0,
) -> NDArray[np.uint16]:
    """Return images as a 16-bit camera gives them: shot noise, read noise, gain, offset, whole numbers.

        N = Poisson(images * photons),    grey = round(gain * (N + read_noise * normal) + offset),

    cut off at 0 and 65535: a pixel of that value is saturated.

    Parameters
    ----------
    images : array_like, any shape
        Mean intensities, 0 or more.
    photons : float
        Detected photons (electrons) for each unit of intensity.
    gain : float
        Grey levels for each electron.
    read_noise : float
        Standard deviation, electrons.
    offset : float
        Grey level of darkness.
    seed : int
        Which noise.

    Returns
    -------
    ndarray of uint16

    Raises
    ------
    ValueError
        When an intensity is negative or not finite, or a number is not one of those above.
    """
    random = np.random.default_rng([seed, 3])
    slope = positive("gain", gain)
    spread = check_number("read_noise", read_noise, 0.0, None)
    dark = check_number("offset", offset, 0.0, 2**_BITS - 1)
    electrons = _counts(images, photons, random)
    if spread:
        electrons = electrons + spread * random.standard_normal(electrons.shape)
    return np.clip(np.rint(slope * electrons + dark), 0, 2**_BITS - 1).astype(np.uint16)


def bad_pixels(
    images: NDArray[Any],
    *,
    dead: float = 0.001,
    hot: float = 0.001,
    dead_value: float = 0.0,
    hot_value: float | None = None,
    seed: int = 0,
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return images with dead and hot pixels, the same ones in all frames, and where the pixels are good.

    Parameters
    ----------
    images : ndarray, shape (H, W) or (K, H, W)
        Left as they are.
    dead, hot : float
        Part of the pixels, 0 to 1, that always show `dead_value`, and `hot_value`.
    dead_value, hot_value : float
        In the units of the images; None is the largest number of an integer image, and four times the largest
        value of another.
    seed : int
        Which pixels.

    Returns
    -------
    images : ndarray
        Of the same dtype and shape.
    good : ndarray of bool, shape (H, W)
        True for pixels that work, as masks of a search are.

    Raises
    ------
    ValueError
        When the parts are not 0 to 1 together, or images are not 2-D or 3-D.
    """
    parts = [check_number(name, part, 0.0, 1.0) for name, part in (("dead", dead), ("hot", hot))]
    if sum(parts) > 1:
        raise ValueError(f"dead is {dead!r} and hot is {hot!r}; together they must be at most 1.")
    if images.ndim not in (2, 3):
        raise ValueError(f"The images have shape {images.shape}; they must be 2-D or 3-D.")
    if hot_value is None:
        whole = np.issubdtype(images.dtype, np.integer)
        hot_value = float(np.iinfo(images.dtype).max if whole else 4 * images.max())
    shape = images.shape[-2:]
    order = np.random.default_rng([seed, 4]).permutation(shape[0] * shape[1]).reshape(shape)
    first, second = round(parts[0] * order.size), round(sum(parts) * order.size)
    out = images.copy()
    out[..., order < first] = dead_value
    out[..., (order >= first) & (order < second)] = hot_value
    return out, order >= second


def _counts(images: ArrayLike, photons: float, random: np.random.Generator) -> NDArray[np.float64]:
    mean = np.asarray(images, dtype=np.float64)
    if not (np.isfinite(mean) & (mean >= 0)).all():
        raise ValueError(
            "The images have a negative intensity, a NaN or inf; all must be finite and 0 or more."
        )
    return random.poisson(mean * positive("photons", photons)).astype(np.float64)
