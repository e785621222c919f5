"""Strain, divergence, vorticity and magnitude of the motion that a shift field shows.

Slopes are fitted by least squares here; integrating slopes is the business of `physics.retrieval`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from shiftfield.field import ShiftField
from shiftfield.physics.given import field_on_host, shifts_of
from shiftfield.settings import check_integer, check_number

Float = NDArray[np.float64]

WINDOW = 15  # px
COVERAGE = 0.2  # in a corner of the image a window has a quarter of itself
_FLAT = 1e-9  # of the spread along each axis; places closer to a line than this fit no plane


@dataclass(frozen=True, slots=True, eq=False)
class Strain:
    """Small strain of the sample against the reference, without unit; x along columns, y along rows, down.

    Attributes
    ----------
    exx, eyy : ndarray of float64
        Stretch along x and y: +0.01 where the sample is 1 % longer than the reference.
    exy : ndarray of float64
        Half the loss of the right angle between +x (right) and +y (down).
    rotation : ndarray of float64
        Rotation, rad, from +x (right) to +y (down): clockwise as images are drawn.
    """

    exx: Float
    eyy: Float
    exy: Float
    rotation: Float


def strain(field: ShiftField, window: int = WINDOW, *, coverage: float = COVERAGE) -> Strain:
    """Return the small strain of the motion from the reference to the sample, u = -shift.

    A shift is the match in the reference minus the place in the sample, so the motion of the material is its
    negative, at the sample's (deformed) place. A plane is fitted to each component of u by least squares over a
    window around each pixel, with unknown pixels left out:

        exx = d(u_x)/dx,   eyy = d(u_y)/dy,   exy = (d(u_x)/dy + d(u_y)/dx) / 2,
        rotation = (d(u_y)/dx - d(u_x)/dy) / 2.

    Parameters
    ----------
    field : ShiftField
        Shifts, of any `step`; slopes are in px per px whatever the step.
    window : int
        Side of the window, px of the sample; made odd, and at least 3 x 3 elements of the field and no longer
        than the image.
    coverage : float
        Least part of the window that must be known, 0 to 1; beyond the image nothing is known.

    Returns
    -------
    Strain
        Arrays of the field's shape; NaN where its shift is unknown or too little of the window is.

    Raises
    ------
    ValueError
        When the window or the coverage is not one of those above.
    TypeError
        When the field is no ShiftField.

    Examples
    --------
    >>> import numpy as np
    >>> from shiftfield import find_shift_field, strain
    >>> from shiftfield.synthetic import speckle
    >>> y, x = np.mgrid[:80, :90]
    >>> stretched = speckle((80, 90), shift=(-0.02 * (x - 45.0), 0.0 * y))  # content moves outwards
    >>> field = find_shift_field(speckle((80, 90)), stretched, window=15, margin=4)
    >>> round(float(np.nanmedian(strain(field, window=21).exx)), 2)
    0.02
    """
    (ux_x, ux_y), (uy_x, uy_y) = _slopes_of_motion(field, window, coverage)
    return Strain(exx=ux_x, eyy=uy_y, exy=(ux_y + uy_x) / 2, rotation=(uy_x - ux_y) / 2)


def divergence(field: ShiftField, window: int = WINDOW, *, coverage: float = COVERAGE) -> Float:
    """Return d(u_x)/dx + d(u_y)/dy of the motion u = -shift, px per px; positive where it spreads.

    Parameters, NaNs and errors are those of `strain`.
    """
    (ux_x, _), (_, uy_y) = _slopes_of_motion(field, window, coverage)
    return ux_x + uy_y


def vorticity(field: ShiftField, window: int = WINDOW, *, coverage: float = COVERAGE) -> Float:
    """Return d(u_y)/dx - d(u_x)/dy of the motion u = -shift, px per px; positive where it turns clockwise.

    With y down, as images are drawn, +x turns towards +y clockwise; where y points up the sign is the other.
    Twice the `rotation` of a strain. Parameters, NaNs and errors are those of `strain`.
    """
    (_, ux_y), (uy_x, _) = _slopes_of_motion(field, window, coverage)
    return uy_x - ux_y


def magnitude(field: ShiftField) -> Float:
    """Return the length of each shift, px, which is that of the motion; NaN where unknown."""
    x, y, known = shifts_of(field_on_host(field))
    return np.where(known, np.hypot(x, y), np.nan)


def _slopes_of_motion(
    field: ShiftField, window: int, coverage: float
) -> tuple[tuple[Float, Float], tuple[Float, Float]]:
    """Return ((du_x/dx, du_x/dy), (du_y/dx, du_y/dy))."""
    field = field_on_host(field)
    side, longest = check_integer("window", window, 3, "px"), field.settings.step * max(field.shape)
    if side > max(longest, WINDOW):
        raise ValueError(
            f"window is {window!r} px; it must be no longer than the image, {longest} px."
        )
    part = check_number("coverage", coverage, 0.0, 1.0)
    step = field.settings.step
    reach = max(1, (side // 2) // step)
    x, y, known = shifts_of(field)
    by_x, by_y = _plane_slopes([-x, -y], known, reach, part)
    (ux_x, uy_x), (ux_y, uy_y) = by_x / step, by_y / step
    return (ux_x, ux_y), (uy_x, uy_y)


def _plane_slopes(
    images: list[Float], known: NDArray[np.bool_], reach: int, coverage: float
) -> tuple[Float, Float]:
    """Return slopes along x and y `(N, H, W)` of planes fitted to each image, per element of the grid.

    With <.> the mean over known elements of the window, u and v their places along x and y, and c the
    covariances such as c_uv = <u v> - <u> <v>, the normal equations are

        [c_uu c_uv] [slope_x]   [c_uf]
        [c_uv c_vv] [slope_y] = [c_vf].
    """
    along = np.arange(-reach, reach + 1, dtype=np.float64)
    powers = np.ones_like(along), along, along**2

    def total(image: Float, power_u: int, power_v: int) -> Float:
        rows = correlate1d(image, powers[power_v], axis=0, mode="constant")
        return np.asarray(correlate1d(rows, powers[power_u], axis=1, mode="constant"))

    there = known.astype(np.float64)
    count = total(there, 0, 0)
    n = np.maximum(count, 1)
    u, v = total(there, 1, 0) / n, total(there, 0, 1) / n
    uu, vv = total(there, 2, 0) / n - u**2, total(there, 0, 2) / n - v**2
    uv = total(there, 1, 1) / n - u * v
    determinant = uu * vv - uv**2
    enough = known & (count >= coverage * along.size**2) & (determinant > _FLAT * uu * vv)
    safe = np.where(enough, determinant, 1.0)
    by_x, by_y = [], []
    for image in images:
        level = image[known].mean() if known.any() else 0.0
        f = np.where(known, image - level, 0.0)
        mean = total(f, 0, 0) / n
        uf, vf = total(f, 1, 0) / n - u * mean, total(f, 0, 1) / n - v * mean
        by_x.append(np.where(enough, (vv * uf - uv * vf) / safe, np.nan))
        by_y.append(np.where(enough, (uu * vf - uv * uf) / safe, np.nan))
    return np.stack(by_x), np.stack(by_y)
