"""What will run, decided before a pixel is read: tiles on a grid fixed to the image, bands, threads, memory."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
import pytest

from shiftfield import machine
from shiftfield.engine import Search, Tile
from shiftfield.engine.base import SPLINE, cuts
from shiftfield.stream.plan import Plan, check_size, make_plan, window_weights

TALL = 32  # rows and columns of the reference backend's tiles
PLENTY = 10**15  # bytes


def search(
    window: tuple[int, int] = (5, 7), margin: tuple[int, int] = (2, 3), **more: Any
) -> Search:
    """Return a search of one frame with a box window."""
    weights = window_weights(window[0], None), window_weights(window[1], None)
    given: dict[str, Any] = {"method": "pearson", "frames": 1, "peak": "diff", "peak_size": 3}
    return Search(weights=weights, margin=margin, **given | more)


def plan_of(shape: tuple[int, int] = (100, 130), **more: Any) -> Plan:
    """Return a plan with tiles of 16 x 20 px and bands of 32 rows."""
    given: dict[str, Any] = {
        "search": search(), "shape": shape, "backend": "reference", "tile": (16, 20), "band_rows": 32,
        "workers": 3,
    }  # fmt: skip
    return Plan(**given | more)


def planned(shape: tuple[int, int] = (200, 130), what: Search | None = None, **more: Any) -> Plan:
    """Return what is planned for the reference backend on three threads."""
    return make_plan(what or search(), shape, **{"backend_name": "reference", "workers": 3, **more})


# Tiles and bands


@pytest.mark.parametrize("band_rows", [16, 32, 48, 160])
@pytest.mark.parametrize("shape", [(100, 130), (36, 61), (9, 13)])
def test_tiles_cover_each_pixel_that_can_be_answered_once(
    shape: tuple[int, int], band_rows: int
) -> None:
    """Those nearer to a border than half a window and the margin are in no tile."""
    plan = plan_of(shape, band_rows=band_rows)
    seen = np.zeros(shape, dtype=int)
    for band in plan.bands():
        for tile in plan.tiles(*band):
            assert band[0] <= tile.y0 < tile.y1 <= band[1]
            seen[tile.y0 : tile.y1, tile.x0 : tile.x1] += 1
    wanted = np.zeros(shape, dtype=int)
    wanted[4 : shape[0] - 4, 6 : shape[1] - 6] = 1
    np.testing.assert_array_equal(seen, wanted)


@pytest.mark.parametrize("band_rows", [16, 48])
def test_tiles_end_on_a_grid_fixed_to_the_image(band_rows: int) -> None:
    """Neither bands nor borders move the grid: tiles end at multiples of their size, or where the answer ends."""
    plan = plan_of(band_rows=band_rows)
    tiles = [tile for band in plan.bands() for tile in plan.tiles(*band)]
    for tile in tiles:
        assert tile.y0 % 16 == 0 or tile.y0 == 4
        assert tile.y1 % 16 == 0 or tile.y1 == 96
        assert tile.x0 % 20 == 0 or tile.x0 == 6
        assert tile.x1 % 20 == 0 or tile.x1 == 124
    assert plan.count() == len(tiles) == 6 * 7


def test_cuts_end_at_multiples_of_the_pitch() -> None:
    assert list(cuts(3, 17, 5)) == [(3, 5), (5, 10), (10, 15), (15, 17)]
    assert list(cuts(5, 10, 5)) == [(5, 10)]
    assert list(cuts(4, 4, 5)) == []
    assert list(cuts(6, 4, 5)) == []


def test_bands_are_whole_rows_of_tiles() -> None:
    assert list(plan_of(band_rows=48).bands()) == [(4, 48), (48, 96)]
    assert list(plan_of(band_rows=160).bands()) == [(4, 96)]


def test_tiles_without_a_wanted_pixel_are_left_out() -> None:
    """Of every 50th pixel only (50, 50) and (50, 100) lie inside the borders."""
    plan = plan_of(search=replace(search(), step=50))
    tiles = [tile for band in plan.bands() for tile in plan.tiles(*band)]
    assert tiles == [Tile(48, 64, 40, 60), Tile(48, 64, 100, 120)]
    assert plan.count() == 2


@pytest.mark.parametrize("step", [2, 3, 7, 16, 17, 20, 23])
def test_every_wanted_pixel_is_in_a_tile(step: int) -> None:
    """And each tile holds one."""
    plan = plan_of(search=replace(search(), step=step))
    found = set()
    for band in plan.bands():
        for tile in plan.tiles(*band):
            here = {
                (y, x)
                for y in range(tile.y0, tile.y1)
                for x in range(tile.x0, tile.x1)
                if y % step == 0 and x % step == 0
            }
            assert here
            found |= here
    wanted = {
        (y, x) for y in range(4, 96) for x in range(6, 124) if y % step == 0 and x % step == 0
    }
    assert found == wanted


@pytest.mark.parametrize(
    ("step", "shape"), [(1, (100, 130)), (2, (50, 65)), (3, (34, 44)), (64, (2, 3))]
)
def test_the_answer_has_every_step_th_pixel(step: int, shape: tuple[int, int]) -> None:
    plan = plan_of(search=replace(search(), step=step))
    assert plan.output_shape == shape
    assert np.zeros((100, 130))[::step, ::step].shape == shape


# What is read


def test_the_border_is_half_a_window_and_the_margin() -> None:
    assert plan_of().border == (2 + 2, 3 + 3)


def test_where_searches_start_elsewhere_only_the_window_must_fit() -> None:
    """The margin may reach anywhere; beyond the image there is no border at all."""
    assert plan_of(starts=(-4, 9)).border == (2, 3)
    assert plan_of(search=replace(search(), beyond=True)).border == (0, 0)
    assert plan_of(search=replace(search(), beyond=True), starts=(-4, 9)).border == (0, 0)


def test_rows_reach_half_a_window_and_the_margin_farther() -> None:
    plan = plan_of()
    assert plan.reach(32, 64) == (28, 68)
    assert plan.reach(4, 32) == (0, 36)
    assert plan.reach(2, 32) == (0, 36)
    assert plan.reach(64, 96) == (60, 100)
    assert plan.reach(64, 98) == (60, 100)


def test_starts_move_what_is_read_of_the_reference() -> None:
    plan = plan_of(starts=(-5, 9))
    assert plan.reach(32, 64) == (32 - 4 - 5, 64 + 4 + 9)


@pytest.mark.parametrize("more", [{"refine": "translation"}, {"uncertainty": True}])
def test_splines_reach_farther(more: dict[str, Any]) -> None:
    plan = plan_of((300, 130), search=replace(search(), **more), starts=(-5, 9))
    assert plan.reach(128, 160) == (128 - 4 - SPLINE - 5, 160 + 4 + SPLINE + 9)


def test_a_band_holds_its_rows_and_their_reach() -> None:
    """In bytes: 32 rows, 4 px above and below, and what starts span; never more than the image."""
    assert plan_of(bytes_of_a_row=1000).band_bytes == 1000 * (32 + 2 * 4)
    assert plan_of(bytes_of_a_row=1000, starts=(-5, 9)).band_bytes == 1000 * (32 + 2 * 4 + 14)
    assert plan_of(bytes_of_a_row=1000, band_rows=112).band_bytes == 1000 * 100


# Choices


def test_what_is_in_memory_is_cut_into_bands_of_512_rows() -> None:
    """Bands that are no copies cost nothing; a small image is one band of whole tiles."""
    assert planned((2000, 130)).band_rows == 512
    assert planned((200, 130)).band_rows == 224
    assert planned((192, 130)).band_rows == 192
    assert planned((20, 130)).band_rows == TALL


def test_a_plan_says_what_it_was_made_from() -> None:
    what = search()
    plan = planned(
        what=what, notes=("why",), threads=64, bytes_of_a_row=7, memory="1 GB", starts=(-1, 2)
    )
    assert plan.search is what
    assert (plan.shape, plan.backend, plan.tile) == ((200, 130), "reference", (TALL, TALL))
    assert (plan.workers, plan.notes, plan.threads) == (3, ("why",), 64)
    assert (plan.memory, plan.bytes_of_a_row, plan.starts) == (10**9, 7, (-1, 2))


def test_by_default_all_cores_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "available_cores", lambda: 7)
    plan = make_plan(search(), (200, 130), backend_name="reference")
    assert (plan.workers, plan.memory, plan.notes, plan.threads, plan.starts) == (
        7,
        None,
        (),
        256,
        None,
    )
    assert plan.bytes_of_a_row == 0
    assert planned().workers == 3


@pytest.mark.parametrize(
    ("asked", "rows"), [(1, 32), (31, 32), (32, 32), (33, 32), (70, 64), (1000, 224)]
)
def test_chunks_are_rounded_to_whole_tiles(asked: int, rows: int) -> None:
    """At least one row of tiles, at most the image."""
    assert planned(chunk_rows=asked).band_rows == rows


@pytest.mark.parametrize("height", [200, 201, 223, 224, 2160])
def test_a_gpu_takes_an_image_that_lies_in_memory_at_once(height: int) -> None:
    """Also where its height is no multiple of a tile's: two bands would be copied and waited for."""
    plan = planned((height, 130), backend_name="gpu")
    assert len(list(plan.bands())) == 1


