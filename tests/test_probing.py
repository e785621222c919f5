"""`probe` sees what `find_shift_field` finds: at every kind of pixel, with a map and a fit that say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scenes import Recording, moved

import shiftfield
from shiftfield import Quality, Settings, find_shift_field, probe
from shiftfield.peaks.locate import locate_peak
from shiftfield.probing.prober import Prober

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
COMMON = {"window": 7, "margin": 4}
NUMBERS = ("x", "y", "score", "transmission", "dark_field", "uncertainty_x", "uncertainty_y")


def noisy(frames: int = 1, seed: int = 0, **more: Any) -> Any:
    random = np.random.default_rng(seed)
    images = moved((34, 40), (1.6, -2.3), frames=frames, **more)
    return tuple(one + random.normal(0, 0.1, one.shape).astype(np.float32) for one in images)


def agrees(found: Any, field: Any, row: int, column: int, tolerance: float = 1e-5) -> None:
    """Assert that a probe holds the numbers of a pixel of a field."""
    step = field.settings.step
    at = row // step, column // step
    for name in (*NUMBERS, "second_peak"):
        image = getattr(field, name)
        if image is not None:
            np.testing.assert_allclose(
                getattr(found, name), image[at], rtol=tolerance, atol=tolerance, err_msg=name
            )


@pytest.mark.parametrize(
    ("method", "frames", "peak", "size", "weight", "step"),
    [
        ("pearson", 1, "diff", 3, None, 1),
        ("pearson", 3, "poly_fit", 5, "hann", 2),
        ("umpa", 2, "poly_fit", 3, None, 3),
        ("umpa_dark", 2, "diff", 3, "hamming", 1),
        ("umpa_dark", 1, "poly_fit", 7, None, 2),
    ],
)
@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_a_probe_has_the_numbers_of_the_field(
    method: str, frames: int, peak: str, size: int, weight: str | None, step: int, device: str
) -> None:
    """On noise: at some pixels the peak is at the border of the search, at some there is no answer at all."""
    random = np.random.default_rng(frames)
    images = 1 + random.random((2, frames, 34, 40)).astype(np.float32)
    images[1, :, 10:20, 10:20] = images[0, :, 11:21, 8:18]
    images[0, 0, 30, 35] = np.nan
    search: dict[str, Any] = {
        **COMMON, "method": method, "peak": peak, "peak_size": size, "weight": weight,
    }  # fmt: skip
    field = find_shift_field(*images, **search, step=step, device=device)
    for row in range(0, 34, 3 * step):
        for column in range(0, 40, 2 * step):
            found = probe(*images, row, column, **search)
            agrees(found, field, row, column, 1e-6 if device == "reference" else 2e-3)


def test_the_shift_of_a_known_pair_is_found_and_nothing_speaks_against_it() -> None:
    reference, sample = moved((40, 50), (1.6, -2.3))
    found = probe(reference, sample, 20, 25, window=11, margin=5)
    assert (found.x, found.y) == pytest.approx((1.6, -2.3), abs=0.1)
    assert found.best is not None
    assert np.hypot(found.best[0] - found.x, found.best[1] - found.y) < 1
    assert found.against == Quality(0)
    assert "Nothing" in found.sentence
    np.testing.assert_array_equal(found.window[0], sample[15:26, 20:31])
    np.testing.assert_array_equal(found.area[0], reference[10:31, 15:36])
    x, y = found.best
    matched = found.area[0, 5 + y : 16 + y, 5 + x : 16 + x]
    assert np.corrcoef(matched.ravel(), found.window[0].ravel())[0, 1] == pytest.approx(found.score)


def test_each_score_is_the_coefficient_of_the_two_windows() -> None:
    reference, sample = noisy()
    found = probe(reference, sample, 15, 20, **COMMON)
    for i, j in ((0, 0), (3, 7), (8, 8)):
        y, x = found.first[1] + i, found.first[0] + j
        window = reference[15 + y - 3 : 15 + y + 4, 20 + x - 3 : 20 + x + 4]
        wanted = np.corrcoef(window.ravel(), sample[12:19, 17:24].ravel())[0, 1]
        assert found.scores[i, j] == pytest.approx(wanted, abs=1e-6)
    assert found.scores.dtype == np.float64


@pytest.mark.parametrize(("peak", "size"), [("diff", 3), ("poly_fit", 3), ("poly_fit", 5)])
def test_the_fit_that_is_drawn_is_the_fit_that_was_made(peak: str, size: int) -> None:
    reference, sample = noisy(seed=3)
    seen = 0
    for row in range(8, 26, 2):
        found = probe(reference, sample, row, 20, peak=peak, peak_size=size, **COMMON)
        x, y = locate_peak(found.scores, method=peak, size=size)
        assert found.best is not None
        assert found.fit is not None
        vertex = found.fit.vertex
        place = x + found.first[0] - found.best[0], y + found.first[1] - found.best[1]
        assert (found.x, found.y) == pytest.approx(
            (x + found.first[0], y + found.first[1]), abs=1e-5
        )
        if all(abs(one) < size // 2 for one in vertex):
            assert vertex == pytest.approx(place, abs=1e-9)
            seen += 1
        if found.fit.along_x is not None:
            assert found.fit.along_x[2] < 0
    assert seen > 3


def test_a_peak_at_the_search_border_is_fitted_along_it_only() -> None:
    reference, sample = moved((40, 50), (4.0, 0.4))
    found = probe(reference, sample, 20, 25, window=11, margin=4)
    assert found.best == (4, 0)
    assert found.fit is not None
    assert found.fit.surface is None
    assert found.fit.along_x is None
    assert found.fit.along_y is not None
    assert Quality.PEAK_AT_BORDER in found.against
    assert "margin is too small" in found.sentence


def test_the_second_peak_is_where_a_second_copy_is() -> None:
    random = np.random.default_rng(1)
    reference = random.random((60, 60))
    sample = random.random((60, 60))
    sample[25:36, 25:36] = reference[27:38, 20:31]
    reference[30:41, 33:44] = reference[27:38, 20:31] + random.normal(0, 0.01, (11, 11))
    found = probe(reference, sample, 30, 30, window=11, margin=10)
    assert found.best == (-5, 2)
    assert found.second == (8, 5)
    assert Quality.SECOND_PEAK in found.against
    assert found.second_peak > 0.95


@pytest.mark.parametrize("place", [(0, 0), (6, 20), (33, 39), (20, 3)])
def test_beyond_the_edge_there_is_no_answer_but_the_map_of_what_is_inside(place: Any) -> None:
    reference, sample = noisy()
    found = probe(reference, sample, *place, **COMMON)
    assert np.isnan(found.x)
    assert Quality.NO_ANSWER in found.against
    if place == (6, 20):
        assert np.isnan(found.scores[0]).all()
        assert np.isfinite(found.scores[1:]).all()
        assert np.isnan(found.area[:, 0]).all()


@pytest.mark.parametrize("method", ["pearson", "umpa", "umpa_dark"])
def test_masks_weights_and_partial_windows(method: str) -> None:
    reference, sample = noisy(2)
    random = np.random.default_rng(5)
    mask = random.random((34, 40)) > 0.1
    mask[20:30, 20:30] = False
    weights = random.random((2, 34, 40))
    more: dict[str, Any] = {
        **COMMON, "method": method, "reference_weights": mask, "sample_weights": weights,
        "borders": "partial", "coverage": 0.4, "quality": True,
    }  # fmt: skip
    field = find_shift_field(reference, sample, device="reference", **more)
    for place in ((0, 0), (2, 38), (15, 12), (22, 24), (33, 5)):
        found = probe(reference, sample, *place, **more)
        agrees(found, field, *place, 1e-6)
        assert (Quality.LOW_COVERAGE in found.against) == bool(
            field.quality[place] & Quality.LOW_COVERAGE
        )


@pytest.mark.parametrize("more", [{"refine": "icgn"}, {"refine": "icgn", "shape_order": 1}, {}])
def test_refinement_and_sigma(more: Any) -> None:
    reference, sample = moved((34, 40), (1.6, -2.3))
    search = {**COMMON, "window": 9, **more, "uncertainty": True, "quality": True}
    field = find_shift_field(reference, sample, device="reference", **search)
    known = 0
    for place in ((8, 8), (15, 20), (18, 12), (25, 31)):
        found = probe(reference, sample, *place, **search)
        known += found.uncertainty_x > 0
        agrees(found, field, *place, 1e-5)
    assert known > 1


def test_a_search_that_starts_elsewhere() -> None:
    reference, sample = moved((60, 70), (12.3, -9.6))
    field = find_shift_field(reference, sample, window=11, margin=3, start=(12.2, -10.4))
    for place in ((30, 30), (16, 20), (3, 5), (55, 66)):
        found = probe(reference, sample, *place, window=11, margin=3, start=(12.2, -10.4))
        agrees(found, field, *place, 1e-3)
    found = probe(reference, sample, 30, 30, window=11, margin=3, start=(12.2, -10.4))
    assert found.best == (12, -10)
    np.testing.assert_array_equal(found.area[0], reference[12:29, 34:51])


def test_only_the_crop_is_read() -> None:
    reference, sample = (Recording(one) for one in noisy(2))
    probe(reference, sample, 16, 20, window=5, margin=3)
    assert reference.reads == sample.reads == [2 * 11 * 11]


def test_files_and_dask_give_the_same_bits(tmp_path: Path) -> None:
    da = pytest.importorskip("dask.array")
    reference, sample = noisy(2)
    with h5py.File(tmp_path / "pair.h5", "w") as file:
        file["r"], file["s"] = reference, sample
    wanted = probe(reference, sample, 15, 20, **COMMON)
    with h5py.File(tmp_path / "pair.h5") as file:
        found = probe(file["r"], file["s"], 15, 20, **COMMON)
    address = str(tmp_path / "pair.h5")
    others = (
        found,
        probe(f"{address}::r", f"{address}::s", 15, 20, **COMMON),
        probe(da.from_array(reference), da.from_array(sample), 15, 20, **COMMON),
    )
    for other in others:
        np.testing.assert_array_equal(other.scores, wanted.scores)
        assert (other.x, other.y) == (wanted.x, wanted.y)


@pytest.mark.parametrize(
    ("place", "more", "words"),
    [
        ((34, 0), {}, "34 rows and 40 columns"),
        ((0, -1), {}, "none of their pixels"),
        ((1.5, 2), {}, "row is 1.5"),
        ((5, 5), {"start": "pyramid"}, "start is 'pyramid'"),
        ((5, 5), {"start": (1, np.nan)}, "start is"),
        ((5, 5), {"start": (1e30, 0)}, "40 px along x and 34 px along y"),
        ((5, 5), {"start": (0, -35)}, r"start is \(0, -35\); it must be no longer than the images"),
        ((5, 5), {"method": "ncc"}, "method is 'ncc'"),
        ((5, 5), {"margin": 30}, "window \\+ 2 margin"),
        ((5, 5), {"thresholds": 0.5}, "thresholds is 0.5"),
        ((5, 5), {"reference_weights": -np.ones((34, 40))}, "weights must be"),
    ],
)
def test_refusals(place: Any, more: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        probe(*noisy(), *place, **more)


def test_a_one_dimensional_search_is_refused() -> None:
    with pytest.raises(ValueError, match="2-D search"):
        Prober(*noisy(2), Settings(search="1d", margin=4))


def test_a_probe_can_be_stopped() -> None:
    def stop() -> None:
        raise shiftfield.Cancelled

    with pytest.raises(shiftfield.Cancelled):
        Prober(*noisy(), Settings(**COMMON)).at(15, 20, look=stop)
