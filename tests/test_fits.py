"""Sub-pixel fits of many neighbourhoods at once: exact on the surfaces they are made for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shiftfield.peaks.fits import refine

Float = NDArray[np.float64]


def domes(size: int, count: int = 50) -> tuple[Float, Float, Float]:
    """Return quadrics (size, size, count) with one maximum each, and its (x, y) from the centre."""
    rng = np.random.default_rng(size)
    top_x, top_y = rng.uniform(-0.5, 0.5, (2, count))
    xx, yy = rng.uniform(0.5, 2, (2, count))
    xy = rng.uniform(-0.4, 0.4, count)
    v, u = (axis[..., None] - size // 2 for axis in np.mgrid[:size, :size])
    return (
        3 - xx * (u - top_x) ** 2 - yy * (v - top_y) ** 2 - xy * (u - top_x) * (v - top_y),
        top_x,
        top_y,
    )


def centres(size: int, count: int = 50) -> tuple[Any, Any]:
    """Return x and y of the central score, once for each."""
    at = np.full(count, size // 2)
    return at, at


@pytest.mark.parametrize(("method", "size"), [("diff", 3), *(("poly_fit", n) for n in (3, 5, 7))])
def test_the_top_of_a_quadric_is_found(method: str, size: int) -> None:
    """Both fits are exact on a quadric, so the answer is its top."""
    scores, top_x, top_y = domes(size)
    inner = np.ones(top_x.size, dtype=bool)
    dx, dy = refine(scores, *centres(size), inner, inner, method)
    np.testing.assert_allclose(dx, top_x, atol=1e-9)
    np.testing.assert_allclose(dy, top_y, atol=1e-9)


@pytest.mark.parametrize(("method", "size"), [("diff", 3), ("poly_fit", 5)])
def test_borders_refine_along_themselves(method: str, size: int) -> None:
    """Without the other axis the answer is the top of the parabola through the peak's own line."""
    scores, top_x, _ = domes(size)
    half = size // 2
    along_x, along_y = scores[half], scores[:, half]
    inner = np.arange(top_x.size) % 2 == 0
    dx, dy = refine(scores, *centres(size), inner, ~inner, method)
    for moved, line, chosen in ((dx, along_x, inner), (dy, along_y, ~inner)):
        assert (moved[~chosen] == 0).all()
        for n in np.flatnonzero(chosen):
            a, b, _ = np.polyfit(np.arange(size) - half, line[:, n], 2)
            assert moved[n] == pytest.approx(-b / (2 * a), abs=1e-9)


@pytest.mark.parametrize("method", ["diff", "poly_fit"])
def test_what_has_no_top_is_not_moved(method: str) -> None:
    """Flat, NaN and infinite neighbourhoods, and one that only falls: 0, never a number out of reach."""
    scores = np.zeros((3, 3, 4))
    scores[..., 1] = np.nan
    scores[..., 2] = np.inf
    scores[..., 3] = np.arange(9).reshape(3, 3)
    inner = np.ones(4, dtype=bool)
    at = np.ones(4, dtype=int)
    assert not np.any(refine(scores, at, at, inner, inner, method))