def test_without_a_word_on_memory_bands_take_a_part_of_what_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A quarter of it, at most 200 MB; rows that neighbouring bands share are counted."""
    row, shape = 100_000, (100_000, 130)
    monkeypatch.setattr(machine, "free_memory", lambda: PLENTY)
    assert planned(shape, bytes_of_a_row=10**6).band_rows == 200 - 8 == 6 * TALL
    monkeypatch.setattr(machine, "free_memory", lambda: 4 * row * (320 + 8))
    assert planned(shape, bytes_of_a_row=row).band_rows == 320
    monkeypatch.setattr(machine, "free_memory", lambda: 4 * row * (320 + 8) - 1)
    assert planned(shape, bytes_of_a_row=row).band_rows == 288
    monkeypatch.setattr(machine, "free_memory", lambda: 4 * row * (320 + 8 + 14))
    assert planned(shape, bytes_of_a_row=row, starts=(-5, 9)).band_rows == 320
    assert planned(shape, bytes_of_a_row=row, starts=(-5, 10)).band_rows == 288
    more = 4 * row * (320 + 8 + 2 * SPLINE)
    monkeypatch.setattr(machine, "free_memory", lambda: more)
    refined = replace(search(), refine="translation")
    assert planned(shape, refined, bytes_of_a_row=row).band_rows == 320
    monkeypatch.setattr(machine, "free_memory", lambda: more - 1)
    assert planned(shape, refined, bytes_of_a_row=row).band_rows == 288


def test_with_little_free_memory_a_band_is_one_row_of_tiles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only what the caller says of memory is a promise; without, the least that can be done is done."""
    monkeypatch.setattr(machine, "free_memory", lambda: 1000)
    assert planned(bytes_of_a_row=10**6).band_rows == TALL


