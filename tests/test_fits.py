"""Sub-pixel fits of many neighbourhoods at once: exact on the surfaces they are made for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shiftfield.peaks.fits import line_fit, refine, surface_fit

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


def around(surface: Any, size: int = 3) -> Float:
    """Return a formula of (x, y) from the centre as one neighbourhood (size, size, 1)."""
    v, u = np.mgrid[:size, :size] - size // 2
    return np.asarray(surface(u.astype(np.float64), v.astype(np.float64)))[..., None]


def moved(scores: Float, method: str) -> tuple[float, float]:
    """Return how far the peak in the centre of one neighbourhood is moved along x and y."""
    inner = np.ones(1, dtype=bool)
    dx, dy = refine(scores, *centres(len(scores), 1), inner, inner, method)
    return float(dx[0]), float(dy[0])


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


@pytest.mark.parametrize(("method", "size"), [("diff", 3), ("poly_fit", 3), ("poly_fit", 5)])
def test_scores_along_one_axis_are_refined_along_it(method: str, size: int) -> None:
    """Of neighbourhoods one score high or wide, those that may be refined go to the top of their parabola."""
    top = np.array([0.25, -0.375, 0.125])
    line = 2 - 1.5 * (np.arange(size)[:, None] - size // 2 - top) ** 2
    at, zero = np.full(3, size // 2), np.zeros(3, dtype=int)
    inner, never = np.array([True, True, False]), np.zeros(3, dtype=bool)
    wanted = [0.25, -0.375, 0]
    dx, dy = refine(line[None], at, zero, inner, never, method)
    np.testing.assert_allclose(dx, wanted, atol=1e-9)
    np.testing.assert_array_equal(dy, 0)
    dx, dy = refine(line[:, None], zero, at, never, inner, method)
    np.testing.assert_array_equal(dx, 0)
    np.testing.assert_allclose(dy, wanted, atol=1e-9)


@pytest.mark.parametrize("method", ["diff", "poly_fit"])
def test_two_scores_across_are_not_a_line(method: str) -> None:
    """A map two scores high is refined along the row of the peak, whichever of both it is."""
    u = np.arange(3)[:, None] - 1.0
    first, second = 1 - (u - 0.25) ** 2, 3 - (u + 0.375) ** 2
    scores = np.stack([first, second])
    one, inner, never = np.ones(1, dtype=int), np.ones(1, dtype=bool), np.zeros(1, dtype=bool)
    for row, top in enumerate((0.25, -0.375)):
        dx, dy = refine(scores, one, row * one, inner, never, method)
        assert (dx[0], dy[0]) == (pytest.approx(top), 0)
        dx, dy = refine(scores.swapaxes(0, 1), row * one, one, never, inner, method)
        assert (dx[0], dy[0]) == (0, pytest.approx(top))


@pytest.mark.parametrize(("method", "size"), [("diff", 3), ("poly_fit", 5)])
def test_each_peak_is_refined_as_it_may_be(method: str, size: int) -> None:
    """Among peaks of all kinds: both axes together, one of them on its own line, or neither."""
    scores, top_x, top_y = domes(size, 80)
    half = size // 2
    inner_x, inner_y = np.arange(80) % 2 == 0, np.arange(80) % 4 < 2
    dx, dy = refine(scores, *centres(size, 80), inner_x, inner_y, method)
    for n in range(80):
        line_x, line_y = (
            np.polyfit(np.arange(size) - half, line, 2)
            for line in (scores[half, :, n], scores[:, half, n])
        )
        wanted_x, wanted_y = -line_x[1] / (2 * line_x[0]), -line_y[1] / (2 * line_y[0])
        if inner_x[n] and inner_y[n]:
            wanted_x, wanted_y = top_x[n], top_y[n]
        assert dx[n] == pytest.approx(wanted_x if inner_x[n] else 0, abs=1e-9)
        assert dy[n] == pytest.approx(wanted_y if inner_y[n] else 0, abs=1e-9)


def test_differences_see_nothing_of_what_they_leave_out() -> None:
    """x^2 y^2, x^2 y and x y^2 cancel in the centred differences: the top stays; a paraboloid's is moved."""

    def scores(u: Float, v: Float) -> Float:
        quadric = -((u - 0.25) ** 2) - 2 * (v + 0.125) ** 2 + 0.5 * (u - 0.25) * (v + 0.125)
        return quadric - 0.5 * u**2 * v**2 + 0.3 * u**2 * v - 0.2 * u * v**2

    assert moved(around(scores), "diff") == pytest.approx((0.25, -0.125))
    assert moved(around(scores), "poly_fit") != pytest.approx((0.25, -0.125), abs=1e-3)


@pytest.mark.parametrize("scale", [0.01, 1, 100])
def test_without_a_maximum_each_axis_goes_on_its_own(scale: float) -> None:
    """A saddle and a ridge go to the top of their row and of their column; a valley stays where it is."""
    shapes = {
        "saddle": (lambda u, v: -((u - 0.25) ** 2) + (v - 0.25) ** 2, (0.25, 0)),
        "saddle upright": (lambda u, v: (u - 0.25) ** 2 - (v - 0.25) ** 2, (0, 0.25)),
        "ridge": (lambda u, v: -((u - v - 0.25) ** 2), (0.25, -0.25)),
        "twisted": (lambda u, v: -(u**2) - v**2 + 3 * u * v + 0.5 * u - 0.25 * v, (0.25, -0.125)),
        "valley": (lambda u, v: (u - 0.25) ** 2 + (v - 0.125) ** 2, (0, 0)),
    }
    for name, (formula, wanted) in shapes.items():
        found = moved(scale * around(formula), "diff")
        assert found == pytest.approx(wanted, abs=1e-12), name


