"""The surface through the scores around a peak, as it is drawn: the same that tells where the peak is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from shiftfield.peaks.locate import locate_peak
from shiftfield.peaks.surface import PeakFit, fit_at

Float = NDArray[np.float64]
FITS = [("diff", 3), ("poly_fit", 3), ("poly_fit", 5)]
# a0..a5 of a0 + a1 x + a2 y + a3 x^2 + a4 xy + a5 y^2 around (column 5, row 3)
SURFACE = 4.0, 0.5, -0.75, -1.5, 0.5, -2.0
AT = 3, 5


def quadric(
    terms: tuple[float, ...], at: tuple[int, int] = AT, shape: tuple[int, int] = (8, 11)
) -> Float:
    """Return a map (rows, columns) of a quadric with these terms around a pixel."""
    y, x = np.indices(shape) - np.array(at)[:, None, None].astype(np.float64)
    a0, a1, a2, a3, a4, a5 = terms
    return np.asarray(a0 + a1 * x + a2 * y + a3 * x**2 + a4 * x * y + a5 * y**2)


@pytest.mark.parametrize(("method", "size"), FITS)
def test_the_terms_of_a_quadric_are_found(method: str, size: int) -> None:
    """Around the peak; the cuts are its row and its column."""
    found = fit_at(quadric(SURFACE), *AT, method, size)
    a0, a1, a2, a3, _, a5 = SURFACE
    assert found.surface == pytest.approx(SURFACE)
    assert found.along_x == pytest.approx((a0, a1, a3))
    assert found.along_y == pytest.approx((a0, a2, a5))


@pytest.mark.parametrize(("method", "size"), FITS)
def test_the_vertex_is_where_both_slopes_vanish(method: str, size: int) -> None:
    _, a1, a2, a3, a4, a5 = SURFACE
    wanted = np.linalg.solve([[2 * a3, a4], [a4, 2 * a5]], [-a1, -a2])
    assert fit_at(quadric(SURFACE), *AT, method, size).vertex == pytest.approx(tuple(wanted))


@pytest.mark.parametrize("at", [(1, 1), (1, 9), (6, 1), (6, 9), (2, 8)])
def test_near_a_border_the_terms_are_still_those_around_the_peak(at: tuple[int, int]) -> None:
    """A neighbourhood of 5 is moved inside, so that the peak is not in its middle."""
    found = fit_at(quadric(SURFACE, at), *at, "poly_fit", 5)
    assert found.surface == pytest.approx(SURFACE)


@pytest.mark.parametrize(("method", "size"), FITS)
@pytest.mark.parametrize("row", [0, 7])
def test_on_a_border_row_only_the_row_is_fitted(row: int, method: str, size: int) -> None:
    found = fit_at(quadric((4.0, 0.5, 0, -1.5, 0, -2), (row, 5)), row, 5, method, size)
    assert found.surface is None
    assert found.along_x == pytest.approx((4, 0.5, -1.5))
    assert found.along_y is None
    x, y = found.vertex
    assert x == pytest.approx(0.5 / 3)
    assert np.isnan(y)


@pytest.mark.parametrize(("method", "size"), FITS)
@pytest.mark.parametrize("column", [0, 10])
def test_on_a_border_column_only_the_column_is_fitted(column: int, method: str, size: int) -> None:
    found = fit_at(quadric((4.0, 0, 0.5, -1.5, 0, -2), (3, column)), 3, column, method, size)
    assert found.surface is None
    assert found.along_x is None
    assert found.along_y == pytest.approx((4, 0.5, -2))
    x, y = found.vertex
    assert np.isnan(x)
    assert y == pytest.approx(0.5 / 4)


@pytest.mark.parametrize(("method", "size"), FITS)
def test_in_a_corner_nothing_is_fitted(method: str, size: int) -> None:
    found = fit_at(quadric(SURFACE), 0, 0, method, size)
    assert found == PeakFit(None, None, None)
    assert np.isnan(found.vertex).all()


@pytest.mark.parametrize("shape", [(1, 11), (2, 11)])
def test_a_map_too_low_for_a_surface_is_fitted_along_its_row(shape: tuple[int, int]) -> None:
    found = fit_at(quadric((4.0, 0.5, 0, -1.5, 0, 0), (0, 5), shape), 0, 5, "poly_fit", 5)
    assert found.surface is None
    assert found.along_x == pytest.approx((4, 0.5, -1.5))
    assert found.along_y is None


@pytest.mark.parametrize("scale", [0.01, 1, 100])
def test_differences_without_a_maximum_fit_each_axis(scale: float) -> None:
    """A saddle and a ridge have a top on the row, or on both lines; a valley and a plane have none."""
    names = {
        "saddle": ((4.0, 0.5, 0.25, -1, 0, 1), (True, False)),
        "saddle upright": ((4.0, 0.5, 0.25, 1, 0, -1), (False, True)),
        "twisted": ((4.0, 0.5, 0.25, -1, 3, -1), (True, True)),
        "ridge": ((4.0, 0.5, 0.25, -1, 2, -1), (True, True)),
        "valley": ((4.0, 0.5, 0.25, 1, 0, 1), (False, False)),
        "plane": ((4.0, 0.5, 0.25, 0, 0, 0), (False, False)),
    }
    for name, (terms, bent) in names.items():
        a0, a1, a2, a3, _, a5 = (scale * term for term in terms)
        found = fit_at(scale * quadric(terms), *AT, "diff", 3)
        assert found.surface is None, name
        assert found.along_x == (pytest.approx((a0, a1, a3)) if bent[0] else None), name
        assert found.along_y == (pytest.approx((a0, a2, a5)) if bent[1] else None), name
        wanted = [-a1 / (2 * a3) if bent[0] else np.nan, -a2 / (2 * a5) if bent[1] else np.nan]
        np.testing.assert_allclose(found.vertex, wanted, err_msg=name)


@pytest.mark.parametrize("scale", [0.01, 1, 100])
def test_a_gain_moves_no_vertex(scale: float) -> None:
    for method, size in FITS:
        found = fit_at(scale * quadric(SURFACE), *AT, method, size)
        assert found.surface == pytest.approx([scale * term for term in SURFACE])
        assert found.vertex == pytest.approx(fit_at(quadric(SURFACE), *AT, method, size).vertex)


def test_a_paraboloid_may_be_a_saddle_or_a_valley() -> None:
    """Pan's fit is believed whatever bends."""
    for terms in ((4.0, 0.5, 0.25, -1, 0.5, 1), (4.0, 0.5, 0.25, 1, 0, 1)):
        found = fit_at(quadric(terms), *AT, "poly_fit", 5)
        assert found.surface == pytest.approx(terms)
        _, a1, a2, a3, a4, a5 = terms
        wanted = np.linalg.solve([[2 * a3, a4], [a4, 2 * a5]], [-a1, -a2])
        assert found.vertex == pytest.approx(tuple(wanted))