def test_chunks_are_taken_as_asked_where_memory_is_not_limited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "free_memory", lambda: 1000)
    assert planned(bytes_of_a_row=10**6, chunk_rows=64).band_rows == 64


def test_chunks_are_no_larger_than_memory_allows() -> None:
    """The lesser of both counts."""
    row, shape = 10**6, (100_000, 130)
    allowed = 2 * row * (320 + 8)
    assert planned(shape, bytes_of_a_row=row, memory=allowed).band_rows == 320
    assert planned(shape, bytes_of_a_row=row, memory=allowed, chunk_rows=1000).band_rows == 320
    assert planned(shape, bytes_of_a_row=row, memory=allowed, chunk_rows=64).band_rows == 64
    assert planned(shape, bytes_of_a_row=row, memory=allowed - 2).band_rows == 288


def of_a_tile(what: Search, pixels: int, each: int) -> int:
    """Return the bytes that a thread takes: for each pixel of a tile with its reach, as `make_plan` promises.

    Of the scores the rows that a peak fit reads, 100 bytes for moments and the like, and both images' frames.
    """
    rows = min(what.peak_size, 2 * what.margin[0] + 1)
    scores = 4 * rows * (2 * what.margin[1] + 1)
    return pixels * (scores + 100 + 2 * what.frames * each)


