"""Bands of rows in, tiles to threads, answers out: what a tile is given, where answers go, how a run is seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scenes import Recording

from shiftfield.engine import Answer, Block, Search, Stop, Tile
from shiftfield.engine.base import SPLINE, blank
from shiftfield.engine.reference import ReferenceBackend
from shiftfield.inputs.frames import Frames
from shiftfield.inputs.normalisation import AsGiven, Divisors, FlatRows
from shiftfield.stream.bands import (
    Band,
    Cancelled,
    Input,
    Watch,
    Work,
    bands,
    compute,
    cut,
    in_floats,
    mirrored,
    place,
    rows_of,
    run,
)
from shiftfield.stream.pieces import Starts
from shiftfield.stream.plan import Plan, window_weights

Array = NDArray[Any]
SHAPE = HEIGHT, WIDTH = 27, 31
RADIUS, REACH = (1, 2), (2, 4)  # (y, x), px: a window of 3 x 5 px with a margin of 1 x 2 px
COUNT = 4 * 3  # tiles of 8 x 12 px that hold pixels within reach of both inputs
RNG = np.random.default_rng(0)
SCENE = RNG.random((2, 70, 80)).astype(np.float32)


def scene(y: int = 0, x: int = 0) -> Array:
    """Return two frames of a texture, moved by whole px: at p what lies at p + (y, x) of the unmoved one."""
    return SCENE[:, 20 + y : 20 + y + HEIGHT, 20 + x : 20 + x + WIDTH]


def search(**more: Any) -> Search:
    """Return a search with windows of 3 x 5 px and a margin of 1 x 2 px."""
    weights = window_weights(3, None), window_weights(5, None)
    given: dict[str, Any] = {
        "method": "pearson", "frames": 2, "weights": weights, "margin": (1, 2), "peak": "diff", "peak_size": 3,
    }  # fmt: skip
    return Search(**given | more)


def plan_of(what: Search | None = None, **more: Any) -> Plan:
    """Return a plan of small tiles in two bands for the reference backend."""
    given: dict[str, Any] = {
        "shape": SHAPE, "backend": "reference", "tile": (8, 12), "band_rows": 16, "workers": 2,
    }  # fmt: skip
    return Plan(what or search(), **given | more)


def work_of(reference: Any, sample: Any, plan: Plan | None = None, **more: Any) -> Work:
    """Return work on two stacks as they are."""
    inputs = (
        Input(frames, AsGiven(frames))
        for frames in (Frames(reference, "The reference"), Frames(sample, "The sample"))
    )
    return Work(plan or plan_of(), *inputs, **more)


def inside(edge: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pixels are at least `edge` (y, x) from the border."""
    found = np.zeros(SHAPE, dtype=bool)
    found[edge[0] : HEIGHT - edge[0], edge[1] : WIDTH - edge[1]] = True
    return found


def whole_pixels(found: Answer, known: Array, y: Any, x: Any) -> None:
    """Assert that shifts are known in some places only, and are those of whole px there."""
    for image, wanted in ((found.x, x), (found.y, y)):
        np.testing.assert_array_equal(np.isfinite(image), known)
        np.testing.assert_array_equal(
            np.rint(image)[known], np.broadcast_to(wanted, known.shape)[known]
        )
    np.testing.assert_allclose(found.score[known], 1, atol=1e-6)


# Runs


@pytest.mark.parametrize(
    ("band_rows", "backed"), [(8, Recording), (16, np.asarray), (32, Recording)]
)
def test_a_moved_texture_is_found_wherever_a_search_fits(
    band_rows: int, backed: Callable[[Array], Any]
) -> None:
    """From memory and from what is read, in any bands."""
    work = work_of(backed(scene(-1, 2)), backed(scene()), plan_of(band_rows=band_rows))
    (found,) = run([work], Watch())
    whole_pixels(found, inside(REACH), 1, -2)


