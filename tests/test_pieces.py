"""Starts of searches, and a tile cut into pieces of one start each: which, where, and at what cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shiftfield.engine import Search, Tile
from shiftfield.field import ShiftField
from shiftfield.quality import Quality
from shiftfield.settings import Settings
from shiftfield.stream.pieces import Piece, Starts, pieces, starts_of, tile_of
from shiftfield.stream.plan import window_weights

Array = NDArray[Any]
SHAPE = 9, 13
CALL = 250_000  # what a piece costs beside its pixels, in shifts of a pixel of a frame


def search(frames: int = 1, step: int = 1) -> Search:
    """Return a search with windows of 7 x 5 px and a margin of 2 x 4 px: 5 x 9 shifts."""
    weights = window_weights(7, None), window_weights(5, None)
    return Search("pearson", frames, weights, (2, 4), "diff", 3, step=step)


def cost(sizes: list[tuple[int, int]], of: Search) -> float:
    """Return what pieces of so many rows and columns of wanted pixels cost, px of a large tile."""
    pixels = ((rows * of.step + 2 * 3) * (columns * of.step + 2 * 6) for rows, columns in sizes)
    return sum(pixels) + len(sizes) * CALL / (5 * 9 * of.frames)


def cut(y: Any, x: Any, of: Search) -> list[Piece]:
    """Return the pieces of a grid, which must hold each pixel once and no pixel of another start."""
    y, x = np.broadcast_arrays(np.asarray(y, np.int32), np.asarray(x, np.int32))
    found = list(pieces(y, x, of))
    seen = np.zeros(y.shape, int)
    for piece in found:
        at = piece.rows, piece.columns
        assert (y[at][piece.mine] == piece.start[0]).all()
        assert (x[at][piece.mine] == piece.start[1]).all()
        assert piece.mine.any(axis=0)[[0, -1]].all()  # the box is as small as can be
        assert piece.mine.any(axis=1)[[0, -1]].all()
        seen[at] += piece.mine
    assert (seen == 1).all()
    return found


def sizes(found: list[Piece]) -> list[tuple[int, int]]:
    """Return rows and columns of pieces."""
    shapes = (piece.mine.shape for piece in found)
    return [(rows, columns) for rows, columns in shapes]


# Starts


def test_a_pair_is_x_then_y() -> None:
    found = starts_of((3, -2), SHAPE)
    np.testing.assert_array_equal(found.x, np.full(SHAPE, 3))
    np.testing.assert_array_equal(found.y, np.full(SHAPE, -2))
    assert found.x.dtype == found.y.dtype == np.int32


def test_a_start_may_differ_from_pixel_to_pixel() -> None:
    """Along one axis, along both; fractions are rounded to whole px."""
    ramp = np.arange(13.0) - 6 + 0.3 * np.ones(SHAPE)
    found = starts_of((ramp, 1.6), SHAPE)
    np.testing.assert_array_equal(found.x, np.broadcast_to(np.arange(13) - 6, SHAPE))
    np.testing.assert_array_equal(found.y, np.full(SHAPE, 2))
    found = starts_of([[-0.6 + 0 * ramp][0], ramp], SHAPE)
    np.testing.assert_array_equal(found.x, np.full(SHAPE, -1))
    np.testing.assert_array_equal(found.y, np.broadcast_to(np.arange(13) - 6, SHAPE))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("axis", ["x", "y"])
def test_where_a_start_is_unknown_the_nearest_known_is_taken(axis: str, bad: float) -> None:
    """Of both axes together, though one of them may be known there."""
    y, x = np.indices(SHAPE).astype(np.float64)
    spoilt = x.copy() if axis == "x" else y.copy()
    spoilt[:, :4] = spoilt[6, 8] = bad
    found = starts_of((spoilt, y) if axis == "x" else (x, spoilt), SHAPE)
    wanted = x.copy()
    wanted[:, :4] = 4
    known = np.ones(SHAPE, bool)
    known[6, 8] = False
    np.testing.assert_array_equal(found.x[known], wanted[known])
    np.testing.assert_array_equal(found.y[known], y[known])
    assert abs(found.x[6, 8] - 8) + abs(found.y[6, 8] - 6) == 1


def field(shape: tuple[int, int], step: int = 1, **more: Any) -> ShiftField:
    """Return a field of every step-th pixel whose x is 100 times the column, whose y the row."""
    y, x = (axis.astype(np.float32) * step for axis in np.indices([-(-n // step) for n in shape]))
    valid = np.ones(x.shape, bool)
    given: dict[str, Any] = {
        "valid": valid,
        "score": x,
        "settings": Settings(step=step),
        "image_shape": shape,
    }
    return ShiftField(100 * x, y, **given | more)


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_field_gives_each_pixel_the_start_of_the_nearest_that_it_has(step: int) -> None:
    """Halfway between two it is the farther one; beyond the last it is the last."""
    found = starts_of(field(SHAPE, step), SHAPE)
    for starts, n, unit in ((found.y[:, 0], 9, 1), (found.x[0], 13, 100)):
        there = np.arange(0, n, step)
        for pixel, start in enumerate(starts / unit):
            away = np.abs(there - pixel)
            assert start == there[away == away.min()][-1]


def test_what_is_not_valid_in_a_field_is_not_believed_unless_it_was_filled() -> None:
    """Other bits of quality make no pixel a start."""
    valid, quality = np.ones(SHAPE, bool), np.zeros(SHAPE, np.uint16)
    valid[4, 5] = valid[4, 9] = False
    quality[4, 5] = Quality.FILLED | Quality.LOW_SCORE
    quality[4, 9] = Quality.LOW_SCORE
    plain = starts_of(field(SHAPE, valid=valid), SHAPE)
    judged = starts_of(field(SHAPE, valid=valid, quality=quality), SHAPE)
    assert (plain.x[4, 5], plain.y[4, 5]) != (500, 4)
    assert (judged.x[4, 5], judged.y[4, 5]) == (500, 4)
    for found in (plain, judged):
        assert (found.x[4, 9], found.y[4, 9]) in {(900, 3), (900, 5), (800, 4), (1000, 4)}
        assert (found.x[4, 8], found.y[4, 8]) == (800, 4)


@pytest.mark.parametrize(("start", "words"), [
    (None, "start is None; allowed are None, 'global', 'pyramid', a pair"),
    ("ab", r"start is 'ab'; allowed are .* and a ShiftField\."),
    ((1, 2, 3), r"start is \(1, 2, 3\); allowed are"),
    ("a" * 58, f"start is '{'a' * 58}'; allowed"),
    ("a" * 59, rf"start is '{'a' * 56}\.\.\.; allowed"),
    ((np.zeros((13, 9)), 0), r"The x of start has shape \(13, 9\); allowed are \(\) and \(9, 13\)"),
    ((0, np.zeros(13)), r"The y of start has shape \(13,\); allowed are \(\) and \(9, 13\)"),
    ((0, np.nan), "start holds no finite shift; it must have at least one"),
    ((np.full(SHAPE, np.nan), 0), "start holds no finite shift"),
    ((1e6 + 1, 0), r"start holds a shift of 1e\+06 px; allowed are up to 1000000 px"),
    ((0, -2e6), r"start holds a shift of 2e\+06 px"),
    (field((13, 9)), r"start is a field of an image of shape \(13, 9\).*\(9, 13\)"),
    (field((8, 13)), r"start is a field of an image of shape \(8, 13\).*\(9, 13\)"),
])  # fmt: skip
def test_what_is_no_start_is_refused(start: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        starts_of(start, SHAPE)


def test_starts_reach_as_far_as_a_million_px() -> None:
    found = starts_of((1e6, -1e6), SHAPE)
    assert (found.x[0, 0], found.y[0, 0]) == (10**6, -(10**6))


@pytest.mark.parametrize(
    ("least", "greatest", "rows"), [(-3, 5, (-3, 5)), (2, 5, (0, 5)), (-7, -4, (-7, 0))]
)
def test_rows_of_starts_hold_0(least: int, greatest: int, rows: tuple[int, int]) -> None:
    """How far above and below its own rows a band's reference is read; x has no part in it."""
    y, x = np.full((2, *SHAPE), least, np.int32)
    y[3, 4], x[:] = greatest, 99
    assert Starts(y, x).rows == rows