@pytest.mark.parametrize(("what", "each", "normalised"), [
    (search(), 8, False),
    (search(), 16, True),
    (search(margin=(2, 3), frames=5), 8, False),
    (search(margin=(0, 3), peak_size=5), 8, False),
    (search(margin=(3, 3), peak="poly_fit", peak_size=5), 8, False),
    (search(weighted=True, frames=5), 108, False),
    (search(beyond=True), 116, True),
])  # fmt: skip
def test_memory_holds_the_bands_and_what_threads_take(
    what: Search, each: int, normalised: bool
) -> None:
    """Half of it is for what files are decoded to; one byte less than is needed is refused."""
    ry, rx = what.reach
    pixels = (TALL + 2 * ry) * (TALL + 2 * rx)
    taken = 3 * of_a_tile(what, pixels, each)
    for row in (1, 10**6):
        band = row * (TALL + 2 * ry)
        need = max(2 * band, band + taken)
        given: dict[str, Any] = {"bytes_of_a_row": row, "normalised": normalised}
        assert planned(what=what, memory=need, **given).band_rows == TALL
        less = need - (2 if need == 2 * band else 1)
        with pytest.raises(
            ValueError, match=f"memory is {less}; this search needs at least"
        ) as error:
            planned(what=what, memory=less, **given)
        assert f"at least {ceil(need / 1e5) / 10:.1f} MB for one row of tiles." in str(error.value)
    assert planned(what=what, memory=1, normalised=normalised).band_rows == 224  # no band is a copy


def test_a_tile_is_no_larger_than_the_image() -> None:
    """Where an image is smaller than a tile with its reach, a band and a thread take the image."""
    what = search()
    need = 20 + 3 * of_a_tile(what, 20 * 24, 8)
    assert planned((20, 24), what, bytes_of_a_row=1, memory=need).band_rows == TALL
    with pytest.raises(ValueError, match="memory is"):
        planned((20, 24), what, bytes_of_a_row=1, memory=need - 1)


def test_starts_and_splines_need_memory_for_what_they_read() -> None:
    row = 10**6
    for more, rows in (({}, 14), ({"refine": "translation"}, 14 + 2 * SPLINE)):
        need = 2 * row * (TALL + 8 + rows)
        what = replace(search(), **more)
        given: dict[str, Any] = {"bytes_of_a_row": row, "starts": (-5, 9)}
        assert planned(what=what, memory=need, **given).band_rows == TALL
        with pytest.raises(ValueError, match=f"at least {ceil(need / 1e5) / 10:.1f} MB"):
            planned(what=what, memory=need - 2, **given)


