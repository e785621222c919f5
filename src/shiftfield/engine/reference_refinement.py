"""The refinement as its equations say, window by window, in float64: what `engine.refinement` is held to.

Each step is one least-squares problem over the step of the template and the brightness together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine.base import Answer, Block, Search, Tile
from shiftfield.engine.gradients import derivative, noise_of_slope
from shiftfield.engine.limits import CORNER, LIMIT, MISSED, STEEPEST, STEPS, TOLERANCE
from shiftfield.engine.splines import noise_kept, without_gaps
from shiftfield.quality import Quality

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Window:
    """A sample's window `(K, n)`: pixels, derivatives by the parameters, root of the weights; and its places."""

    pixels: Float
    steepest: Float
    root: Float
    x: Float
    y: Float


@dataclass(frozen=True, slots=True)
class _Match:
    """Where a window matches: the warp, the matched reference `(K, n)`, and the last step."""

    warp: Float
    reference: Float
    step: Float


def refined(search: Search, tile: Tile, block: Block, answer: Answer) -> Answer:
    """Return an answer with refined shifts, score, T and V, and one sigma; NaN where it does not converge."""
    assert block.around is not None
    reference, sample = (without_gaps(pixels) for pixels in block.around)
    slopes = derivative(sample, 2, search.smoothing), derivative(sample, 1, search.smoothing)
    images = {name: getattr(answer, name).copy() for name in search.images}
    for i, j in zip(*np.nonzero(np.isfinite(answer.x)), strict=True):
        row = -tile.y0 % search.step + i * search.step
        column = -tile.x0 % search.step + j * search.step
        start = float(answer.x[i, j]), float(answer.y[i, j])
        window = _window(
            search, sample, slopes, row, column, _joint(search, block, (row, column), start)
        )
        found = _match(search, reference, window, (row, column), start)
        new = {} if found is None else _values(search, window, found)
        wanted = [name for name in images if name not in ("flags", "second_peak", "texture")]
        if not search.refine:
            wanted = ["uncertainty_x", "uncertainty_y"]
        known = all(np.isfinite(new.get(name, np.nan)) for name in wanted if "uncert" not in name)
        for name in wanted:
            images[name][i, j] = new[name] if known and name in new else np.nan
        if search.refine and not known:
            images["flags"][i, j] |= Quality.NOT_CONVERGED
    return Answer.of([], **images)


def _window(
    search: Search, sample: Float, slopes: tuple[Float, Float], row: int, column: int, joint: Float
) -> _Window:
    """Return the window of a pixel, counted from the tile's first, under weights `(K, n)` of its pixels."""
    (tall, wide), halo = search.window, search.around
    cut = np.s_[:, row + halo : row + halo + tall, column + halo : column + halo + wide]
    y, x = (n.ravel() for n in np.mgrid[:tall, :wide] - np.array(search.radius).reshape(2, 1, 1))
    pixels, gx, gy = (image[cut].reshape(search.frames, -1) for image in (sample, *slopes))
    shapes = [np.ones(x.size)] if search.shape_order == 0 else [np.ones(x.size), x, y]
    steepest = np.stack([g * shape for g in (gx, gy) for shape in shapes])
    weights = np.outer(*search.weights).ravel() * joint
    root = np.sqrt(weights / weights.sum() * search.frames)
    return _Window(pixels, steepest, root, x.astype(float), y.astype(float))


def _joint(search: Search, block: Block, at: tuple[int, int], start: tuple[float, float]) -> Float:
    """Return the weights `(K, n)` of both sides that lie upon each other at the whole-pixel shift of a start."""
    (tall, wide), (my, mx), (x, y) = search.window, search.margin, np.rint(start).astype(int)
    if block.weights is None:
        return np.ones((search.frames, tall * wide))
    joint: Float = np.ones((search.frames, tall, wide))
    for of, i, j in zip(
        block.weights, (at[0] + my + y, at[0]), (at[1] + mx + x, at[1]), strict=True
    ):
        joint = joint * of[:, i : i + tall, j : j + wide]
    return joint.reshape(search.frames, -1)


def _match(
    search: Search, reference: Float, window: _Window, at: tuple[int, int], start: tuple[float, float]
) -> _Match | None:  # fmt: skip
    """Return the match near a start, or None when no step becomes short enough."""
    whole = np.rint(start)
    warp = np.array([start[0], 0, 0, start[1], 0, 0])
    steepest = min(STEEPEST, CORNER / sum(search.window))
    for steps in range(STEPS + 1):
        moved = _read(search, reference, window, at, warp)
        step = _step(search, window, moved)
        if step is None:
            return None
        if not search.refine:
            return _Match(warp, moved, step)
        if steps == STEPS:
            return None
        warp = _composed(warp, step)
        away = np.abs(warp[[0, 3]] - whole).max()
        if _length(search, step) <= TOLERANCE:
            return _Match(warp, moved, step)
        if not (away <= LIMIT and np.abs(warp[[1, 2, 4, 5]]).max() <= steepest):
            return None
    return None


def _read(
    search: Search, reference: Float, window: _Window, at: tuple[int, int], warp: Float
) -> Float:
    """Return the reference where a warp takes the window, by quintic splines."""
    from scipy.ndimage import map_coordinates

    (ey, ex), halo = search.reach, search.around
    sx, a, b, sy, c, d = warp
    x = at[1] + ex + halo + window.x + sx + a * window.x + b * window.y
    y = at[0] + ey + halo + window.y + sy + c * window.x + d * window.y
    return np.stack([map_coordinates(f, [y, x], order=5, mode="mirror") for f in reference])


