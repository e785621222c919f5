"""The sample laid onto the reference, and where in the sample a pixel of the reference is seen.

The reference laid onto the sample needs none of this: that is the reference at p + shift.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt, map_coordinates

from shiftfield.field import ShiftField
from shiftfield.physics.given import field_on_host, frames_of
from shiftfield.settings import check_integer

Float = NDArray[np.float64]

_STEPS = 100
_NEAR = 1e-4  # px; a point that moves less from step to step has come to rest
_HIGHEST_ORDER = 5


def warp(sample: Any, field: ShiftField, *, order: int = 3) -> NDArray[Any]:
    """Lay the sample onto the reference by a shift field; px, (x, y), sample to reference.

    At pixel q of the result stands the sample at the place p for which p + shift(p) = q: what matched there.
    The field belongs to the sample's pixels, so p is found by iterating p = q - shift(p), with the shifts
    interpolated linearly. A single shift d moves the whole image by +d.

    Parameters
    ----------
    sample : array_like, shape (H, W) or (K, H, W)
        The sample, or anything else that lies on its pixels, such as a mask of numbers; also the address of a
        file.
    field : ShiftField
        Shifts of that sample, of any `step`.
    order : int
        Degree of the splines that interpolate the sample, 0 (nearest pixel) to 5.

    Returns
    -------
    ndarray, shape (H, W) or (K, H, W)
        float32 where that holds all numbers of the sample, else float64. NaN where the sample has no known
        shift or no pixel, or where the shifts fold so that no p is found.

    Raises
    ------
    ValueError
        When the sample does not have the field's shape, or the order is none of those above.
    TypeError
        When the field is no ShiftField.

    Examples
    --------
    >>> import numpy as np
    >>> from shiftfield import find_shift_field, warp
    >>> from shiftfield.synthetic import speckle
    >>> reference, sample = speckle((60, 70)), speckle((60, 70), shift=(3, -2))
    >>> laid = warp(sample, find_shift_field(reference, sample, margin=5))
    >>> bool(np.nanmedian(np.abs(laid - reference)) < 0.05 * np.median(np.abs(sample - reference)))
    True
    """
    field = field_on_host(field)
    frames = frames_of(sample, "The sample", field)
    if check_integer("order", order, 0) > _HIGHEST_ORDER:
        raise ValueError(
            f"order is {order!r}; it must be a whole number from 0 to {_HIGHEST_ORDER}."
        )
    height, width = frames.size
    places = places_in_sample(field, np.mgrid[:height, :width].astype(np.float64))
    out = np.empty(frames.shape, dtype=frames.dtype)
    for number, into in enumerate(out):
        into[:] = _interpolated(frames.frame(number), places, int(order))
    return out if frames.ndim == 3 else out[0]


def places_in_sample(field: ShiftField, points: Float) -> Float:
    """Return where in the sample points of the reference are seen: p with p + shift(p) = q.

    Parameters
    ----------
    field : ShiftField
        Of NumPy arrays.
    points : ndarray, shape (2, ...)
        q, (row, column), px.

    Returns
    -------
    ndarray, shape (2, ...)
        p, (row, column), px; NaN where no pixel with a known shift is seen, or no p was found.
    """
    step = field.settings.step
    known = field.valid & np.isfinite(field.x) & np.isfinite(field.y)
    target = points.reshape(2, -1)
    found = np.full_like(target, np.nan)
    if not known.any():
        return found.reshape(points.shape)
    nearest = tuple(distance_transform_edt(~known, return_distances=False, return_indices=True))
    shifts = [field.y[nearest].astype(np.float64), field.x[nearest].astype(np.float64)]
    moving = np.arange(target.shape[1])
    place = target - _at(shifts, target / step)
    for _ in range(_STEPS):
        goal = target[:, moving]
        better = goal - _at(shifts, place / step)
        still = np.abs(better - place).max(axis=0) < _NEAR
        found[:, moving[still]] = better[:, still]
        moving, place = moving[~still], better[:, ~still]
        if moving.size == 0:
            break
    outside = np.where(np.isfinite(found), found / step, -2.0)
    seen = map_coordinates(known.astype(np.uint8), outside, order=0, mode="constant", cval=0)
    found[:, seen == 0] = np.nan
    return found.reshape(points.shape)


def _at(images: list[Float], places: Float) -> Float:
    return np.stack([map_coordinates(one, places, order=1, mode="nearest") for one in images])


def _interpolated(image: Float, places: Float, order: int) -> Float:
    """Return the image at places (row, column); NaN where these are, beyond it, and near a NaN of its own."""
    bad = ~np.isfinite(image)
    if bad.any():
        image = np.where(bad, image[~bad].mean() if not bad.all() else 0.0, image)
    inside = np.isfinite(places).all(axis=0)
    at = np.where(inside, places, 0.0)
    limits = np.array(image.shape).reshape(2, *(1,) * (places.ndim - 1)) - 1
    inside &= ((at >= 0) & (at <= limits)).all(axis=0)
    if bad.any():
        reach = binary_dilation(bad, np.ones((3, 3)), iterations=(order + 1) // 2 or 1)
        inside &= map_coordinates(reach.astype(np.uint8), at, order=0, mode="nearest") == 0
    return np.where(inside, map_coordinates(image, at, order=order, mode="mirror"), np.nan)
