"""Where maps of scores peak: the top of what is fitted, and what is done at borders, ties and gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shiftfield.peaks.locate import first_of_window, locate_peak, locate_peaks, refinable

Float = NDArray[np.float64]


def dome(
    shape: tuple[int, int] = (9, 12), top: tuple[float, float] = (6.25, 3.625), tilt: float = 0.5
) -> Float:
    """Return a quadric map whose maximum lies at `top` = (x, y)."""
    y, x = (axis.astype(np.float64) for axis in np.indices(shape))
    u, v = x - top[0], y - top[1]
    return 5 - u**2 - 2 * v**2 + tilt * u * v


FITS = [("diff", 3), *(("poly_fit", size) for size in (3, 5, 7))]


@pytest.mark.parametrize(("method", "size"), FITS)
def test_the_top_of_a_map_is_column_then_row(method: str, size: int) -> None:
    assert locate_peak(dome(), method=method, size=size) == pytest.approx((6.25, 3.625))


def test_by_default_differences_refine_both_axes() -> None:
    """Corner terms that differences do not see leave the default's answer where it is."""
    y, x = np.indices((9, 12))
    corners = (x - 6.0) ** 2 * (y - 4) ** 2
    assert locate_peak(dome() - 0.2 * corners) == pytest.approx((6.25, 3.625))


def test_without_sub_pixel_the_peak_is_a_pixel() -> None:
    found = locate_peak(dome(), sub_pixel=False)
    assert found == (6, 4)
    assert [type(value) for value in found] == [float, float]


@pytest.mark.parametrize(("method", "size"), FITS)
def test_in_one_dimension_the_row_and_the_column_are_fitted_apart(method: str, size: int) -> None:
    """On the row y = 4 the tilted dome is highest at another x than in the plane; so on the column."""
    x, y = locate_peak(dome(), method=method, dim=1, size=size)
    assert x == pytest.approx(6.25 + 0.5 * (4 - 3.625) / 2)
    assert y == pytest.approx(3.625 + 0.5 * (6 - 6.25) / 4)


@pytest.mark.parametrize("offset", [0, -100])
def test_the_lowest_score_is_found_as_the_highest_is(offset: float) -> None:
    assert locate_peak(offset - dome(), max_peak=False) == pytest.approx((6.25, 3.625))
    assert locate_peak(offset - dome(), max_peak=False, sub_pixel=False) == (6, 4)


@pytest.mark.parametrize("gap", [np.nan, np.inf])
def test_the_lowest_score_is_found_beside_a_gap(gap: float) -> None:
    """What is no number, and what is infinite, does not set the level that scores are taken from."""
    scores = -dome()
    scores[0, 0] = gap
    assert locate_peak(scores, max_peak=False) == pytest.approx((6.25, 3.625))


@pytest.mark.parametrize("max_peak", [True, False])
def test_a_map_without_a_peak_has_no_place(max_peak: bool) -> None:
    """Constant or all NaN: there is no highest score."""
    for scores in (np.full((5, 5), 2.0), np.full((5, 5), np.nan), np.zeros((4, 3))):
        assert np.isnan(locate_peak(scores, max_peak=max_peak)).all()


def test_nan_is_never_the_peak() -> None:
    """Nor where all scores are negative."""
    for level in (0, -1000):
        scores = dome() + level
        scores[0] = scores[:, 0] = np.nan
        assert locate_peak(scores) == pytest.approx((6.25, 3.625))
    only = np.full((5, 6), np.nan)
    only[2, 3], only[1, 1] = 1, 0
    assert locate_peak(only) == (3, 2)


def test_of_equal_peaks_the_first_in_order_counts() -> None:
    scores = np.zeros((5, 6))
    scores[1, 4] = scores[3, 1] = scores[3, 4] = 1
    assert locate_peak(scores, sub_pixel=False) == (4, 1)


@pytest.mark.parametrize(("method", "size"), [("diff", 3), ("poly_fit", 5)])
def test_at_a_border_the_peak_moves_along_it(method: str, size: int) -> None:
    """On the first and last row along x, on the first and last column along y, in a corner not at all."""
    shape = 9, 12
    for edge, row in ((-0.25, 0), (8.25, 8)):
        x, y = locate_peak(dome(shape, (6.25, edge), 0), method=method, size=size)
        assert (x, y) == (pytest.approx(6.25), row)
    for edge, column in ((-0.25, 0), (11.25, 11)):
        x, y = locate_peak(dome(shape, (edge, 3.625), 0), method=method, size=size)
        assert (x, y) == (column, pytest.approx(3.625))
    for x, y in ((-0.25, -0.25), (11.25, -0.25), (-0.25, 8.25), (11.25, 8.25)):
        found = locate_peak(dome(shape, (x, y), 0), method=method, size=size)
        assert found == (round(abs(x)), round(abs(y)))


