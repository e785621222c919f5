"""Shifts for pixels that are not valid, from those that are: only where somebody asks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shiftfield.quality import Quality

if TYPE_CHECKING:
    from shiftfield.field.shift_field import ShiftField

METHODS = ("nearest", "smooth")
_PRECISION = 1e-5


def filled(field: ShiftField, method: str) -> ShiftField:
    """Return a field whose x and y are known everywhere; what was filled in is marked, and stays not valid."""
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; allowed are 'nearest' and 'smooth'.")
    gaps = np.logical_not(field.valid)
    if gaps.all():
        raise ValueError("The field holds no valid pixel; there is nothing to fill from.")
    quality = np.zeros(field.shape, np.uint16) if field.quality is None else field.quality.copy()
    if field.quality is None:
        quality[gaps] |= np.uint16(Quality.NO_ANSWER)
    quality[gaps] |= np.uint16(Quality.FILLED)
    x, y = (_filled(shift, gaps, method) for shift in (field.x, field.y))
    return replace(field, x=x, y=y, quality=quality)


def _filled(
    shift: NDArray[np.float32], gaps: NDArray[np.bool_], method: str
) -> NDArray[np.float32]:
    from scipy.ndimage import distance_transform_edt

    if not gaps.any():
        return shift.copy()
    nearest = tuple(distance_transform_edt(gaps, return_distances=False, return_indices=True))
    out: NDArray[np.float32] = shift[nearest]
    if method == "smooth":
        out[gaps] = _harmonic(out, gaps)
    return out


def _harmonic(known: NDArray[np.float32], gaps: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what makes each gap the mean of its neighbours (Laplace), the edge of the image being no neighbour.

    Conjugate gradients, from the nearest values on.
    """
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.linalg import cg

    number = np.full(gaps.shape, -1)
    count = int(np.count_nonzero(gaps))
    number[gaps] = np.arange(count)
    degree, right = np.zeros(count), np.zeros(count)
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
        right += np.bincount(mine[edge], known[two][edge].astype(np.float64), minlength=count)
    i, j = np.concatenate(rows), np.concatenate(columns)
    diagonal = np.arange(count)
    matrix = coo_array(
        (
            np.concatenate([np.full(i.size, -1.0), degree]),
            (np.concatenate([i, diagonal]), np.concatenate([j, diagonal])),
        ),
        shape=(count, count),
    )
    found, _ = cg(csr_array(matrix), right, x0=known[gaps].astype(np.float64), rtol=_PRECISION)
    result: NDArray[np.float64] = found
    return result
