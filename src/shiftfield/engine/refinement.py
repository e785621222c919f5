"""From the best whole-pixel shifts of a tile to refined ones, and one sigma of each; on the CPU.

The iteration of a window is `engine.kernels.gauss_newton`; what it must find is said by
`engine.reference_refinement`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine.base import Answer, Block, Real, Search, Stop, Tile
from shiftfield.engine.gradients import derivative, noise_of_slope
from shiftfield.engine.kernels import gauss_newton as gn
from shiftfield.engine.kernels.lanes import WIDTH, aligned
from shiftfield.engine.kernels.scores import CODES, PEARSON, UMPA
from shiftfield.engine.kernels.spline import POWERS
from shiftfield.engine.limits import CORNER, LIMIT, MISSED, STEEPEST, STEPS, TOLERANCE
from shiftfield.engine.splines import coefficients, noise_kept, without_gaps
from shiftfield.quality import Quality

Float = NDArray[np.float64]
_FINE = 2e-3  # finest texture over the spread of a tile, below which float32 would blur it
_PADDING = 4 * WIDTH


@dataclass(frozen=True, slots=True)
class _Image:
    """Frames as flat rows in the kernel's kind, less their level and over their scale."""

    flat: Any
    apart: int
    pitch: int


def refined(search: Search, tile: Tile, block: Block, answer: Answer, stop: Stop) -> Answer:
    """Return an answer with refined shifts, score, T and V, and one sigma; NaN where it does not converge.

    Without `search.refine` the shifts stay, and only sigma is found.
    """
    assert block.around is not None
    step = search.step
    rows, columns = np.nonzero(np.isfinite(answer.x) & np.isfinite(answer.y))
    start = np.stack([answer.x[rows, columns], answer.y[rows, columns]], axis=1).astype(np.float64)
    places = rows * step + -tile.y0 % step, columns * step + -tile.x0 % step
    found = _refine(search, block, places, start, stop)
    images = {name: getattr(answer, name).copy() for name in search.images}
    at = rows, columns
    if search.uncertainty:
        known = found.values[:, gn.STEPS] >= 0
        for name, sigma, miss in (
            ("uncertainty_x", gn.SIGMA_X, gn.MISS_X),
            ("uncertainty_y", gn.SIGMA_Y, gn.MISS_Y),
        ):
            value = found.values[:, sigma]
            if not search.refine:  # how far the peak fit is from the best match
                value = np.hypot(value, MISSED * found.values[:, miss])
            images[name] = np.full(answer.x.shape, np.nan, np.float32)
            images[name][at] = np.where(known, value, np.nan)
    if search.refine:
        _replace(search, found, at, images)
    return Answer.of([], **images)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the kernel found of each window, and the scales of reference and sample."""

    values: Float
    scales: tuple[float, float]


@np.errstate(all="ignore")  # what is no number becomes no answer
def _replace(
    search: Search, found: _Found, at: tuple[Any, Any], images: dict[str, NDArray[Any]]
) -> None:
    """Write refined shifts, score, T and V where they converged, NaN and a flag where they did not."""
    v, method = found.values, CODES[search.method]
    c, v_r, v_s = v[:, gn.COVARIANCE], v[:, gn.VARIANCE_R], v[:, gn.VARIANCE_S]
    m_s, m_r = v[:, gn.MEAN_S], v[:, gn.MEAN_R]
    per_r, per_s = found.scales
    new = {"x": v[:, gn.X], "y": v[:, gn.Y]}
    if method == PEARSON:
        new["score"] = c / np.sqrt(v_r * v_s)
    elif method == UMPA:
        t = (c + m_s * m_r) / (v_r + m_r * m_r)
        rest = m_s - t * m_r
        new["score"] = 1 - (v_s + t * (t * v_r - 2 * c) + rest * rest) / v_s
        new["transmission"] = np.abs(t) * per_s / per_r
    else:
        k = c / v_r
        level = search.reference_mean / per_r
        t = (m_s - k * m_r) / level + k
        new["score"] = c * c / (v_r * v_s)
        new["transmission"] = np.abs(t) * per_s / per_r
        new["dark_field"] = np.abs(k / t)
    known = v[:, gn.STEPS] >= 0
    for value in new.values():
        known &= np.isfinite(value)
    for name, value in new.items():
        images[name][at] = np.where(known, value, np.nan)
    for name in ("uncertainty_x", "uncertainty_y"):
        if name in images:
            images[name][at] = np.where(known, images[name][at], np.nan)
    images["flags"][at] |= np.where(known, 0, Quality.NOT_CONVERGED).astype(np.uint16)


def _refine(
    search: Search, block: Block, places: tuple[Any, Any], start: Float, stop: Stop
) -> _Found:
    """Run the kernel on the windows of a tile."""
    assert block.around is not None
    frames, halo = search.frames, search.around
    (tall, wide), (my, mx) = search.window, search.margin
    stride = -(-wide // WIDTH) * WIDTH
    reference, sample = (without_gaps(pixels) for pixels in block.around)
    levels, scales = [], []
    for pixels in (reference, sample):
        levels.append(float(pixels.mean()))
        pixels -= levels[-1]
        scales.append(float(pixels.std()) or 1.0)
        pixels /= scales[-1]
    kind = np.float64 if min(_texture(reference), _texture(sample)) < _FINE else np.float32
    ref = _flat(coefficients(reference), kind)
    inner = np.s_[:, halo : sample.shape[1] - halo, halo : sample.shape[2] - halo]
    sam, across, down = (
        _flat(image[inner], kind)
        for image in (sample, *(derivative(sample, axis, search.smoothing) for axis in (2, 1)))
    )
    weights = np.zeros((frames, tall, stride))
    weights[:, :, :wide] = np.outer(*search.weights) * search.window[0] * search.window[1]
    values = np.full((start.shape[0], gn.FOUND), np.nan)
    gn.refine_windows(
        search.shape_order, CODES[search.method], STEPS if search.refine else 0, TOLERANCE, LIMIT,
        min(STEEPEST, CORNER / (tall + wide)),
        ref.flat, ref.apart, ref.pitch, (my + halo) * ref.pitch + mx + halo,
        sam.flat, across.flat, down.flat, sam.apart, sam.pitch,
        frames, tall, wide, stride, _aligned(weights, kind), *_joint(block, kind),
        places[0], places[1], start, np.array([levels[0] / scales[0], levels[1] / scales[1]]),
        noise_kept(), noise_of_slope(search.smoothing), search.flatter, _aligned(POWERS, kind),
        _room(frames, tall, wide, stride, kind), values, stop.flag,
    )  # fmt: skip
    return _Found(values, (scales[0], scales[1]))


def _joint(block: Block, kind: Any) -> tuple[Any, Any]:
    """Return the weights of reference and sample as flat as the kernel's images; None for all 1."""
    if block.weights is None or block.around is None:
        return None, None
    (_, rows, columns), (_, inner_rows, inner_columns) = (
        block.around[0].shape,
        block.reference.shape,
    )
    top, left = (rows - inner_rows) // 2, (columns - inner_columns) // 2
    of_r = np.zeros(block.around[0].shape)
    of_r[:, top : rows - top, left : columns - left] = block.weights[0]
    of_s = np.ones(block.sample.shape) * block.weights[1]
    return _flat(of_r, kind).flat, _flat(of_s, kind).flat


