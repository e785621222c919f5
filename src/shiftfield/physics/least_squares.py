"""Weighted least squares of slopes over known pixels only, of any outline, in any number of pieces.

Full rectangles without weights are solved at once by `physics.rectangle`, which serves here as a first guess
of every step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import splu

from shiftfield.physics.pieces import connected
from shiftfield.physics.rectangle import divergence_of, solve_divergence

Float = NDArray[np.float64]

# a disc takes 11, a weight that varies by 100 takes 90; beyond, a factorisation is quicker
_STEPS = 150
_RESIDUAL = 1e-9


def edge_weights(
    weights_x: Float, weights_y: Float, known: NDArray[np.bool_]
) -> tuple[Float, Float]:
    """Return the weights `(H, W - 1)`, `(H - 1, W)` of the differences between neighbours; 0 to an unknown one.

    A weight is 1 / variance. The mean slope of two has the variance (v1 + v2) / 4, so the weight of a
    difference goes as the harmonic mean of two weights.
    """
    across = np.where(known, weights_x, 0.0)
    down = np.where(known, weights_y, 0.0)
    return _harmonic(across[:, :-1], across[:, 1:]), _harmonic(down[:-1], down[1:])


def _harmonic(a: Float, b: Float) -> Float:
    both = (a > 0) & (b > 0)
    return np.where(both, 2 * a * b / np.where(both, a + b, 1.0), 0.0)


def solve(x: Float, y: Float, across: Float, down: Float) -> Float:
    """Return the phase whose differences are closest to the mean slopes of neighbours, up to constants.

    Minimises the sum of w (phase[j + 1] - phase[j] - (g[j] + g[j + 1]) / 2)^2 over neighbours along both axes
    (Southwell, JOSA 70, 998, 1980), by conjugate gradients whose preconditioner is the cosine transform's
    solution on the full rectangle (Ghiglia and Romero, JOSA A 11, 107, 1994). Where these come on slowly, as on
    a mask like a sponge, the sparse normal equations are factorised, which takes about 2 kB a pixel.

    Parameters
    ----------
    x, y : ndarray, shape (H, W)
        Slopes, rad per sample; any number where the weights are 0.
    across, down : ndarray, shape (H, W - 1), (H - 1, W)
        Weights of the differences to the right and down, 0 or more.
    """
    scale = max(across.max(initial=0), down.max(initial=0))
    across, down = across / scale, down / scale
    right = divergence_of(across * (x[:, 1:] + x[:, :-1]) / 2, down * (y[1:] + y[:-1]) / 2)
    phase = _conjugate_gradients(across, down, right)
    return _factorised(across, down, right) if phase is None else phase


def _conjugate_gradients(across: Float, down: Float, right: Float) -> Float | None:
    """Return the phase, or None when it has not come close enough in a number of steps."""
    phase = np.zeros_like(right)
    residual = right.copy()
    enough = _RESIDUAL * np.sqrt(np.vdot(right, right))
    way = guess = solve_divergence(residual)
    descent = np.vdot(residual, guess)
    for _ in range(_STEPS):
        if np.sqrt(np.vdot(residual, residual)) <= enough:
            return phase
        bent = divergence_of(across * np.diff(way, axis=1), down * np.diff(way, axis=0))
        length = descent / np.vdot(way, bent)
        phase += length * way
        residual -= length * bent
        guess = solve_divergence(residual)
        before, descent = descent, np.vdot(residual, guess)
        way = guess + (descent / before) * way
    return None


def _factorised(across: Float, down: Float, right: Float) -> Float:
    """Return the phase by factorising the normal equations, one pixel of each piece held at 0."""
    pieces = connected(across > 0, down > 0).ravel()
    used = np.flatnonzero(pieces)
    number = np.full(right.size, -1)
    number[used] = np.arange(used.size)
    grid = number.reshape(right.shape)
    i = np.concatenate([grid[:, :-1][across > 0], grid[:-1][down > 0]])
    j = np.concatenate([grid[:, 1:][across > 0], grid[1:][down > 0]])
    weights = np.concatenate([across[across > 0], down[down > 0]])
    joined = coo_array((weights, (i, j)), shape=(used.size,) * 2).tocsr()
    joined = joined + joined.T
    total = np.asarray(joined.sum(axis=0)).ravel()
    held = np.zeros(used.size)
    first = np.unique(pieces[used], return_index=True)[1]
    held[first] = total[first]
    normal = csc_array(diags_array(total + held) - joined)
    factors = splu(
        normal, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    )
    phase = np.zeros(right.size)
    phase[used] = factors.solve(right.ravel()[used])
    return phase.reshape(right.shape)