@pytest.mark.parametrize("top", [(1.25, 1.25), (10.25, 6.875), (1.25, 6.875), (10.25, 1.25)])
def test_one_pixel_from_the_border_the_fit_moves_inside(top: tuple[float, float]) -> None:
    """A neighbourhood of 7 around such a peak would leave the map; the one beside it is fitted."""
    assert locate_peak(dome(top=top), method="poly_fit", size=7) == pytest.approx(top)


@pytest.mark.parametrize(("shape", "top"), [((4, 12), (6.25, 1.25)), ((12, 4), (1.25, 6.25))])
def test_what_does_not_fit_into_the_map_is_not_fitted(
    shape: tuple[int, int], top: tuple[float, float]
) -> None:
    """A map 4 px high holds no neighbourhood of 5: a peak inside stays, one on the long border is refined."""
    scores = dome(shape, top, 0)
    whole = round(top[0]), round(top[1])
    assert locate_peak(scores, method="poly_fit", size=5) == whole
    assert locate_peak(scores, method="poly_fit", size=3) == pytest.approx(top)
    low = -0.25
    if shape[0] < shape[1]:
        found = locate_peak(dome(shape, (top[0], low), 0), method="poly_fit", size=5)
        assert found == (pytest.approx(top[0]), 0)
    else:
        found = locate_peak(dome(shape, (low, top[1]), 0), method="poly_fit", size=5)
        assert found == (0, pytest.approx(top[1]))


@pytest.mark.parametrize(("given", "used"), [(4, 5), (1, 3), (-3, 3), (11, 9), (9.0, 9), (8, 9)])
def test_the_size_is_made_odd_and_3_to_9(given: Any, used: int) -> None:
    """On a map that is no quadric each size has an answer of its own."""
    y, x = np.indices((15, 15)) - 7.0
    scores = np.exp(-((x - 0.3) ** 2 + (y + 0.2) ** 2 + 0.3 * x * y) / 8 + 0.004 * x**3)
    wanted = locate_peak(scores, method="poly_fit", size=used)
    assert locate_peak(scores, method="poly_fit", size=given) == wanted
    others = {locate_peak(scores, method="poly_fit", size=size) for size in (3, 5, 7, 9)}
    assert len(others) == 4
    assert locate_peak(scores, method="poly_fit") == locate_peak(scores, method="poly_fit", size=3)


def test_differences_take_three_scores_whatever_the_size() -> None:
    assert locate_peak(dome((3, 3), (1.25, 0.875)), size=9) == pytest.approx((1.25, 0.875))


@pytest.mark.parametrize("given", [[[0, 1, 0], [0, 2, 1], [0, 0, 0]], np.eye(3, dtype=bool)])
def test_numbers_of_any_kind_are_scores(given: Any) -> None:
    x, y = locate_peak(given, sub_pixel=False)
    assert (x, y) == ((1, 1) if isinstance(given, list) else (0, 0))


def test_masked_scores_are_ignored() -> None:
    scores = np.ma.masked_less(dome(), -5)
    assert locate_peak(scores) == pytest.approx((6.25, 3.625))