@pytest.mark.parametrize("name", ["gpu", "hybrid"])
def test_a_gpu_gets_the_whole_image_or_2_gb(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It wants many tiles at once: chunks that are asked for are for CPUs."""
    monkeypatch.setattr(machine, "free_memory", lambda: PLENTY)
    tall = planned(backend_name=name).tile[0]
    shape = 100 * tall, 130
    assert planned(shape, backend_name=name).band_rows == 100 * tall
    assert planned(shape, backend_name=name, chunk_rows=1).band_rows == 100 * tall
    row = 2 * 10**9 // (10 * tall + 8)
    assert planned(shape, backend_name=name, bytes_of_a_row=row).band_rows == 10 * tall
    assert planned(shape, backend_name=name, bytes_of_a_row=row + 10**5).band_rows == 9 * tall
    monkeypatch.setattr(machine, "free_memory", lambda: 4 * 10**6 * (3 * tall + 8))
    assert planned(shape, backend_name=name, bytes_of_a_row=10**6).band_rows == 3 * tall


def test_a_row_of_a_gpus_tiles_is_as_wide_as_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory is counted for that; bands are whole rows of tiles up to the last of the image."""
    monkeypatch.setattr(machine, "free_memory", lambda: PLENTY)
    what, shape = search(), (6390, 130)
    (tall, wide), row = planned(shape, backend_name="gpu").tile, 10**4
    assert wide > 130
    rows = -(-6390 // tall) * tall
    assert planned(shape, backend_name="gpu", bytes_of_a_row=1).band_rows == rows
    given: dict[str, Any] = {"backend_name": "gpu", "bytes_of_a_row": row}
    band, taken = row * (tall + 8), 3 * of_a_tile(what, (tall + 8) * 130, 8)
    need = max(2 * band, band + taken)
    assert planned(shape, what, memory=need, **given).band_rows == tall
    with pytest.raises(ValueError, match=f"at least {ceil(need / 1e5) / 10:.1f} MB for one row"):
        planned(shape, what, memory=need - 2, **given)


# In words


def test_a_plan_can_be_read() -> None:
    """What is searched, how, and why a faster way was refused."""
    plan = plan_of(search=replace(search(frames=4), step=2), notes=("A note.", "Another."))
    assert str(plan).splitlines() == [
        "pearson: window 5 x 7 px, shifts 5 x 7, 4 frame(s) of 100 x 130 px, step 2 px",
        "reference: 42 tiles of up to 16 x 20 px, bands of 32 rows, 3 thread(s)",
        "A note.",
        "Another.",
    ]
    assert "tiles of up to 16 x 19 px" in str(plan_of((100, 19)))


@pytest.mark.parametrize(("shape", "fits"), [
    ((11, 15), True), ((10, 15), False), ((11, 14), False), ((10, 14), False), ((100, 14), False),
    ((10, 100), False),
])  # fmt: skip
def test_an_image_must_hold_one_window_and_its_margin(shape: tuple[int, int], fits: bool) -> None:
    what = search(margin=(3, 4))
    if fits:
        check_size(shape, what.window, what.margin)
        assert planned(shape, what).count() == 1
        return
    words = (
        f"The images are {shape[0]} x {shape[1]} px; a window of 5 x 7 px with margin 4 px needs at least "
        r"11 x 15 px \(window \+ 2 margin\)."
    )
    with pytest.raises(ValueError, match=words):
        check_size(shape, what.window, what.margin)
    with pytest.raises(ValueError, match=words):
        planned(shape, what)


@pytest.mark.parametrize("given", [{}, {"memory": 10**8 + 1}, {"memory": 10**8, "chunk_rows": 64}])
def test_bands_have_a_whole_number_of_rows(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever memory is divided by."""
    monkeypatch.setattr(machine, "free_memory", lambda: 10**7 + 1)
    assert type(planned((100_000, 130), bytes_of_a_row=30_001, **given).band_rows) is int


# Windows


@pytest.mark.parametrize("size", [1, 3, 8, 21])
def test_a_box_weighs_all_pixels_alike(size: int) -> None:
    np.testing.assert_array_equal(window_weights(size, None), np.full(size, 1 / size))


@pytest.mark.parametrize(("name", "inner"), [("hamming", (0.54, 0.46)), ("hann", (0.5, 0.5))])
def test_weights_are_a_raised_cosine_and_sum_to_one(name: str, inner: tuple[float, float]) -> None:
    """Symmetric around the middle pixel."""
    found = window_weights(9, name)
    assert found.dtype == np.float64
    assert found.sum() == pytest.approx(1)
    shape = inner[0] - inner[1] * np.cos(2 * np.pi * np.arange(9) / 8)
    np.testing.assert_allclose(found, shape / shape.sum(), atol=1e-15)