@pytest.mark.parametrize("step", [3, 9])
def test_with_a_step_the_answer_has_every_step_th_pixel(step: int) -> None:
    (found,) = run([work_of(scene(1, -1), scene(), plan_of(search(step=step)))], Watch())
    (every,) = run([work_of(scene(1, -1), scene())], Watch())
    for name in ("x", "y", "score"):
        np.testing.assert_array_equal(getattr(found, name), getattr(every, name)[::step, ::step])


def test_what_is_read_is_read_once_for_all_works() -> None:
    """Two searches of the same inputs, one of which reaches farther: each row is read one time."""
    reference, sample = Recording(scene(0, 1)), Recording(scene())
    first = work_of(reference, sample)
    second = replace(first, plan=plan_of(search(margin=(0, 4))))
    one, other = run([first, second], Watch())
    assert reference.passes == sample.passes == 1
    whole_pixels(one, inside(REACH), 0, -1)
    known = inside((1, 6))
    np.testing.assert_array_equal(np.isfinite(other.x), known)
    np.testing.assert_array_equal(np.rint(other.x)[known], -1)
    np.testing.assert_array_equal(other.y, np.zeros(SHAPE))  # not searched


class Gains:
    """Division of each row by a gain of its own."""

    def __init__(self, gains: Array) -> None:
        self.gains = gains

    def of_band(self, rows: Any, start: int) -> Divisors:
        """Return the gains of the rows from `start` on."""
        return Divisors(0.0, np.ones((1, 1, 1)), self.gains[None, start : start + rows.shape[1]])


def test_each_input_is_normalised_as_it_says() -> None:
    """Gains of rows are taken out of the reference alone, which alone has them."""
    gains = 2.0 ** RNG.integers(-3, 4, (HEIGHT, 1))
    given = work_of(gains * scene(0, 1), scene())
    flat = replace(given.reference, normaliser=Gains(gains))
    (found,) = run([replace(given, reference=flat)], Watch())
    whole_pixels(found, inside(REACH), 0, -1)
    other = replace(given.sample, normaliser=Gains(gains))
    for wrong in (given, replace(given, sample=other)):
        (found,) = run([wrong], Watch())
        assert np.nanmean(found.score > 0.99) < 0.1


@pytest.mark.parametrize(("band_rows", "step", "start"), [
    (8, 1, (-7, 9)), (16, 1, (4, -8)), (32, 3, (-7, 9)), (16, 2, (4, -8)), (16, 1, (0, 0)),
])  # fmt: skip
def test_each_pixel_is_searched_around_its_start(
    band_rows: int, step: int, start: tuple[int, int]
) -> None:
    """Where the texture is moved farther than the margin, pixels that start there are found, their start in it.

    The others, which start at 0, are searched where they are; none whose search leaves the reference is.
    """
    y, x = (np.full(SHAPE, n, np.int32) for n in start)
    y[25:], x[:, 25:] = 0, 0
    searched_around(Starts(y, x), start, band_rows, step)


@pytest.mark.parametrize("step", [3, 5])
def test_starts_that_lie_among_others_are_each_for_its_own_pixel(step: int) -> None:
    """Pixel by pixel one start or the other, drawn by chance."""
    for start in ((-7, 9), (4, -8)):
        mine = RNG.random(SHAPE) < 0.6
        y, x = (np.where(mine, n, 0).astype(np.int32) for n in start)
        searched_around(Starts(y, x), start, 16, step)


def searched_around(starts: Starts, start: tuple[int, int], band_rows: int, step: int) -> None:
    """Assert what is known, and right, of a texture that is moved to 1 px from where some pixels start."""
    y, x = starts.y, starts.x
    moved_by = start[0] + 1, start[1] - 1
    plan = plan_of(search(step=step), band_rows=band_rows, starts=starts.rows)
    reference = scene(-moved_by[0], -moved_by[1])
    (found,) = run([work_of(reference, scene(), plan, starts=starts)], Watch())
    rows, columns = np.indices(SHAPE)
    known = inside(RADIUS)
    for at, begin, size, reach in ((rows, y, HEIGHT, REACH[0]), (columns, x, WIDTH, REACH[1])):
        known &= (at + begin >= reach) & (at + begin < size - reach)
    right = (known & (y == start[0]) & (x == start[1]))[::step, ::step]
    assert right.any()
    np.testing.assert_array_equal(np.isfinite(found.x), known[::step, ::step])
    np.testing.assert_array_equal(np.rint(found.y[right]), moved_by[0])
    np.testing.assert_array_equal(np.rint(found.x[right]), moved_by[1])
    np.testing.assert_allclose(found.score[right], 1, atol=1e-6)