def test_a_surface_that_is_nowhere_flat_has_no_vertex() -> None:
    for surface in ((0.0, 1.0, 0.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, -1.0, 2.0, -1.0)):
        assert np.isnan(PeakFit(surface, None, None).vertex).all()


def test_a_straight_line_has_no_vertex() -> None:
    x, y = PeakFit(None, (1.0, 2.0, 0.0), (1.0, 2.0, -0.5)).vertex
    assert np.isnan(x)
    assert y == 2
    assert PeakFit(None, (1.0, 2.0, 0.5), (1.0, 2.0, 4.0)).vertex == (-2, -0.25)


@pytest.mark.parametrize(("method", "size"), [*FITS, ("poly_fit", 7)])
def test_the_vertex_is_what_the_peak_is_moved_by(method: str, size: int) -> None:
    """On smooth bumps that are no quadric the drawn surface and the answer of `locate_peak` are one fit."""
    rng = np.random.default_rng(size)
    y, x = np.indices((9, 11))
    for top_x, top_y, bend, twist in rng.uniform((2.6, 2.6, 6, -0.3), (7.4, 5.4, 9, 0.3), (40, 4)):
        u, v = x - top_x, y - top_y
        scores = np.exp(-(u**2 + v**2 + twist * u * v) / bend)
        row, column = np.unravel_index(scores.argmax(), scores.shape)
        found = fit_at(scores, int(row), int(column), method, size).vertex
        moved = np.array(locate_peak(scores, method=method, size=size)) - (column, row)
        assert found == pytest.approx(tuple(moved))