@pytest.mark.parametrize(("scores", "given", "words"), [
    ([[1j, 2]], {}, "The map has dtype complex128; it must hold real numbers"),
    ([["a"]], {}, "The map has dtype <U1; it must hold real numbers"),
    ([1, 2, 3], {}, r"The map has shape \(3,\); it must be 2-D and not empty"),
    (np.zeros((1, 2, 2)), {}, r"The map has shape \(1, 2, 2\)"),
    (np.zeros((0, 3)), {}, r"The map has shape \(0, 3\)"),
    (dome(), {"method": "gauss"}, "method is 'gauss'; allowed are 'diff' and 'poly_fit'"),
    (dome(), {"dim": 0}, "dim is 0; allowed are 1 and 2"),
    (dome(), {"dim": 3}, "dim is 3; allowed are 1 and 2"),
    (dome(), {"dim": True}, "dim is True; allowed are 1 and 2"),
    (dome(), {"size": 3.5}, "size is 3.5; it must be a whole number"),
])  # fmt: skip
def test_what_is_no_map_or_no_choice_is_refused(scores: Any, given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        locate_peak(scores, **given)


def test_many_maps_are_located_as_each_alone() -> None:
    """Peaks of all kinds in one call: inside, on borders, in corners, on flat maps, with gaps."""
    rng = np.random.default_rng(0)
    tops = rng.uniform(-0.4, (11.4, 8.4), (60, 2))
    maps = np.stack([dome(top=(x, y)) for x, y in tops])
    maps[7], maps[8] = 1, np.nan
    maps[9, 2] = np.nan
    for method, size in FITS:
        for dim in (1, 2):
            x, y = locate_peaks(maps, method=method, dim=dim, size=size)
            alone = [locate_peak(one, method=method, dim=dim, size=size) for one in maps]
            np.testing.assert_allclose(np.stack([x, y], axis=1), alone, atol=1e-12)


def test_only_scores_that_compete_can_be_the_peak() -> None:
    """The highest does not take part; the fit around the best that does still reads every score."""
    maps = np.stack([dome(), dome()])
    maps[:, 0, 0] = 9
    compete = np.ones(maps.shape, dtype=bool)
    compete[1, 0, 0] = False
    compete[1, 4, 7] = compete[1, 3, 6] = False
    x, y = locate_peaks(maps, method="diff", dim=2, size=3, compete=compete)
    assert (x[0], y[0]) == (0, 0)
    assert (x[1], y[1]) == pytest.approx((6.25, 3.625))


def test_a_map_with_one_score_that_competes_has_no_peak() -> None:
    compete = np.zeros((1, 9, 12), dtype=bool)
    compete[0, 4, 6] = True
    x, y = locate_peaks(dome()[None], method="diff", dim=2, size=3, compete=compete)
    assert np.isnan([x[0], y[0]]).all()


@pytest.mark.parametrize(("row", "column", "along"), [
    (1, 1, (True, True)), (3, 4, (True, True)), (0, 1, (True, False)), (4, 4, (True, False)),
    (1, 0, (False, True)), (3, 5, (False, True)), (0, 0, (False, False)), (4, 5, (False, False)),
    (0, 5, (False, False)), (4, 0, (False, False)),
])  # fmt: skip
def test_a_peak_is_refined_along_axes_that_go_on_beside_it(
    row: int, column: int, along: tuple[bool, bool]
) -> None:
    inner_x, inner_y = refinable(np.array([row]), np.array([column]), (5, 6), 5)
    assert (inner_x[0], inner_y[0]) == along


@pytest.mark.parametrize(("shape", "inside", "on_top", "on_left"), [
    ((5, 5), (True, True), (True, False), (False, True)),
    ((4, 5), (False, False), (True, False), (False, False)),
    ((5, 4), (False, False), (False, False), (False, True)),
    ((4, 4), (False, False), (False, False), (False, False)),
])  # fmt: skip
def test_a_fit_needs_room(
    shape: tuple[int, int],
    inside: tuple[bool, bool],
    on_top: tuple[bool, bool],
    on_left: tuple[bool, bool],
) -> None:
    """Along a border the fit of 5 needs 5 scores there; inside it needs 5 along both axes."""
    inner_x, inner_y = refinable(np.array([2, 0, 2]), np.array([2, 2, 0]), shape, 5)
    assert list(zip(inner_x, inner_y, strict=True)) == [inside, on_top, on_left]


def test_a_window_is_moved_to_stay_inside() -> None:
    np.testing.assert_array_equal(first_of_window(np.arange(8), 8, 5), [0, 0, 0, 1, 2, 3, 3, 3])
    np.testing.assert_array_equal(first_of_window(np.arange(3), 3, 3), [0, 0, 0])


@pytest.mark.parametrize("method", ["diff", "poly_fit"])
@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (2, 2), (1, 5), (2, 5), (5, 2)])
def test_maps_smaller_than_a_fit_give_whole_px_along_their_short_axis(
    shape: tuple[int, int], dim: int, method: str
) -> None:
    scores = np.random.default_rng(3).random(shape)
    x, y = locate_peak(scores, method=method, dim=dim)
    row, column = np.unravel_index(scores.argmax(), shape)
    assert abs(x - column) < 1
    assert abs(y - row) < 1
    if shape[0] < 3:
        assert y == row
    if shape[1] < 3:
        assert x == column


def test_a_map_of_one_score_has_no_peak() -> None:
    assert np.isnan(locate_peak([[1.0]])).all()