def test_one_start_is_a_plain_search_of_a_displaced_reference() -> None:
    """To the bit, sub-pixel fit and all."""
    noisy = scene() + 0.1 * RNG.random(scene().shape, np.float32)
    starts = Starts(np.full(SHAPE, 4, np.int32), np.full(SHAPE, -6, np.int32))
    plan = plan_of(starts=starts.rows)
    (found,) = run([work_of(scene(-4, 6), noisy, plan, starts=starts)], Watch())
    (plain,) = run([work_of(scene(), noisy)], Watch())
    both = inside(REACH)
    both[HEIGHT - 2 - 4 :], both[:, : 4 + 6] = False, False
    np.testing.assert_array_equal(np.isfinite(found.x) & np.isfinite(plain.x), both)
    np.testing.assert_array_equal(found.y[both], plain.y[both] + np.float32(4))
    np.testing.assert_array_equal(found.x[both], plain.x[both] + np.float32(-6))
    np.testing.assert_array_equal(found.score[both], plain.score[both])


@pytest.mark.parametrize(("move_y", "move_x"), [(4, -2), (2, -6)])
def test_windows_beyond_the_image_are_answered_from_what_lies_inside(
    move_y: int, move_x: int
) -> None:
    """Around a start too: to the last row and column whose window reaches into the reference by a third."""
    starts = Starts(
        np.full(SHAPE, 3, np.int32), np.full(SHAPE, -4, np.int32)
    )  # as far as the margin
    plan = plan_of(search(beyond=True, coverage=0.3), starts=starts.rows, tile=(16, 16))
    (found,) = run([work_of(scene(-move_y, -move_x), scene(), plan, starts=starts)], Watch())
    rows, columns = slice(0, HEIGHT - move_y + 1), slice(-move_x - 1, WIDTH)
    right = (np.rint(found.y) == move_y) & (np.rint(found.x) == move_x)
    assert right[rows, columns].mean() > 0.97
    assert right[rows, columns][-1].mean() > 0.8
    assert right[rows, columns][:, 0].mean() > 0.8
    assert np.isnan(found.x[-1]).all()


def test_pixels_of_weight_0_take_no_part() -> None:
    """A fifth of the sample is spoilt and masked: the shift is found from the rest, band by band."""
    wrong = RNG.random(scene().shape) < 0.2
    sample = np.where(wrong, 50, scene()).astype(np.float32)
    weights = Frames(np.where(wrong, 0.0, 1.0), "The weights")
    plan = plan_of(search(weighted=True), tile=(16, 16))
    (found,) = run([work_of(scene(-1, 1), sample, plan, weights=(None, weights))], Watch())
    whole_pixels(found, inside(REACH), 1, -1)


# How a run is seen and stopped


def test_progress_counts_tiles_from_0_to_all() -> None:
    seen: list[tuple[int, int]] = []
    plan = plan_of()
    watch = Watch(progress=lambda *at: seen.append(at), done=5, total=5 + plan.count())
    run([work_of(scene(), scene(), plan)], watch)
    done, totals = zip(*seen, strict=True)
    assert done[0] == 5
    assert done[-1] == 5 + plan.count() == 5 + COUNT
    assert list(done) == sorted(set(done))
    assert set(totals) == {5 + plan.count()}


def test_progress_through_all_works_ends_at_their_sum() -> None:
    seen: list[int] = []
    work = work_of(scene(), scene())
    rare = replace(
        work, plan=plan_of(search(step=10))
    )  # a wanted pixel in two rows of tiles, in two columns
    run([work, rare], Watch(lambda done, _: seen.append(done)))
    assert seen[0] == 0
    assert seen[-1] == COUNT + 2 * 2


