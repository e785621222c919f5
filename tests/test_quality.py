"""What speaks against a pixel: each bit where it must be and nowhere else, on made scenes and on real pairs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shiftfield import Cancelled, Quality, ShiftField, Thresholds, find_shift_field
from shiftfield.checks.neighbours import median_residual
from shiftfield.checks.way_back import backward_starts, distance
from shiftfield.dense.two_axes import search_2d
from shiftfield.engine.base import Answer
from shiftfield.field.quality_look import colour
from shiftfield.inputs.frames import Frames
from shiftfield.samples import cylinder_flow, tensile_test
from shiftfield.settings import Settings
from shiftfield.stream.bands import Watch
from shiftfield.stream.pieces import Starts
from shiftfield.synthetic import speckle

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
Bits = NDArray[np.bool_]


def bit(field: ShiftField, which: Quality) -> Bits:
    assert field.quality is not None
    return (field.quality & which) != 0


def pair(shape: tuple[int, int] = (60, 80), shift: Any = (1.3, -0.6), **more: Any) -> Any:
    return speckle(shape, seed=4, **more), speckle(shape, seed=4, shift=shift, **more)


@pytest.mark.parametrize(
    ("method", "frames", "weight", "step"),
    [("pearson", 1, None, 1), ("umpa", 2, "hamming", 2), ("umpa_dark", 2, None, 3)],
)
def test_second_peak_texture_and_border_are_what_the_maps_say(
    method: str, frames: int, weight: str | None, step: int
) -> None:
    random = np.random.default_rng(0)
    reference, sample = (
        image.reshape(frames, 40, 50) + random.normal(0, 0.05, (frames, 40, 50))
        for image in pair((40, 50), (3.6, 1.0), frames=frames)
    )
    answers: list[Answer] = []
    for device in ("cpu", "reference"):
        settings = Settings(
            method=method, window=7, margin=4, weight=weight, step=step, quality=True, device=device
        )
        inputs = Frames(reference, "The reference"), Frames(sample, "The sample")
        answers.append(search_2d(*inputs, settings, Watch()))
    found, wanted = answers
    for name in ("second_peak", "texture"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(wanted, name), rtol=1e-4, atol=1e-5
        )
    np.testing.assert_array_equal(found.flags, wanted.flags)
    assert 0 < np.mean(wanted.flags != 0) < 1


def test_nothing_speaks_against_a_good_match() -> None:
    field = find_shift_field(*pair(), window=11, margin=4, quality=True)
    edge = 5 + 4
    inside = np.s_[edge:-edge, edge:-edge]
    assert field.valid[inside].all()
    assert bit(field, Quality.NO_ANSWER)[:edge].all()
    assert field.second_peak is not None
    assert (field.second_peak[inside] < 0.9).all()
    assert "nothing speaks against it" in field.reasons(30, 40)


def test_a_margin_too_small_is_said() -> None:
    field = find_shift_field(*pair(shift=(6.0, 0.0), sigma=4.0), window=11, margin=4, quality=True)
    border = bit(field, Quality.PEAK_AT_BORDER)
    assert border[12:-12, 12:-12].mean() > 0.9
    assert not field.valid[border].any()
    row, column = np.argwhere(border)[len(np.argwhere(border)) // 2]
    assert "the margin is too small" in field.reasons(int(row), int(column))


def test_a_pattern_that_repeats_has_a_second_peak() -> None:
    tile = speckle((16, 6), seed=1, sigma=1.0)
    reference = np.tile(tile, (4, 14))
    random = np.random.default_rng(0)
    sample = reference + random.normal(0, 0.01, reference.shape)
    field = find_shift_field(reference, sample, window=9, margin=9, quality=True)
    assert bit(field, Quality.SECOND_PEAK)[15:-15, 15:-15].mean() > 0.95
    assert not field.valid.any()


def test_little_texture_and_poor_scores_are_told_apart() -> None:
    random = np.random.default_rng(2)
    reference, sample = (image.astype(np.float64) for image in pair((80, 120), (1.0, 1.0)))
    sample[:, :40] = random.normal(1, 0.15, (80, 40))  # another texture
    for image in (reference, sample):
        image[:, 80:] = 1 + 0.001 * (image[:, 80:] - 1)  # hardly any
    field = find_shift_field(reference, sample, window=9, margin=3, quality=True)
    poor, faint = bit(field, Quality.LOW_SCORE), bit(field, Quality.LOW_TEXTURE)
    rows = slice(10, -10)
    assert poor[rows, 8:34].mean() > 0.9
    assert not poor[rows, 48:72].any()
    assert faint[rows, 88:-8].all()
    assert not faint[rows, 8:72].any()


def test_the_way_back_is_looked_at_between_pixels() -> None:
    """A linear shift and its exact inverse lead back; a wrong patch does not."""
    y, x = np.mgrid[:40, :50].astype(np.float32)
    there = 2 + 0.1 * x, np.full(x.shape, -1.5, np.float32)
    back = -(2 + 0.1 * x) / 1.1, np.full(x.shape, 1.5, np.float32)
    away = distance(*there, *back, step=1)
    known = np.isfinite(away)
    assert known[3:, :40].all()
    assert np.nanmax(away) < 1e-4
    back[0][10:20, 10:20] += 3
    assert (distance(*there, *back, step=1)[14:19, 9:14] > 2).all()
    assert y.shape == away.shape


def test_the_way_back_begins_where_the_way_there_led() -> None:
    y, x = np.mgrid[:40, :60]
    starts = Starts(np.full(x.shape, 3, np.int32), np.where(x < 30, 5, 8).astype(np.int32))
    back = backward_starts(starts)
    assert (back.y == -3).all()
    assert (back.x[:, 10:34] == -5).all()
    assert (back.x[:, 39:] == -8).all()
    assert y.shape == back.y.shape


def test_the_median_test_is_westerweel_and_scaranos() -> None:
    """Against the formula, one pixel at a time."""
    random = np.random.default_rng(0)
    x, y = random.normal(0, 1, (2, 30, 34)).astype(np.float32)
    x[5, 5] = y[5, 5] = np.nan
    found = median_residual(x, y, 2, 0.2, lambda: None)
    for i, j in ((10, 10), (0, 0), (5, 7), (29, 20), (7, 5)):
        total = 0.0
        for u in (x, y):
            near = [
                u[i + a, j + b]
                for a in (-2, 0, 2)
                for b in (-2, 0, 2)
                if (a or b) and 0 <= i + a < 30 and 0 <= j + b < 34
            ]
            middle = np.nanmedian(near)
            spread = np.nanmedian(np.abs(np.array(near) - middle))
            total += float(((u[i, j] - middle) / (spread + 0.2)) ** 2)
        np.testing.assert_allclose(found[i, j], np.sqrt(total), rtol=1e-5)
    assert found[5, 5] == 0


def test_the_cylinder_and_its_wake_are_flagged_and_the_free_stream_is_kept() -> None:
    field = find_shift_field(*cylinder_flow(), window=31, margin=10, quality=True, step=2)
    y, x = 2 * np.mgrid[: field.shape[0], : field.shape[1]]
    stream = (x > 30) & (x < 990) & (((y > 30) & (y < 120) & (x < 700)) | ((y > 560) & (y < 730)))
    cylinder = np.hypot(y - 386, x - 752) < 38
    wake = (y > 340) & (y < 440) & (x > 480) & (x < 600)
    assert field.valid[stream].mean() >= 0.99
    assert field.valid[cylinder].mean() <= 0.05
    assert field.valid[wake].mean() <= 0.5
    wild = np.hypot(field.x - 1.9, field.y) > 7
    assert field.valid[wild & np.isfinite(field.x)].mean() <= 0.05


def test_a_specimen_is_kept_and_the_background_beside_it_is_flagged() -> None:
    images = tensile_test()
    field = find_shift_field(images[0], images[1], window=31, margin=10, quality=True, step=4)
    inside, row = np.isfinite(field.x), 4 * np.arange(field.shape[0])[:, None]
    specimen, background = inside & (row > 120) & (row < 470), inside & ((row < 60) | (row > 550))
    assert field.valid[specimen].mean() >= 0.999
    assert field.valid[background].mean() <= 0.15


def test_thresholds_can_be_chosen() -> None:
    images = pair()
    strict = find_shift_field(
        *images, window=7, margin=4, quality=True, thresholds=Thresholds(score=0.999)
    )
    loose = find_shift_field(
        *images, window=7, margin=4, quality=True, thresholds=Thresholds(score=0.0)
    )
    assert bit(strict, Quality.LOW_SCORE).sum() > bit(loose, Quality.LOW_SCORE).sum() == 0
    with pytest.raises(
        ValueError, match="score is 2; it must be a number of at least 0 and at most 1"
    ):
        Thresholds(score=2)


@pytest.mark.parametrize("method", ["nearest", "smooth"])
def test_filling_marks_what_it_fills_and_touches_nothing_else(method: str, tmp_path: Path) -> None:
    y, x = np.mgrid[:60, :80]
    reference, sample = pair(shift=(0.02 * x, 0.01 * y))
    found = find_shift_field(reference, sample, window=9, margin=4, quality=True, refine="icgn")
    assert found.quality is not None
    quality, valid = found.quality.copy(), found.valid.copy()
    quality[25:35, 30:45] |= np.uint16(Quality.LOW_SCORE)
    valid[25:35, 30:45] = False
    field = replace(found, quality=quality, valid=valid)
    whole = field.filled(method)
    assert np.isfinite(whole.x).all()
    np.testing.assert_array_equal(whole.valid, field.valid)
    for name in ("x", "y"):
        kept = (getattr(one, name)[field.valid] for one in (whole, field))
        np.testing.assert_array_equal(*kept)
    np.testing.assert_array_equal(bit(whole, Quality.FILLED), ~field.valid)
    hole = np.s_[27:33, 32:43]
    assert np.abs(whole.x - 0.02 * x)[hole].max() < (0.05 if method == "smooth" else 0.2)
    assert "filled in from valid pixels" in whole.reasons(30, 37)
    whole.save(tmp_path / "field.h5")
    again = ShiftField.load(tmp_path / "field.h5")
    np.testing.assert_array_equal(again.quality, whole.quality)
    assert again.quality is not None
    assert again.quality.dtype == np.uint16
    assert "against" in field.summary()


def test_a_large_hole_in_a_linear_field_is_filled_by_the_same_plane() -> None:
    """A plane is harmonic; coarse to fine comes within 2 % of what it changes by across the hole."""
    y, x = np.mgrid[:200, :241].astype(np.float32)
    random = np.random.default_rng(0)
    valid = random.random(x.shape) > 0.05
    valid[40:160, 50:190] = False
    truth = 0.02 * x, -0.01 * y
    shifts = [np.where(valid, part, np.nan).astype(np.float32) for part in truth]
    field = ShiftField(x=shifts[0], y=shifts[1], valid=valid, score=np.ones_like(x))
    whole = field.filled("smooth")
    for found, part in zip((whole.x, whole.y), truth, strict=True):
        assert np.abs(found - part).max() < 0.02 * 0.02 * 140


def test_what_cannot_be_filled_is_said() -> None:
    field = find_shift_field(*pair(), window=9, margin=4)
    with pytest.raises(ValueError, match="allowed are 'nearest' and 'smooth'"):
        field.filled("cubic")
    with pytest.raises(ValueError, match="is none of its pixels"):
        field.reasons(60, 0)
    assert field.reasons(0, 0).startswith("Not valid: no shift could be found")


def test_progress_counts_both_ways_and_cancel_stops_either() -> None:
    seen: list[tuple[int, int]] = []
    find_shift_field(*pair(), window=9, margin=4, quality=True, progress=lambda *n: seen.append(n))
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    with pytest.raises(Cancelled):
        find_shift_field(*pair(), quality=True, margin=4, cancel=lambda: len(seen) > 0)


def test_a_start_keeps_its_own_border() -> None:
    reference, sample = pair((90, 110), (12.0, 0.0))
    field = find_shift_field(reference, sample, window=11, margin=4, start=(12, 0), quality=True)
    assert field.valid[16:-16, 16:-30].mean() > 0.95
    off = find_shift_field(reference, sample, window=11, margin=4, start=(8, 0), quality=True)
    assert bit(off, Quality.PEAK_AT_BORDER)[16:-16, 16:-30].mean() > 0.95


def test_every_reason_is_seen_on_a_dark_theme_and_told_from_the_others() -> None:
    rgb = np.array([colour(bit)[:3] for bit in Quality])
    assert rgb.max(axis=1).min() > 0.4
    apart = np.linalg.norm(rgb[:, None] - rgb[None], axis=2) + np.eye(len(rgb))
    assert apart.min() > 0.2