def _texture(pixels: Float) -> float:
    """Return the median second difference of scaled pixels, where there is any."""
    fine = np.abs(pixels[:, ::4, 2:] + pixels[:, ::4, :-2] - 2 * pixels[:, ::4, 1:-1])
    fine = fine[fine > 1e-14]
    return float(np.median(fine)) if fine.size else 1.0


def _flat(frames: Float, kind: Any) -> _Image:
    _, rows, pitch = frames.shape
    flat = aligned(frames.size + _PADDING, kind)
    flat[: frames.size] = frames.reshape(-1)
    flat[frames.size :] = 0
    return _Image(flat, rows * pitch, pitch)


def _aligned(values: Float, kind: Any) -> Real:
    out = aligned(values.size, kind)
    out[:] = values.reshape(-1)
    return out


def _room(frames: int, tall: int, wide: int, stride: int, kind: Any) -> tuple[Any, ...]:
    """Return what the kernel works in; the places of pixels from the window's centre, and their mean squares."""
    window = frames * tall * stride
    buffers = [aligned(window + _PADDING, kind) for _ in range(4)]
    buffers.append(aligned(tall * (stride + WIDTH) + _PADDING, kind))
    for buffer in buffers:
        buffer[:] = 0
    x, y = np.arange(stride) - wide // 2, np.arange(tall) - tall // 2
    squares = [np.mean(x[:wide] ** 2), np.mean(y**2)]
    places = _aligned(np.concatenate([x, y, squares]), kind)
    taps = aligned(2 * WIDTH, kind)
    return (*buffers, taps, places, aligned(1, kind), aligned(1, kind))