def test_the_middle_of_starts_is_their_median() -> None:
    y, x = np.full((2, *SHAPE), 4, np.int32)
    x[:], y[0], x[:, 0] = -6, 900, 900
    assert Starts(y, x).middle == (4, -6)


# Pieces


def test_a_grid_of_one_start_is_one_piece() -> None:
    (piece,) = cut(np.full((40, 50), 3), -7, search())
    assert (piece.rows, piece.columns) == (slice(0, 40), slice(0, 50))
    assert piece.start == (3, -7)
    assert piece.mine.all()


def test_a_grid_without_pixels_has_no_piece() -> None:
    nothing = np.zeros((0, 5), np.int32)
    assert list(pieces(nothing, nothing, search())) == []


@pytest.mark.parametrize("far", [1, 40_000])
def test_starts_that_lie_apart_are_boxes_around_their_pixels(far: int) -> None:
    """Nothing is cut where boxes hold little but their own, however far apart the starts are."""
    y, x = np.zeros((40, 60), np.int32), np.zeros((40, 60), np.int32)
    y[:20], x[:, 30:] = -far, 2 * far
    found = cut(y, x, search(1000))
    assert sorted(piece.start for piece in found) == [
        (-far, 0),
        (-far, 2 * far),
        (0, 0),
        (0, 2 * far),
    ]
    assert sizes(found) == [(20, 30)] * 4