def test_parts_of_several_searches_are_one_progress() -> None:
    seen: list[tuple[int, int]] = []
    watch = Watch(lambda *at: seen.append(at), total=10)
    watch.part(3, 7).step(2)
    watch.part(0, 0).step(4)
    assert seen == [(3 + 2, 3 + 10 + 7), (4, 10)]
    Watch(lambda *at: seen.append(at)).step(0)
    assert seen[-1] == (0, 0)
    silent = Watch(cancel=lambda: False)
    assert silent.part(3, 7) is silent


class Lamp:
    """What has is_set(), and cannot be called."""

    def __init__(self, on: bool) -> None:
        self.on = on

    def is_set(self) -> bool:
        """Return whether it is on."""
        return self.on


@pytest.mark.parametrize("cancel", [lambda: True, Lamp(True), lambda: 1])
def test_a_run_that_is_cancelled_returns_nothing(cancel: Any) -> None:
    watch = Watch(cancel=cancel)
    with pytest.raises(Cancelled, match=r"^The search was cancelled\.$"):
        watch.look()
    seen: list[int] = []
    with pytest.raises(Cancelled):
        run([work_of(scene(), scene())], Watch(lambda done, _: seen.append(done), cancel))
    assert seen == []


@pytest.mark.parametrize("cancel", [None, lambda: False, Lamp(False), threading.Event()])
def test_a_run_that_is_not_cancelled_goes_on(cancel: Any) -> None:
    Watch(cancel=cancel).look()
    Watch(cancel=cancel).step(3)


