"""Which pixels hang together: an integral is known up to one constant for each connected piece.

How slopes are integrated is the business of `physics.rectangle` and `physics.least_squares`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Float = NDArray[np.float64]
Mask = NDArray[np.bool_]


def connected(across: Mask, down: Mask) -> NDArray[np.int32]:
    """Return the number of the piece of each pixel, from 1 on; 0 for pixels without a neighbour.

    Parameters
    ----------
    across : ndarray of bool, shape (H, W - 1)
        Whether a pixel and its right neighbour are joined.
    down : ndarray of bool, shape (H - 1, W)
        Whether a pixel and the one below are joined.
    """
    height, width = across.shape[0], down.shape[1]
    number = np.arange(height * width).reshape(height, width)
    first = np.concatenate([number[:, :-1][across], number[:-1][down]])
    second = np.concatenate([number[:, 1:][across], number[1:][down]])
    graph = coo_array((np.ones(first.size, np.int8), (first, second)), shape=(number.size,) * 2)
    label = connected_components(graph, directed=False)[1]
    joined = np.zeros(number.size, dtype=bool)
    joined[first] = joined[second] = True
    pieces = np.zeros(number.size, dtype=np.int32)
    pieces[joined] = np.unique(label[joined], return_inverse=True)[1] + 1
    return pieces.reshape(height, width)


def centred(phase: Float, pieces: NDArray[np.int32]) -> Float:
    """Return the phase with mean 0 over each piece, NaN outside all pieces."""
    sums = np.bincount(pieces.ravel(), weights=np.where(pieces > 0, phase, 0).ravel())
    counts = np.bincount(pieces.ravel())
    mean = sums / np.maximum(counts, 1)
    return np.where(pieces > 0, phase - mean[pieces], np.nan)


def around(mask: Mask) -> tuple[slice, slice]:
    """Return the rows and columns of the smallest rectangle around the True pixels, of which there are some."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