@pytest.mark.parametrize("scale", [0.01, 1, 100])
@pytest.mark.parametrize("method", ["diff", "poly_fit"])
def test_a_gain_moves_no_top(method: str, scale: float) -> None:
    dome = around(
        lambda u, v: -((u - 0.25) ** 2) - (v + 0.375) ** 2 + 0.5 * (u - 0.25) * (v + 0.375)
    )
    assert moved(scale * dome, method) == pytest.approx((0.25, -0.375))


@pytest.mark.parametrize("top", [1, -1, 1.5, -1.5, 2.5, -2.5])
def test_a_top_a_pixel_away_is_no_refinement(top: float) -> None:
    """Whole px were decided before: differences stay in the pixel, on a line, in a plane, beside a valley."""
    far = lambda u, v: -((u - top) ** 2) - (v - 0.25) ** 2  # noqa: E731
    assert moved(around(far), "diff") == (0, 0.25)
    assert moved(around(lambda u, v: far(v, u)), "diff") == (0.25, 0)
    assert moved(around(lambda u, v: -((u - top) ** 2) + v * v), "diff") == (0, 0)
    at, inner = np.ones(1, dtype=int), np.ones(1, dtype=bool)
    assert refine(around(far)[1:2], at, 0 * at, inner, inner, "diff")[0] == 0


@pytest.mark.parametrize("scale", [0.01, 1, 100])
def test_a_line_without_a_top_is_not_moved(scale: float) -> None:
    at, inner = np.ones(1, dtype=int), np.ones(1, dtype=bool)
    for line in ([1, 1, 1], [1, 2, 3], [1.25, 1, 1.5], [np.nan, 1, 0], [-np.inf, 1, 0]):
        scores = scale * np.array(line, dtype=float)[:, None]
        assert refine(scores[None], at, 0 * at, inner, inner, "diff")[0] == 0


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("outside", [-0.125, 0.25, 0.75, 1.25])
def test_a_vertex_outside_the_scores_is_no_refinement(size: int, sign: int, outside: float) -> None:
    """A paraboloid is believed between the first and the last score that it was fitted to, not beyond."""
    half = size // 2
    top = sign * (half + outside)
    wanted = top if outside < 0 else 0
    at, inner = np.full(1, half), np.ones(1, dtype=bool)
    plane = around(lambda u, v: -((u - top) ** 2) - (v - 0.25) ** 2, size)
    assert moved(plane, "poly_fit") == pytest.approx((wanted, 0.25))
    assert moved(plane.swapaxes(0, 1), "poly_fit") == pytest.approx((0.25, wanted))
    dx, _ = refine(plane[half][None], at, 0 * at, inner, inner, "poly_fit")
    assert dx[0] == pytest.approx(wanted)


def test_a_vertex_counts_from_where_the_peak_is() -> None:
    """A peak that is not in the centre of its neighbourhood moves from its own place."""
    scores = around(lambda u, v: -((u - 1.25) ** 2) - (v + 0.875) ** 2, 5)
    one, inner = np.ones(1, dtype=int), np.ones(1, dtype=bool)
    dx, dy = refine(scores, 3 * one, one, inner, inner, "poly_fit")
    assert (dx[0], dy[0]) == (pytest.approx(0.25), pytest.approx(0.125))


def test_a_paraboloid_is_flat_at_a_saddle_too() -> None:
    """Pan's vertex is where both slopes vanish, whatever bends there."""
    saddle = around(lambda u, v: -((u - 0.25) ** 2) + 0.5 * (v - 0.125) ** 2, 5)
    assert moved(saddle, "poly_fit") == pytest.approx((0.25, 0.125))


@pytest.mark.parametrize("size", [3, 5, 7])
def test_fits_are_least_squares(size: int) -> None:
    """Of scores that are no quadric, the coefficients are those that NumPy's least squares finds."""
    rng = np.random.default_rng(size)
    line, plane = rng.random(size), rng.random((size, size))
    t = np.arange(size)
    wanted = np.polynomial.polynomial.polyfit(t, line, 2)
    np.testing.assert_allclose(line_fit(size) @ line, wanted, atol=1e-10)
    y, x = np.mgrid[:size, :size].reshape(2, -1)
    terms = np.stack([np.ones(size * size), x, y, x**2, x * y, y**2], axis=1)
    wanted = np.linalg.lstsq(terms, plane.ravel(), rcond=None)[0]
    np.testing.assert_allclose(surface_fit(size) @ plane.ravel(), wanted, atol=1e-10)


def test_the_matrix_of_a_fit_is_made_once() -> None:
    assert line_fit(5) is line_fit(5)
    assert surface_fit(5) is surface_fit(5)
