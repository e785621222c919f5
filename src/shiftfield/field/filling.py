"""Shifts for pixels that are not valid, from those that are: only where somebody asks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from shiftfield.field.arrays import FieldArrays
from shiftfield.quality import Quality
from shiftfield.settings import check_choice

Float = NDArray[np.float64]
Field = TypeVar("Field", bound=FieldArrays)
METHODS = ("nearest", "smooth")
# of conjugate gradients; what 50 leave is as smooth as a coarser level
_PRECISION, _STEPS = 1e-5, 50
_SMALLEST = 16  # px a side of images that are binned no further


def filled(field: Field, method: str) -> Field:
    """Return a field whose x and y are known everywhere; what was filled in is marked, and stays not valid."""
    check_choice("method", method, METHODS)
    gaps = np.logical_not(field.valid)
    if gaps.all():
        raise ValueError("The field holds no valid pixel; there is nothing to fill from.")
    quality = np.zeros(field.shape, np.uint16) if field.quality is None else field.quality.copy()
    if field.quality is None:
        quality[gaps] |= np.uint16(Quality.NO_ANSWER)
    quality[gaps] |= np.uint16(Quality.FILLED)
    if not gaps.any():
        x, y = field.x.copy(), field.y.copy()
    elif method == "nearest":
        x, y = _nearest(np.stack([field.x, field.y]), gaps)
    else:
        smooth = _smooth(np.stack([field.x, field.y]).astype(np.float64), gaps).astype(np.float32)
        x, y = (
            np.where(gaps, new, old) for new, old in zip(smooth, (field.x, field.y), strict=True)
        )
    return replace(field, x=x, y=y, quality=quality)


def _nearest(images: NDArray[Any], gaps: NDArray[np.bool_]) -> NDArray[Any]:
    """Return images `(2, h, w)` whose gaps hold what the nearest other pixel holds."""
    from scipy.ndimage import distance_transform_edt

    nearest = tuple(distance_transform_edt(gaps, return_distances=False, return_indices=True))
    found: NDArray[Any] = images[:, *nearest]
    return found


def _smooth(images: Float, gaps: NDArray[np.bool_]) -> Float:
    """Return images `(2, h, w)` with harmonic gaps, begun from the same of images binned by 2.

    Measured on 2160 x 2560 px with a hole of 600 x 500 px: 6x faster than from the nearest values.
    """
    if not gaps.any():
        return images
    if min(gaps.shape) < _SMALLEST:
        start = _nearest(images, gaps)
    else:
        known = np.logical_not(gaps)
        count = _binned(known.astype(np.float64))
        coarse = _binned(np.where(known, images, 0)) / np.maximum(count, 1)
        below = _smooth(coarse, count == 0)
        below = below.repeat(2, axis=1).repeat(2, axis=2)[:, : gaps.shape[0], : gaps.shape[1]]
        start = np.where(gaps, below, images)
    start[:, gaps] = _harmonic(start, gaps)
    return start


def _binned(image: Float) -> Float:
    """Return sums over squares of 2 x 2 px of the last two axes, of fewer where the image ends."""
    sides = [(0, 0)] * (image.ndim - 2) + [(0, n % 2) for n in image.shape[-2:]]
    image = np.pad(image, sides)
    found: Float = (
        image[..., ::2, ::2]
        + image[..., 1::2, ::2]
        + image[..., ::2, 1::2]
        + image[..., 1::2, 1::2]
    )
    return found


def _harmonic(images: Float, gaps: NDArray[np.bool_]) -> Float:
    """Return `(2, n)` what makes each gap the mean of its neighbours (Laplace); the image ends free.

    Conjugate gradients, from what the gaps hold on.
    """
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.linalg import cg

    number = np.full(gaps.shape, -1)
    count = int(np.count_nonzero(gaps))
    number[gaps] = np.arange(count)
    degree, right = np.zeros(count), np.zeros((2, count))
    rows, columns = [], []
    for one, two in (
        (np.s_[:-1, :], np.s_[1:, :]),
        (np.s_[1:, :], np.s_[:-1, :]),
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:, 1:], np.s_[:, :-1]),
    ):
        mine, other = number[one], number[two]
        here = mine >= 0
        degree += np.bincount(mine[here], minlength=count)
        both, edge = here & (other >= 0), here & (other < 0)
        rows.append(mine[both])
        columns.append(other[both])
        for total, image in zip(right, images, strict=True):
            total += np.bincount(mine[edge], image[two][edge], minlength=count)
    i, j = np.concatenate(rows), np.concatenate(columns)
    diagonal = np.arange(count)
    matrix = csr_array(
        coo_array(
            (
                np.concatenate([np.full(i.size, -1.0), degree]),
                (np.concatenate([i, diagonal]), np.concatenate([j, diagonal])),
            ),
            shape=(count, count),
        )
    )
    return np.stack(
        [
            cg(matrix, total, x0=image[gaps], rtol=_PRECISION, maxiter=_STEPS)[0]
            for total, image in zip(right, images, strict=True)
        ]
    )