def scattered(height: int, width: int) -> Array:
    """Return starts along y: 1 in two opposite corners, else 0."""
    y = np.zeros((height, width), np.int32)
    y[0, 0] = y[-1, -1] = 1
    return y


@pytest.mark.parametrize(("height", "width"), [(64, 65), (65, 64), (64, 64), (20, 200), (200, 20)])
def test_boxes_are_cut_where_that_costs_less(height: int, width: int) -> None:
    """Where a call costs little; never more than one box of each start, or than both halves of the longer."""
    y = scattered(height, width)
    for frames in (1, 2, 3, 4, 6, 10, 30, 100, 1000, 100_000):
        of = search(frames)
        whole = [(height, width)] * 2
        if width >= height:
            halves = [(height, width // 2), (height, width - width // 2)]
        else:
            halves = [(height // 2, width), (height - height // 2, width)]
        once = [*halves, (1, 1), (1, 1)]
        found = cut(y, 0, of)
        best = min(cost(whole, of), cost(once, of))
        assert cost(sizes(found), of) <= best * (1 + 1e-12)
        if cost(whole, of) <= cost(once, of):
            assert sizes(found) == whole
        else:
            assert len(found) > 2


@pytest.mark.parametrize("size", [*range(17, 33), 64])
@pytest.mark.parametrize("step", [1, 2, 5])
def test_cutting_pays_from_so_many_frames_on(size: int, step: int) -> None:
    """When the wide box that is saved costs more than two calls, which are dearer the less a shift costs.

    With a step a piece of so many wanted pixels is as many times larger along both axes.
    """
    halves = [(size, size // 2), (size, size - size // 2), (1, 1), (1, 1)]
    free = search(10**12, step)
    enough = 2 * CALL / (5 * 9) / (cost([(size, size)] * 2, free) - cost(halves, free))
    if enough > 1:
        assert sizes(cut(scattered(size, size), 0, search(int(enough), step))) == [(size, size)] * 2
    found = cut(scattered(size, size), 0, search(int(enough) + 1, step))
    assert {piece.columns.start for piece in found if piece.start == (0, 0)} == {0, size // 2}


def test_a_grid_whose_half_would_be_cut_alone_is_whole_where_that_costs_less() -> None:
    """The cost of a half is that of all its pieces: one call more than in the half alone must pay, too."""
    y = np.zeros((64, 128), np.int32)
    y[:, 64:] = scattered(64, 64)
    free, calls = search(10**12), CALL / (5 * 9)
    saved = cost([(64, 64)] * 2, free) - cost([(64, 32)] * 2 + [(1, 1)] * 2, free)
    of = search(round(2.5 * calls / saved))
    assert len(cut(y[:, 64:], 0, of)) == 4
    whole, pieces_of_halves = [(64, 128), (64, 64)], [(64, 64), (64, 32), (64, 32), (1, 1), (1, 1)]
    assert cost(whole, of) < cost(pieces_of_halves, of)
    assert sizes(cut(y, 0, of)) == whole


def test_a_tall_grid_is_cut_in_the_middle_of_its_height() -> None:
    found = cut(scattered(41, 40), 0, search(1000))
    assert {piece.rows.start for piece in found if piece.start == (0, 0)} == {0, 20}


@pytest.mark.parametrize(
    ("shape", "cuts"),
    [((5, 7), False), ((8, 8), False), ((9, 9), True), ((8, 40), True), ((40, 8), True)],
)
def test_small_grids_are_not_cut(shape: tuple[int, int], cuts: bool) -> None:
    """8 px on both sides are searched as they are, for every start in them, though the wanted lie far apart."""
    assert (len(cut(scattered(*shape), 0, search(10**9, 10))) > 2) == cuts


@pytest.mark.parametrize(("rows", "cuts"), [(3, False), (4, True)])
def test_boxes_that_cover_little_more_than_the_grid_are_not_cut(rows: int, cuts: bool) -> None:
    """A start in the corners of some rows of ten, which its box covers: up to 1.3 times the grid is well."""
    y = np.zeros((10, 40), np.int32)
    y[:rows, 0] = y[:rows, -1] = 1
    assert (len(cut(y, 0, search(10**9, 10))) > 2) == cuts


def test_both_halves_are_cut_on_where_that_pays() -> None:
    """Lone pixels in all corners end in a column on either side, in the middle of which is a pixel of its own."""
    y = np.zeros((128, 256), np.int32)
    y[[0, 0, 127, 127], [0, 255, 0, 255]] = 5
    y[70, 190] = 5
    alone = [piece for piece in cut(y, 0, search(10**6)) if piece.start == (5, 0)]
    assert [(piece.columns.start, piece.mine.shape) for piece in alone if piece.columns.start != 190] == [
        (0, (128, 1)), (255, (128, 1)),
    ]  # fmt: skip
    (middle,) = [piece for piece in alone if piece.columns.start == 190]
    assert (middle.rows.start, middle.mine.shape) == (70, (1, 1))


@pytest.mark.parametrize("spread", [1, 2, 7, 900_000])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (23, 31), (37, 24)])
def test_any_starts_are_covered_once(shape: tuple[int, int], spread: int) -> None:
    random = np.random.default_rng(spread)
    y, x = random.integers(-spread, spread + 1, (2, *shape)).astype(np.int32)
    for frames in (1, 10**6):
        cut(y, x, search(frames))


# The part of a tile


def piece_of(rows: tuple[int, int], columns: tuple[int, int], start: tuple[int, int]) -> Piece:
    """Return a piece of a tile's wanted pixels."""
    return Piece(
        slice(*rows),
        slice(*columns),
        start,
        np.ones((rows[1] - rows[0], columns[1] - columns[0]), bool),
    )


def test_a_piece_is_a_tile_of_its_own() -> None:
    piece = piece_of((2, 5), (1, 7), (4, -3))
    assert tile_of(piece, Tile(16, 32, 20, 40), 1, (100, 200), (3, 6)) == Tile(18, 21, 21, 27)


@pytest.mark.parametrize("step", [2, 3, 7])
def test_a_piece_of_every_step_th_pixel_lies_on_them(step: int) -> None:
    """From its first wanted pixel to its last, as the tile's grid has them."""
    tile = Tile(16, 90, 20, 140)
    rows, columns = np.arange(100)[::step], np.arange(200)[::step]
    rows, columns = rows[(rows >= 16) & (rows < 90)], columns[(columns >= 20) & (columns < 140)]
    found = tile_of(piece_of((2, 5), (1, 7), (0, 0)), tile, step, (100, 200), (3, 6))
    assert (found.y0, found.y1 - 1) == (rows[2], rows[4])
    assert (found.x0, found.x1 - 1) == (columns[1], columns[6])


@pytest.mark.parametrize(("start", "wanted"), [
    ((0, 0), Tile(3, 97, 6, 194)), ((10, 20), Tile(0, 87, 0, 174)), ((-10, -20), Tile(13, 100, 26, 200)),
    ((200, 0), Tile(0, -103, 6, 194)),
])  # fmt: skip
def test_a_piece_ends_where_its_search_would_leave_the_reference(
    start: tuple[int, int], wanted: Tile
) -> None:
    """Half a window and the margin, 3 and 6 px, from where its start leads; it may be empty."""
    piece = piece_of((0, 100), (0, 200), start)
    assert tile_of(piece, Tile(0, 100, 0, 200), 1, (100, 200), (3, 6)) == wanted