@pytest.mark.parametrize(("given", "words"), [
    ({"progress": 5}, r"progress is 5; it must be callable as progress\(done, total\), or None\."),
    ({"cancel": 5}, r"cancel is 5; it must be callable, have is_set\(\) as a threading.Event, or be None\."),
])  # fmt: skip
def test_what_cannot_watch_is_refused_before_the_work(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Watch(**given)


def test_cancelling_is_seen_while_a_tile_is_computed() -> None:
    """The one tile waits for cores that nobody gives until the caller, who looks meanwhile, asks to stop."""
    looks, free = [0], threading.Event()

    @contextmanager
    def cores() -> Any:
        free.wait(10)
        yield

    def cancel() -> bool:
        looks[0] += 1
        return looks[0] > 4

    plan = plan_of(tile=(32, 32), band_rows=32)
    began = time.monotonic()
    with pytest.raises(Cancelled):
        run([work_of(scene(), scene(), plan)], Watch(cancel=cancel, cores=cores()))
    assert looks[0] == 5
    assert 0.05 < time.monotonic() - began < 2
    free.set()


def test_an_error_in_a_tile_reaches_the_caller() -> None:
    """Whatever else is in work is left."""

    class Broken:
        def __enter__(self) -> None:
            raise KeyError("mine")

        def __exit__(self, *_: object) -> None:
            """Nothing was entered."""

    with pytest.raises(KeyError, match="mine"):
        run([work_of(scene(), scene())], Watch(cores=Broken()))


def test_every_tile_is_computed_on_cores_of_the_watch() -> None:
    """Once for each, entered and left."""
    events: list[str] = []

    class Cores:
        def __enter__(self) -> None:
            events.append("in")

        def __exit__(self, *_: object) -> None:
            events.append("out")

    plan = plan_of()
    run([work_of(scene(), scene(), plan)], Watch(cores=Cores()))
    assert events.count("in") == events.count("out") == plan.count()


def test_at_most_two_bands_are_in_work() -> None:
    """The third is read only when all tiles of the first are done."""
    events: list[tuple[str, int]] = []

    class Told(Recording):
        def __getitem__(self, at: Any) -> Array:
            found = super().__getitem__(at)
            events.append(("read", sum(1 for kind, _ in events if kind == "read") + 1))
            return found

    plan = plan_of(band_rows=8)
    watch = Watch(lambda done, _: events.append(("done", done)))
    run([work_of(Told(scene()), scene(), plan)], watch)
    assert sum(1 for kind, _ in events if kind == "read") == 4
    for kind, number in events:
        if kind == "read" and number > 2:
            before = events[: events.index((kind, number))]
            assert max(n for what, n in before if what == "done") >= 3 * (number - 2)


def test_a_band_is_read_while_another_is_computed() -> None:
    """The first tiles wait until the second band is read."""
    read, waited, reads = threading.Event(), [], []

    class Told(Recording):
        def __getitem__(self, at: Any) -> Array:
            reads.append(at)
            if len(reads) == 2:
                read.set()
            return super().__getitem__(at)

    class Cores:
        def __enter__(self) -> None:
            waited.append(read.wait(2))

        def __exit__(self, *_: object) -> None:
            """Nothing was taken."""

    run([work_of(Told(scene()), scene())], Watch(cores=Cores()))
    assert len(waited) == COUNT
    assert all(waited)


# Which tiles a band has


@pytest.mark.parametrize(("start", "stop", "wanted"), [
    (0, 8, (2, 8)), (8, 24, (8, 24)), (1, 8, (8, 8)), (1, 9, (8, 16)), (24, 32, (24, 25)), (0, 100, (2, 25)),
])  # fmt: skip
def test_a_row_of_tiles_belongs_to_where_it_begins(
    start: int, stop: int, wanted: tuple[int, int]
) -> None:
    assert rows_of(plan_of(), start, stop) == wanted


def test_bands_bring_the_rows_that_their_tiles_read() -> None:
    """Of all works together: the second reaches 5 px above and below its tiles."""
    image = np.broadcast_to(np.arange(HEIGHT, dtype=np.float32)[:, None], SHAPE)
    first = work_of(image, image)
    second = replace(first, plan=plan_of(search(margin=(4, 0))))
    found = list(bands([first, second]))
    assert [(work is first, band.top) for work, band, _ in found] == [
        (True, 0), (False, 0), (True, 16 - 5), (False, 16 - 5),
    ]  # fmt: skip
    for work, band, tiles in found:
        rows = band.raw[0][0, :, 0]
        np.testing.assert_array_equal(rows, np.arange(rows.size) + band.top)
        np.testing.assert_array_equal(rows, band.raw[1][0, :, 0])
        assert rows[-1] == (15 + 5 if band.top == 0 else HEIGHT - 1)
        edge = work.plan.border[0]
        assert min(tile.y0 for tile in tiles) == max(edge, 16 * (band.top > 0))
        assert max(tile.y1 for tile in tiles) == (16 if band.top == 0 else HEIGHT - edge)
        assert band.divisors == (None, None)
        assert band.weights == (None, None)


def test_a_tall_image_has_bands_to_its_last_row() -> None:
    image = np.zeros((60, 20), np.float32)
    found = [
        tile
        for *_, tiles in bands([work_of(image, image, plan_of(shape=(60, 20)))])
        for tile in tiles
    ]
    assert (found[0].y0, found[-1].y1) == (2, 58)
    assert sum((tile.y1 - tile.y0) * (tile.x1 - tile.x0) for tile in found) == 56 * 12


def test_bands_bring_the_weights_of_their_rows() -> None:
    """Of either input, or of both."""
    y = np.broadcast_to(np.arange(HEIGHT, dtype=np.float32)[:, None], SHAPE)
    weights = Frames(y, "The weights")
    for given in ((weights, None), (None, weights), (weights, weights)):
        work = work_of(scene(), scene(), plan_of(search(weighted=True)), weights=given)
        for _, band, _ in bands([work]):
            for one, stored in zip(given, band.weights, strict=True):
                if one is None:
                    assert stored is None
                else:
                    np.testing.assert_array_equal(stored, y[None, band.top :][:, : stored.shape[1]])
                    assert stored.shape[1] == band.raw[0].shape[1]


def test_a_band_without_a_wanted_pixel_is_not_offered() -> None:
    """With every 20th row wanted, only the row of tiles from 16 on has one."""
    plan = plan_of(search(step=20), band_rows=8)
    found = list(bands([work_of(scene(), scene(), plan)]))
    assert [tiles for *_, tiles in found] == [[Tile(16, 24, 12, 24)]]


def test_rows_at_the_border_that_hold_no_tile_are_not_read() -> None:
    """An edge of 8 rows leaves 8 to 18: there is nothing to read for before, nor after."""
    plan = plan_of(search(margin=(7, 1)), band_rows=8)
    image = Recording(scene())
    found = list(bands([work_of(image, scene(), plan)]))
    assert [(tiles[0].y0, tiles[-1].y1) for *_, tiles in found] == [(8, 16), (16, 19)]
    assert image.reads == [2 * 24 * WIDTH, 2 * 3 * WIDTH]


# What a tile is given


def numbered(top: int = 0) -> Band:
    """Return a band whose pixels say where they are, 1000 y + x, a half more in the sample; two frames."""
    y, x = np.indices(SHAPE)
    image = np.stack([1000 * y + x, 2000 * y + x])[:, top:].astype(np.float64)
    return Band(top, (image, image + 0.5))


def at(band: Band, which: int, rows: Any, columns: Any) -> Array:
    """Return pixels of reference (0) or sample (1) of a band by their place in the image."""
    return np.asarray(band.raw[which][:, np.asarray(rows)[:, None] - band.top, np.asarray(columns)])


TILE = Tile(12, 17, 11, 20)


@pytest.mark.parametrize("top", [0, 5])
@pytest.mark.parametrize("start", [(0, 0), (2, -3), (-2, 4)])
def test_a_tile_is_given_the_pixels_that_its_search_reads(top: int, start: tuple[int, int]) -> None:
    """The reference within reach of its start, the sample half a window around it."""
    band = numbered(top)
    block = cut(plan_of(), band, TILE, start)
    y, x = start
    wanted = at(band, 0, np.arange(12 - 2 + y, 17 + 2 + y), np.arange(11 - 4 + x, 20 + 4 + x))
    np.testing.assert_array_equal(block.reference, wanted)
    wanted = at(band, 1, np.arange(12 - 1, 17 + 1), np.arange(11 - 2, 20 + 2))
    np.testing.assert_array_equal(block.sample, wanted)
    assert block.raw_reference is block.reference
    assert block.raw_sample is block.sample
    assert block.around is block.weights is block.inside is None


def test_by_default_a_search_starts_where_the_pixel_is() -> None:
    block, same = (cut(plan_of(), numbered(), TILE, *start) for start in ((), ((0, 0),)))
    np.testing.assert_array_equal(block.reference, same.reference)


def test_a_tile_is_given_its_pixels_normalised_and_as_they_were() -> None:
    """Each over the sum over frames and over the mean of its row, of its own rows and columns."""
    band = numbered(5)
    reference, sample = (FlatRows(Frames(raw, "rows")).of_band(raw, 5) for raw in band.raw)
    plain = cut(plan_of(), band, TILE, (1, 2))
    block = cut(plan_of(), replace(band, divisors=(reference, sample)), TILE, (1, 2))
    np.testing.assert_array_equal(block.raw_reference, plain.reference)
    np.testing.assert_array_equal(block.raw_sample, plain.sample)
    whole = Band(
        5, tuple(raw / raw.sum(axis=0) / raw.mean(axis=2, keepdims=True) for raw in band.raw)
    )
    flat = cut(plan_of(), whole, TILE, (1, 2))
    np.testing.assert_allclose(block.reference, flat.reference)
    np.testing.assert_allclose(block.sample, flat.sample)


@pytest.mark.parametrize("start", [(0, 0), (3, -4)])
def test_for_splines_a_tile_is_given_more_mirrored_at_the_borders(start: tuple[int, int]) -> None:
    """Around the reference where the search starts, around the sample where the tile is."""
    band = numbered()
    around = cut(plan_of(search(refine="translation")), band, TILE, start).around
    assert around is not None
    mirror = [np.pad(np.arange(n), 60, mode="reflect") for n in SHAPE]
    for which, (y, x), (tall, wide) in ((0, start, REACH), (1, (0, 0), RADIUS)):
        tall, wide = tall + SPLINE, wide + SPLINE
        rows = mirror[0][60 + 12 + y - tall : 60 + 17 + y + tall]
        columns = mirror[1][60 + 11 + x - wide : 60 + 20 + x + wide]
        np.testing.assert_array_equal(around[which], at(band, which, rows, columns))


def test_for_splines_masked_pixels_are_no_numbers() -> None:
    weights = np.ones((1, *SHAPE))
    weights[0, 15, 18] = 0
    plan = plan_of(search(refine="translation", weighted=True))
    block = cut(plan, replace(numbered(), weights=(weights, None)), TILE)
    assert block.around is not None
    wrong = np.isnan(block.around[0])
    assert wrong[:, 15 - (12 - 2 - SPLINE), 18 - (11 - 4 - SPLINE)].all()
    assert not np.isnan(block.around[1]).any()


def test_weights_come_with_the_pixels_they_belong_to() -> None:
    y, x = np.indices(SHAPE)
    weights = (1.0 + y + 100 * x)[None]
    plan = plan_of(search(weighted=True))
    block = cut(plan, replace(numbered(), weights=(weights, None)), TILE, (1, 2))
    assert block.weights is not None
    part = weights[:, 12 - 2 + 1 : 17 + 2 + 1, 11 - 4 + 2 : 20 + 4 + 2]
    np.testing.assert_allclose(block.weights[0], part / part.max())
    np.testing.assert_array_equal(block.weights[1], np.ones((1, 5 + 2, 9 + 4)))
    assert cut(plan, numbered(), TILE).weights is None


ALL = Tile(0, HEIGHT, 0, WIDTH)


@pytest.mark.parametrize(("tile", "start", "wanted"), [
    (TILE, (0, 0), None),
    (Tile(2, 25, 4, 27), (0, 0), None),
    (ALL, (0, 0), Tile(2, 25, 4, 27)),
    (Tile(1, 8, 12, 24), (0, 0), Tile(2, 8, 12, 24)),
    (Tile(8, 26, 12, 24), (0, 0), Tile(8, 25, 12, 24)),
    (Tile(8, 16, 3, 24), (0, 0), Tile(8, 16, 4, 24)),
    (Tile(8, 16, 12, 28), (0, 0), Tile(8, 16, 12, 27)),
    (ALL, (-1, -1), Tile(3, 26, 5, 28)),
    (ALL, (1, 1), Tile(1, 24, 3, 26)),
    (ALL, (5, 6), Tile(1, 20, 2, 21)),
    (ALL, (-5, -6), Tile(7, 26, 10, 29)),
])  # fmt: skip
def test_where_windows_may_leave_the_image_a_tile_knows_what_stays_inside(
    tile: Tile, start: tuple[int, int], wanted: Tile | None
) -> None:
    """Pixels whose window lies in the sample and whose search, around its start, in the reference."""
    block = cut(plan_of(search(beyond=True)), numbered(), tile, start)
    assert block.inside == wanted
    assert block.reference.shape[1:] == (tile.y1 - tile.y0 + 4, tile.x1 - tile.x0 + 8)


@pytest.mark.parametrize(("tile", "reach"), [
    (Tile(10, 14, 10, 15), (3, 4)), (Tile(0, 4, 10, 15), (3, 4)), (Tile(23, 27, 10, 15), (3, 4)),
    (Tile(10, 14, 0, 5), (3, 4)), (Tile(10, 14, 26, 31), (3, 4)), (Tile(0, 27, 0, 31), (2, 3)),
    (Tile(10, 14, 10, 15), (0, 0)), (Tile(-1, 3, 28, 32), (3, 3)), (Tile(10, 14, 4, 27), (3, 4)),
    (Tile(3, 24, 10, 15), (3, 4)),
])  # fmt: skip
def test_a_mirror_repeats_no_border_pixel(tile: Tile, reach: tuple[int, int]) -> None:
    """As NumPy's "reflect" of the whole image, whichever rows a band holds."""
    image, far = RNG.random((2, *SHAPE)), 10
    whole = np.pad(image, ((0, 0), (far, far), (far, far)), mode="reflect")
    (y0, y1), (x0, x1) = (
        (far + first - more, far + last + more)
        for first, last, more in ((tile.y0, tile.y1, reach[0]), (tile.x0, tile.x1, reach[1]))
    )
    for top in {0, max(tile.y0 - reach[0], 0)}:
        found = mirrored(image[:, top:], top, SHAPE, reach, tile)
        np.testing.assert_array_equal(found, whole[:, y0:y1, x0:x1])


def test_inside_the_image_nothing_is_mirrored_or_copied() -> None:
    """Up to its first and its last pixel."""
    image = RNG.random((2, *SHAPE))
    for tile in (Tile(8, 16, 8, 16), Tile(3, 24, 3, 28)):
        assert np.shares_memory(mirrored(image, 0, SHAPE, (3, 3), tile), image)


@pytest.mark.parametrize(("stored", "floats"), [
    (np.uint8, np.float32), (np.int16, np.float32), (np.float32, np.float32), (np.float16, np.float32),
    (np.int32, np.float64), (np.float64, np.float64), (">f4", np.float32),
])  # fmt: skip
def test_engines_get_floats(stored: Any, floats: Any) -> None:
    """float32 where it holds every number; what was one array stays one, and the rest goes along."""
    raw = [np.arange(1 + n, 7 + n).reshape(1, 2, 3).astype(stored) for n in range(6)]
    weights, inside_ = (np.ones(1), np.ones(1)), Tile(0, 1, 0, 1)
    block = in_floats(Block(raw[0], raw[1], raw[0], raw[1], None, weights, inside_))
    assert block.raw_reference is block.reference
    assert block.raw_sample is block.sample
    assert block.around is None
    assert block.weights is weights
    assert block.inside is inside_
    full = in_floats(Block(raw[0], raw[1], raw[2], raw[3], (raw[4], raw[5])))
    assert full.around is not None
    for n, part in enumerate(
        (full.reference, full.sample, full.raw_reference, full.raw_sample, *full.around)
    ):
        assert part.dtype == np.dtype(floats)
        assert part.dtype.isnative
        np.testing.assert_array_equal(part, raw[n])


# What becomes of an answer


@pytest.mark.parametrize("step", [1, 3])
def test_an_answer_is_placed_where_its_tile_lies(step: int) -> None:
    """Wanted pixels of a tile, in every image that the search gives; nothing else is touched."""
    what = search(step=step, quality=True)
    shape = tuple(-(-n // step) for n in SHAPE)
    out, tile = blank(what, shape), Tile(8, 17, 11, 25)
    y, x = np.indices(SHAPE)
    numbers = (100 * y + x).astype(np.float32)
    part = numbers[8:17, 11:25][-8 % step :: step, -11 % step :: step]
    known = [part + n for n in range(3)]
    answer = Answer.of(
        known, second_peak=part + 3, texture=part + 4, flags=np.ones(part.shape, np.uint16)
    )
    place(answer, tile, step, out)
    here = ((y >= 8) & (y < 17) & (x >= 11) & (x < 25))[::step, ::step]
    for n, name in enumerate(("x", "y", "score", "second_peak", "texture")):
        wanted = np.where(here, numbers[::step, ::step] + n, np.nan)
        np.testing.assert_array_equal(getattr(out, name), wanted)
    np.testing.assert_array_equal(out.flags, here.astype(np.uint16))
    assert np.isnan(out.transmission).all()


def test_a_tile_that_was_called_off_is_not_computed() -> None:
    plan, stop = plan_of(), Stop()
    block = cut(plan, Band(0, (scene(), scene())), TILE)
    assert compute(plan, ReferenceBackend(), block, TILE, stop) is not None
    stop.set()
    assert compute(plan, ReferenceBackend(), block, TILE, stop) is None
