"""Integration of slopes on a full rectangle by cosine and sine transforms: "scs", "fc" and "dct".

Holes in the rectangle are filled here too, by iteration; weights are the business of `physics.least_squares`.

Each solver takes the slopes (x, y) in rad per sample of the grid, at the samples, and returns a phase up to a
constant. All sides may differ and be odd or even; nothing is taken to be periodic.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, dctn, dst, idctn, idst
from scipy.ndimage import distance_transform_edt

Float = NDArray[np.float64]
Mask = NDArray[np.bool_]

_MOST_FILLS = 50
_FILLED = 1e-3  # of the rms slope: a change of the fill below this ends the iteration


def poisson_at_samples(x: Float, y: Float) -> Float:
    """Return the phase by Poisson's equation with the slopes given at the border ("scs").

    Simchony, Chellappa and Shao, IEEE TPAMI 12, 435 (1990): the phase that fits the slopes best in the
    square mean solves Laplace(phase) = d(x)/dx + d(y)/dy with the given slope across the border (Neumann).
    Five-point Laplacian, central differences of the slopes; the border runs through the outermost samples,
    where the sample beyond it is taken out by the slope, so that the cosine transform of type I solves it.
    """
    right = np.zeros_like(x)
    for slope, axis in ((x, 1), (y, 0)):
        g, into = np.moveaxis(slope, axis, 0), np.moveaxis(right, axis, 0)
        into[1:-1] += (g[2:] - g[:-2]) / 2
        into[0] += g[0] + g[1]
        into[-1] -= g[-1] + g[-2]
    height, width = x.shape
    laplacian = _second_differences(height, height - 1)[:, None] + _second_differences(
        width, width - 1
    )
    return _divided(right, laplacian, kind=1)


def poisson_between_samples(x: Float, y: Float) -> Float:
    """Return the phase whose differences are closest to the mean slopes between neighbours ("dct").

    Ghiglia and Romero, JOSA A 11, 107 (1994), without weights, on the slopes of Southwell, JOSA 70, 998
    (1980): the least squares of phase[j + 1] - phase[j] - (g[j] + g[j + 1]) / 2 over all neighbours, by the
    cosine transform of type II, which brings the Neumann border halfway beyond the outermost samples.
    """
    return solve_differences((x[:, 1:] + x[:, :-1]) / 2, (y[1:] + y[:-1]) / 2)


def solve_differences(across: Float, down: Float) -> Float:
    """Return the phase whose differences to the right `(H, W - 1)` and down `(H - 1, W)` are closest."""
    return solve_divergence(divergence_of(across, down))


def solve_divergence(right: Float) -> Float:
    """Return the phase `u` of mean 0 with D^T D u = right, D the differences of all neighbours."""
    height, width = right.shape
    laplacian = _second_differences(height, height)[:, None] + _second_differences(width, width)
    return _divided(right, -laplacian, kind=2)


def divergence_of(across: Float, down: Float) -> Float:
    """Return D^T of differences: what enters each sample from the left and above minus what leaves it."""
    out = np.zeros((across.shape[0], down.shape[1]))
    out[:, 1:] += across
    out[:, :-1] -= across
    out[1:] += down
    out[:-1] -= down
    return out


def fourier_basis(x: Float, y: Float) -> Float:
    """Return the phase by projection onto integrable Fourier waves ("fc").

    Frankot and Chellappa, IEEE TPAMI 10, 439 (1988), with k the frequency along each axis:

        phase^ = -i (k_x x^ + k_y y^) / (k_x^2 + k_y^2)

    of the slopes mirrored at the borders, each antisymmetric along its own axis, so that phase and its mirror
    image join. The transform of the fourfold image is a cosine and a sine transform of the image itself.
    """
    height, width = x.shape
    down, across = _frequencies(height)[:, None], _frequencies(width)
    along_x = np.zeros_like(x)
    along_x[:, 1:] = dct(dst(x, axis=1), axis=0)[:, :-1]
    along_y = np.zeros_like(y)
    along_y[1:] = dct(dst(y, axis=0), axis=1)[:-1]
    return _divided_waves(-(across * along_x + down * along_y), across**2 + down**2)


def _divided_waves(waves: Float, squares: Float) -> Float:
    squares[0, 0] = 1
    waves /= squares
    waves[0, 0] = 0
    return np.asarray(idctn(waves))


def slopes_of_waves(phase: Float) -> tuple[Float, Float]:
    """Return the slopes (x, y) of the cosine waves through the samples; the inverse of `fourier_basis`."""
    found = []
    for axis in (1, 0):
        waves = np.moveaxis(dct(phase, axis=axis), axis, 0)
        n = len(waves)
        sines = np.zeros_like(waves)
        sines[:-1] = -(_frequencies(n)[1:, None] * waves[1:])
        found.append(np.moveaxis(idst(sines, axis=0), 0, axis))
    return found[0], found[1]


def slopes_of_differences(phase: Float) -> tuple[Float, Float]:
    """Return the slopes (x, y) by central differences, one-sided at the border."""
    down, across = np.gradient(phase)
    return np.asarray(across), np.asarray(down)


Solver = Callable[[Float, Float], Float]
SOLVERS: dict[str, tuple[Solver, Callable[[Float], tuple[Float, Float]]]] = {
    "scs": (poisson_at_samples, slopes_of_differences),
    "fc": (fourier_basis, slopes_of_waves),
    "dct": (poisson_between_samples, slopes_of_differences),
}


def integrate(method: str, x: Float, y: Float, known: Mask) -> Float:
    """Return the phase, up to a constant, of slopes in rad per sample that are known in a part of the rectangle.

    Holes begin with the slope of the nearest known sample; then they take the slopes of the phase that was
    found, and again, until these stay: a hole says nothing, and what is known decides alone (Gerchberg and
    Papoulis' way with missing data).
    """
    if min(known.shape) < 2:
        raise ValueError(
            f"The known shifts lie within {known.shape[0]} x {known.shape[1]} pixels; {method!r} needs at "
            "least 2 x 2, 'least_squares' takes a line."
        )
    solve, slopes = SOLVERS[method]
    if known.all():
        return solve(x, y)
    nearest = tuple(distance_transform_edt(~known, return_distances=False, return_indices=True))
    x, y = x[nearest], y[nearest]
    enough = _FILLED * np.sqrt(np.mean(x[known] ** 2 + y[known] ** 2))
    hole = ~known
    for _ in range(_MOST_FILLS):
        new_x, new_y = slopes(solve(x, y))
        change = np.sqrt(np.mean((new_x - x)[hole] ** 2 + (new_y - y)[hole] ** 2))
        x[hole], y[hole] = new_x[hole], new_y[hole]
        if change <= enough:
            break
    return solve(x, y)


def _second_differences(n: int, half_period: int) -> Float:
    """Return 2 cos(pi k / half_period) - 2: what the second difference makes of a cosine wave."""
    return 2 * np.cos(np.pi * np.arange(n) / half_period) - 2


def _frequencies(n: int) -> Float:
    """Return pi k / n: rad per sample of the waves of the cosine transform of type II."""
    return np.pi * np.arange(n) / n


def _divided(right: Float, factors: Float, kind: int) -> Float:
    factors[0, 0] = 1
    waves = dctn(right, type=kind) / factors
    waves[0, 0] = 0
    return np.asarray(idctn(waves, type=kind))
