"""Searches that begin elsewhere: a pair, a field, the whole image's shift, from coarse to fine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shiftfield import Cancelled, ShiftField, find_shift_field
from shiftfield.dense.plans import search_of
from shiftfield.inputs.frames import Frames
from shiftfield.settings import Settings
from shiftfield.starts.binning import binned
from shiftfield.stream.pieces import pieces
from shiftfield.synthetic import speckle

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
SHAPE = (70, 90)
ASKED: dict[str, Any] = {"window": 7, "margin": 3, "device": "cpu"}


def moved(shift: Any, shape: tuple[int, int] = SHAPE, **more: Any) -> tuple[Any, Any]:
    return speckle(shape, seed=2, **more), speckle(shape, seed=2, shift=shift, **more)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["pearson", "umpa_dark"])
@pytest.mark.parametrize("refine", [None, "icgn"])
@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_a_pair_is_the_plain_search_of_a_displaced_reference(
    method: str, refine: Any, device: str
) -> None:
    reference, sample = moved((8.3, -5.6), frames=2)
    asked = ASKED | {"method": method, "refine": refine, "device": device, "step": 2}
    found = find_shift_field(reference, sample, start=(8, -6), **asked)
    displaced = find_shift_field(np.roll(reference, (6, -8), axis=(1, 2)), sample, **asked)
    inner = slice(10, -10), slice(10, -10)
    assert found.valid[inner].all()
    for name, image in displaced.quantities().items():
        wanted = image[inner] + {"x": 8, "y": -6}.get(name, 0) if name != "valid" else image[inner]
        np.testing.assert_allclose(found.quantities()[name][inner], wanted, atol=2e-3, err_msg=name)


def test_each_pixel_searches_around_its_own_start() -> None:
    """Against a plain search for each start, for a smooth field and for a wild one, with pixels left out."""
    random = np.random.default_rng(1)
    reference, sample = moved((2.0, 1.0), (60, 72))
    y, x = np.mgrid[:60, :72]
    smooth = 0.08 * (x - 36), 0.05 * (y - 30)
    wild = tuple(random.integers(-2, 3, (2, 60, 72)).astype(float))
    for start in (smooth, wild):
        found = find_shift_field(reference, sample, start=start, step=2, **ASKED)
        whole = [np.rint(part).astype(int) for part in start]
        for by_x, by_y in set(zip(whole[0].ravel(), whole[1].ravel(), strict=True)):
            here = ((whole[0] == by_x) & (whole[1] == by_y))[::2, ::2]
            alone = find_shift_field(reference, sample, start=(by_x, by_y), step=2, **ASKED)
            np.testing.assert_array_equal(found.valid[here], alone.valid[here])
            np.testing.assert_allclose(found.x[here], alone.x[here], atol=1e-4)
            np.testing.assert_allclose(found.score[here], alone.score[here], atol=1e-5)


def test_a_pair_has_the_bits_of_the_plain_search_of_a_displaced_reference() -> None:
    """In a tile that no border cuts: there both searches see the same pixels."""
    reference, sample = moved((8.3, -5.6), (190, 770))
    found = find_shift_field(reference, sample, start=(8, -6), **ASKED)
    displaced = find_shift_field(np.roll(reference, (6, -8), axis=(0, 1)), sample, **ASKED)
    tile = slice(64, 128), slice(256, 512)
    np.testing.assert_array_equal(found.x[tile], displaced.x[tile] + np.float32(8))
    np.testing.assert_array_equal(found.y[tile], displaced.y[tile] - np.float32(6))
    np.testing.assert_array_equal(found.score[tile], displaced.score[tile])


def test_pieces_cover_each_pixel_once() -> None:
    random = np.random.default_rng(0)
    search = search_of(Settings(window=7, margin=3), 1)
    for spread in (1, 2, 30, 900_000):
        y, x = random.integers(-spread, spread, (2, 37, 50)).astype(np.int32)
        seen = np.zeros(y.shape, int)
        for piece in pieces(y, x, search):
            at = piece.rows, piece.columns
            assert (y[at][piece.mine] == piece.start[0]).all()
            assert (x[at][piece.mine] == piece.start[1]).all()
            seen[at] += piece.mine
        assert (seen == 1).all()


def test_where_the_search_leaves_the_reference_nothing_is_known() -> None:
    reference, sample = moved((20.0, 0.0))
    found = find_shift_field(reference, sample, start=(20, 0), **ASKED)
    edge = 3 + 3
    wanted = np.zeros(SHAPE, bool)
    wanted[edge:-edge, 3 : -edge - 20] = (
        True  # a window needs its radius; its search, the reference
    )
    np.testing.assert_array_equal(found.valid, wanted)
    np.testing.assert_allclose(found.x[wanted], 20, atol=0.6)  # the peak fit of a small window


def test_sixty_px_with_gradients_are_found_from_coarse_to_fine() -> None:
    shape = (360, 480)
    y, x = np.mgrid[: shape[0], : shape[1]]
    truth = 60 + 0.03 * (x - 240) + 0.01 * (y - 180), -25 + 0.02 * (y - 180)
    reference, sample = moved(truth, shape)
    field = find_shift_field(
        reference,
        sample,
        start="pyramid",
        window=15,
        margin=5,
        refine="icgn",
        shape_order=1,
        device="cpu",
    )
    inside = (x + truth[0] < shape[1] - 20) & (y + truth[1] > 20)
    inside[:12], inside[-12:], inside[:, :12], inside[:, -12:] = False, False, False, False
    assert field.valid[inside].mean() > 0.99
    error = np.hypot(field.x - truth[0], field.y - truth[1])[inside & field.valid]
    assert np.median(error) < 0.01
    assert np.mean(error < 0.1) > 0.99


def test_what_is_small_costs_few_pieces() -> None:
    """Strips of one start are searched as they are, and a wild corner does not cut up the rest."""
    search = search_of(Settings(window=7, margin=3), 1)
    y, x = np.mgrid[:64, :256].astype(np.int32)
    assert len(list(pieces(0 * y, x // 32, search))) == 8
    wild = np.where((y < 8) & (x < 8), 5 + y * 8 + x, 0).astype(np.int32)
    boxes = list(pieces(wild, 0 * x, search))
    assert sum(piece.mine.size for piece in boxes) < 1.6 * y.size
    assert len(boxes) < 80


def test_motion_farther_than_any_coarse_search_begins_at_the_shift_of_the_whole() -> None:
    shape = (360, 480)
    y, x = np.mgrid[: shape[0], : shape[1]]
    truth = 150 + 0.02 * (x - 240), -80 + 0.02 * (y - 180)
    reference, sample = moved(truth, shape)
    field = find_shift_field(reference, sample, start="pyramid", window=15, margin=5, device="cpu")
    inside = (x + truth[0] < shape[1] - 20) & (y + truth[1] > 20)
    inside[:12], inside[-12:], inside[:, :12], inside[:, -12:] = False, False, False, False
    error = np.hypot(field.x - truth[0], field.y - truth[1])[inside]
    assert np.mean(error < 0.3) > 0.98  # NaN is not below


def test_binned_images_are_means_of_what_is_known() -> None:
    random = np.random.default_rng(2)
    image = random.random((2, 27, 38)) + 1000
    image[0, 4:9, 7:13] = np.nan
    image[1, 0, 0] = np.inf
    found = binned(Frames(image, "The image"), [2, 4, 8], 4, lambda: None)
    for n in (2, 4, 8):
        tall, wide = 27 // n, 38 // n
        squares = image[:, : tall * n, : wide * n].reshape(2, tall, n, wide, n)
        known = np.isfinite(squares)
        with np.errstate(invalid="ignore"):
            wanted = np.where(known, squares, 0).sum(axis=(2, 4)) / known.sum(axis=(2, 4))
        np.testing.assert_allclose(found[n], wanted, rtol=1e-7)
        assert np.isnan(found[2][0]).any()


@pytest.mark.parametrize("quality", [False, True])
@pytest.mark.parametrize("start", ["global", "pyramid"])
def test_progress_goes_through_all_levels(start: str, quality: bool) -> None:
    seen: list[tuple[int, int]] = []
    find_shift_field(
        *moved((5.0, 3.0), (190, 300)), start=start, quality=quality, device="cpu", window=7, margin=3,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    done, totals = zip(*seen, strict=True)
    assert len(set(totals)) == 1
    assert list(done) == sorted(done)
    assert done[0] == 0
    assert done[-1] == totals[0]


def test_pixels_that_are_not_valid_start_from_the_nearest_that_is() -> None:
    reference, sample = moved((9.0, 4.0))
    first = find_shift_field(reference, sample, start=(9, 4), quality=True, **ASKED)
    wrong = np.zeros(SHAPE, bool)
    wrong[30:40, 30:40] = True
    spoilt = replace(first, x=np.where(wrong, 30, first.x), valid=first.valid & ~wrong)
    found = find_shift_field(reference, sample, start=spoilt, **ASKED)
    np.testing.assert_allclose(found.x[wrong], 9, atol=0.6)


def test_one_start_for_the_whole_image() -> None:
    reference, sample = moved((41.2, -17.4), (200, 240))
    field = find_shift_field(reference, sample, start="global", **ASKED)
    known = field.valid
    assert known[30:-30, 60:-60].all()
    np.testing.assert_allclose(np.median(field.x[known]), 41.2, atol=0.05)
    np.testing.assert_allclose(np.median(field.y[known]), -17.4, atol=0.05)
    assert field.settings.start == "global"


def test_a_field_starts_another_and_its_gaps_take_the_nearest() -> None:
    reference, sample = moved((9.0, 4.0))
    first = find_shift_field(reference, sample, start=(9, 4), step=3, **ASKED)
    assert not first.valid.all()
    second = find_shift_field(reference, sample, start=first, **ASKED)
    assert isinstance(second, ShiftField)
    plain = find_shift_field(reference, sample, start=(9, 4), **ASKED)
    for name, image in plain.quantities().items():
        np.testing.assert_allclose(getattr(second, name), image, atol=1e-4)


def test_neither_threads_nor_memory_change_a_bit() -> None:
    y, x = np.mgrid[:150, :300]
    start = 0.05 * x, -0.1 * y
    reference, sample = moved(start, (150, 300))
    whole = find_shift_field(reference, sample, start=start, ncore=1, **ASKED)

    class Slow:
        def __init__(self, data: NDArray[np.float32]) -> None:
            self.data, self.shape, self.dtype = data, data.shape, data.dtype

        def __getitem__(self, at: Any) -> NDArray[np.float32]:
            return self.data[at].copy()

    read = find_shift_field(Slow(reference), Slow(sample), start=start, memory="12 MB", **ASKED)
    for name, image in whole.quantities().items():
        np.testing.assert_array_equal(getattr(read, name), image)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("middle", r"start is 'middle'; allowed are None, 'global', 'pyramid'"),
        ((1, 2, 3), r"start is \(1, 2, 3\); allowed are None, 'global', 'pyramid', a pair"),
        (7, r"start is 7; allowed are"),
        ((np.zeros((3, 3)), 0), r"The x of start has shape \(3, 3\); allowed are \(\) and \(70, 90\)"),
        ((np.nan, 0), "start holds no finite shift"),
        ((1e9, 0), "start holds a shift of 1e"),
    ],
)  # fmt: skip
def test_what_is_no_start_is_refused(start: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        find_shift_field(*moved((0.0, 0.0)), start=start, **ASKED)


def test_images_too_small_for_a_pyramid_say_so() -> None:
    with pytest.raises(ValueError, match="needs at least 45 x 45 px"):
        find_shift_field(*moved((0.0, 0.0), (40, 60)), start="pyramid", **ASKED)


def test_coarse_levels_are_cancelled_too() -> None:
    with pytest.raises(Cancelled):
        find_shift_field(*moved((0.0, 0.0), (120, 120)), start="pyramid", cancel=lambda: True)


def test_dask_arrays_are_refused_in_a_sentence() -> None:
    da = pytest.importorskip("dask.array")
    reference, sample = (da.from_array(image) for image in moved((0.0, 0.0)))
    words = "start is 'global' for dask arrays; it needs arrays that are read at once"
    with pytest.raises(ValueError, match=words):
        find_shift_field(reference, sample, start="global", **ASKED)