def _step(search: Search, window: _Window, reference: Float) -> Float | None:
    """Return the step (of x, or of x and its stretch and shear; then of y) that brings the windows together.

    It solves sum w (S + J step - a - k R)^2 = least, or with a = 0 for UMPA, over the step and the brightness.
    """
    left = [*window.steepest, *(-column for column in _brightness(search, reference))]
    matrix = np.stack([(window.root * column).ravel() for column in left], axis=1)
    size = np.sqrt(np.sum(matrix**2, axis=0))
    if not (np.isfinite(matrix).all() and (size > 0).all()):
        return None
    found, _, rank, _ = np.linalg.lstsq(
        matrix / size, -(window.root * window.pixels).ravel(), rcond=1e-9
    )
    if rank < size.size:
        return None
    step: Float = (found / size)[: len(window.steepest)]
    return step


def _brightness(search: Search, reference: Float) -> list[Float]:
    """Return what the sample is a sum of: a constant and the reference, for "umpa" the reference alone."""
    return [reference] if search.method == "umpa" else [np.ones_like(reference), reference]


def _length(search: Search, step: Float) -> float:
    """Return how far a step moves the window, its corners included, px."""
    (ry, rx), half = search.radius, step.size // 2
    length = float(np.hypot(step[0], step[half]))
    if half == 3:
        length += rx * (abs(step[1]) + abs(step[4])) + ry * (abs(step[2]) + abs(step[5]))
    return length


def _composed(warp: Float, step: Float) -> Float:
    """Return a warp after the inverse of a step."""
    full = np.zeros(6)
    full[[0, 3] if step.size == 2 else slice(None)] = step
    matrices = [
        np.array([[1 + p[1], p[2], p[0]], [p[4], 1 + p[5], p[3]], [0, 0, 1]]) for p in (warp, full)
    ]
    (m, n) = matrices
    new = m @ np.linalg.inv(n) - np.eye(3)
    return np.array([new[0, 2], new[0, 0], new[0, 1], new[1, 2], new[1, 0], new[1, 1]])


@np.errstate(all="ignore")  # what is no number becomes no answer
def _values(search: Search, window: _Window, found: _Match) -> dict[str, float]:
    """Return the images' values of one pixel."""
    w, s, r = window.root**2 / search.frames, window.pixels, found.reference
    columns = np.stack([(window.root * c).ravel() for c in _brightness(search, r)], axis=1)
    model = np.linalg.lstsq(columns, (window.root * s).ravel(), rcond=None)[0]
    k = float(model[-1])
    rest = s - sum(m * c for m, c in zip(model, _brightness(search, r), strict=True))
    cost, spread = float(np.sum(w * rest**2)), float(np.sum(w * (s - np.sum(w * s)) ** 2))
    score = 1 - cost / spread
    new = {"x": found.warp[0], "y": found.warp[3], "score": score}
    if search.method == "pearson":
        new["score"] = np.copysign(np.sqrt(score), k)
    elif search.method == "umpa":
        new["transmission"] = abs(k)
    else:
        t = float(model[0]) / search.reference_mean + k
        new["transmission"], new["dark_field"] = abs(t), abs(k / t)
    if search.uncertainty:
        half = found.step.size // 2
        for name, sigma, miss in zip(
            ("uncertainty_x", "uncertainty_y"), _sigma(search, window, found, cost),
            found.step[[0, half]], strict=True,
        ):  # fmt: skip
            new[name] = sigma if search.refine else float(np.hypot(sigma, MISSED * miss))
    return new


def _sigma(search: Search, window: _Window, found: _Match, cost: float) -> tuple[float, float]:
    """Return one sigma of x and y: A^-1 H A^-1 twice the noise of a pixel, A the slopes without their noise.

    The noise of sample and reference is taken to be alike; interpolation keeps a known part of the latter.
    """
    w, size = window.root**2 / search.frames, len(window.steepest)
    count = 1 / float(np.sum(w * w))  # pixels of a box that tells as much
    nuisances = _brightness(search, found.reference)
    free = count - size - len(nuisances)
    if free <= 0:
        return np.nan, np.nan
    before = found.warp if not search.refine else _composed(found.warp, -found.step)
    kept = np.interp(before[[0, 3]] % 1, np.linspace(0, 1, noise_kept().size), noise_kept())
    noise = cost * count / free / (1 + kept[0] * kept[1])
    weighted = np.sqrt(w)
    basis, _ = np.linalg.qr(np.stack([(weighted * n).ravel() for n in nuisances], axis=1))
    slopes = (weighted * window.steepest).reshape(size, -1)
    slopes = slopes - (slopes @ basis) @ basis.T
    full = slopes @ slopes.T
    shapes = [1.0] if size == 2 else [1.0, float(np.mean(window.x**2)), float(np.mean(window.y**2))]
    own = noise_of_slope(search.smoothing) * noise * np.array(2 * shapes)
    matrix = full.copy()
    np.fill_diagonal(matrix, np.maximum(np.diag(full) - own, 0.2 * np.diag(full)))
    inverse = np.linalg.inv(matrix * search.flatter)
    covariance = inverse @ full @ inverse * 2 * noise / count
    return float(np.sqrt(covariance[0, 0])), float(np.sqrt(covariance[size // 2, size // 2]))
