"""Masks and weights: what is masked takes no part, what is far is untouched, and edges are reached honestly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array
import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scenes import moved, same_bits

from shiftfield import ShiftField, find_shift_field
from shiftfield.__main__ import main
from shiftfield.dense.plans import plan_of, search_of
from shiftfield.engine.gpu.layout import refusal
from shiftfield.inputs.frames import Frames
from shiftfield.inputs.weights import padded, weights_of
from shiftfield.settings import METHODS, WEIGHTS, Settings

pytestmark = pytest.mark.filterwarnings("ignore:.*pixels have no answer:UserWarning")

Array = NDArray[Any]
SHAPE, SHIFT = (90, 120), (1.3, -0.6)
HOLE = np.s_[40:56, 50:70]


def masked(shape: tuple[int, int] = SHAPE) -> Array:
    """Return a mask with a hole, as of a beam stop."""
    mask = np.ones(shape, bool)
    mask[HOLE] = False
    return mask


def error(field: ShiftField, shift: tuple[float, float] = SHIFT) -> Array:
    return np.hypot(field.x - shift[0], field.y - shift[1])


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Array, Array, dict[str, Any]]:
    """Return a pair or stack that moved, with holes, dead pixels or weights, and settings for a search."""
    generator = np.random.default_rng(draw(st.integers(0, 999)))
    frames, margin = draw(st.sampled_from((1, 1, 2, 3))), draw(st.integers(1, 3))
    shape = draw(st.integers(24, 36)), draw(st.integers(26, 70))
    shift = draw(st.floats(-margin, margin)), draw(st.floats(-margin, margin))
    reference, sample = moved(shape, shift, frames=frames, seed=draw(st.integers(0, 99)))
    if draw(st.booleans()):
        both = np.round(30000 + 2000 * np.stack([reference, sample])).astype(np.uint16)
        reference, sample = both
    of: list[Array | None] = []
    for _ in range(2):
        each = frames if draw(st.booleans()) else 1
        weights = np.ones((each, *shape))
        weights[:, 10:16, 12:20] = 0
        weights[generator.random(weights.shape) < draw(st.sampled_from((0.0, 0.05, 0.3)))] = 0
        if draw(st.booleans()):
            weights *= generator.random(weights.shape)
        of.append(weights if draw(st.booleans()) else None)
    given = {"reference_weights": of[0], "sample_weights": of[1]}
    for part, weights in zip((reference, sample), of, strict=True):
        if weights is not None:
            hidden = weights == 0 if part.ndim == 3 else weights[0] == 0
            part[np.broadcast_to(hidden, part.shape)] = part.max()
    if reference.dtype == np.float32 and draw(st.booleans()):
        sample[..., 20, 22] = np.nan
    window = draw(st.sampled_from((3, 5, 7, 11)))
    return reference, sample, given | {
        "method": draw(st.sampled_from(list(METHODS))), "window": window, "margin": margin,
        "weight": draw(st.sampled_from((None, None, *WEIGHTS))) if window >= 5 else None,
        "borders": draw(st.sampled_from(("unknown", "partial"))),
        "coverage": draw(st.sampled_from((0.2, 0.5, 0.9, 1.0))),
        "peak": draw(st.sampled_from(("diff", "poly_fit"))), "peak_size": draw(st.sampled_from((3, 5))),
        "step": draw(st.sampled_from((1, 1, 2, 3))),
    }  # fmt: skip


@pytest.mark.slow
@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(scenes())
def test_cpu_agrees_with_the_reference(scene: tuple[Array, Array, dict[str, Any]]) -> None:
    """The specification is joint weights in every mean; the same pixels have an answer, and the same one."""
    reference, sample, chosen = scene
    slow = find_shift_field(reference, sample, device="reference", **chosen)
    fast = find_shift_field(reference, sample, device="cpu", **chosen)
    assert np.count_nonzero(fast.valid != slow.valid) <= 0.002 * fast.valid.size
    known = slow.valid & fast.valid
    np.testing.assert_allclose(fast.score[known], slow.score[known], atol=2e-4, rtol=2e-4)
    apart = np.hypot(fast.x - slow.x, fast.y - slow.y)[known]
    assert np.count_nonzero(apart > 0.005) <= 0.01 * apart.size + 2, np.sort(apart)[-10:]
    for name in ("transmission", "dark_field"):
        one, two = getattr(fast, name), getattr(slow, name)
        if one is not None:
            wrong = ~np.isclose(one[known], two[known], atol=1e-3, rtol=1e-3)
            assert np.count_nonzero(wrong) <= 0.01 * wrong.size + 2


@pytest.mark.parametrize("borders", ["unknown", "partial"])
@pytest.mark.parametrize("method", METHODS)
def test_far_from_a_mask_nothing_changes_to_the_bit(method: str, borders: str) -> None:
    reference, sample = moved(SHAPE, SHIFT, frames=2)
    chosen: dict[str, Any] = {"method": method, "window": 9, "margin": 4}
    plain = find_shift_field(reference, sample, **chosen)
    field = find_shift_field(reference, sample, reference_weights=masked(), sample_weights=masked(),
                             borders=borders, **chosen)  # fmt: skip
    far = plain.valid.copy()
    far[40 - 8 : 56 + 8, 50 - 8 : 70 + 8] = False
    assert np.count_nonzero(far) > 4000
    names = ["x", "y", "score"] + ["transmission"] * (method == "umpa")
    for name in names:  # T and V of the dark field depend on the mean of all that is not masked
        np.testing.assert_array_equal(getattr(field, name)[far], getattr(plain, name)[far])
    assert not np.array_equal(field.x[plain.valid], plain.x[plain.valid])


@pytest.mark.parametrize("what", [np.nan, np.inf, 2.0**32 - 1, -1e30])
@pytest.mark.parametrize("method", METHODS)
def test_what_a_masked_pixel_holds_is_never_looked_at(method: str, what: float) -> None:
    reference, sample = moved(SHAPE, SHIFT, frames=2)
    mask = masked()
    mask[np.random.default_rng(0).random(SHAPE) < 0.02] = False
    chosen: dict[str, Any] = {
        "method": method, "margin": 3, "reference_weights": mask, "sample_weights": mask,
    }  # fmt: skip
    expected = find_shift_field(reference, sample, **chosen)
    for stack in (reference, sample):
        stack[:, ~mask] = what
    field = find_shift_field(reference, sample, **chosen)
    np.testing.assert_array_equal(field.valid, expected.valid)
    for name, one in field.quantities().items():
        np.testing.assert_allclose(one, expected.quantities()[name], atol=2e-4)


@pytest.mark.parametrize("method", METHODS)
def test_truth_holds_at_the_edge_of_a_mask_and_nothing_is_known_under_it(method: str) -> None:
    reference, sample = moved(SHAPE, SHIFT, frames=3)
    reference[:, ~masked()] = sample[:, ~masked()] = 1e6
    field = find_shift_field(reference, sample, method=method, margin=3,
                             reference_weights=masked(), sample_weights=masked())  # fmt: skip
    deep = np.zeros(SHAPE, bool)
    deep[42:54, 52:68] = True
    assert not field.valid[deep].any()
    beside = np.zeros(SHAPE, bool)
    beside[37:59, 47:73] = True
    beside &= masked()
    assert field.valid[beside].mean() > 0.8
    assert np.median(error(field)[beside & field.valid]) < 0.1
    assert np.mean(error(field)[beside & field.valid] > 0.5) < 0.01


@pytest.mark.parametrize("method", METHODS)
def test_a_dead_pixel_costs_no_answer(method: str) -> None:
    """Coverage decides, not the pixel in the middle: windows around single dead pixels know enough."""
    reference, sample = moved(SHAPE, SHIFT, frames=2)
    dead = np.random.default_rng(1).random(SHAPE) < 0.01
    reference[:, dead] = sample[:, dead] = np.nan
    field = find_shift_field(reference, sample, method=method, margin=3, window=9,
                             reference_weights=~dead, sample_weights=~dead)  # fmt: skip
    inner = field.valid[7:-7, 7:-7]
    assert inner.all()
    assert np.median(error(field)[7:-7, 7:-7]) < 0.1


@pytest.mark.parametrize("method", METHODS)
def test_partial_windows_reach_the_edge_of_the_image(method: str) -> None:
    """Where the match lies inside; where it lies outside there is no answer, and no false one."""
    shift = (2.3, -1.6)  # the match of the first column is inside, that of the last is not
    reference, sample = moved(SHAPE, shift, frames=3)
    chosen: dict[str, Any] = {"method": method, "window": 9, "margin": 4, "borders": "partial"}
    field = find_shift_field(reference, sample, **chosen)
    wrong = error(field, shift)
    inside = field.valid[6:-6]
    assert inside[:, 0].all()
    assert np.median(wrong[6:-6, 0]) < 0.1
    assert field.valid[-1, 6:-6].all()
    assert np.mean(inside[:, -1]) < 0.05
    assert np.mean(inside[:, -3]) > 0.9
    assert np.nanmedian(wrong[6:-6, -3]) < 0.15
    assert np.count_nonzero(wrong[field.valid] > 1) <= 0.001 * field.valid.size
    closer = find_shift_field(reference, sample, coverage=0.25, **chosen)
    assert closer.valid[6:-6, -1].mean() > 0.8
    assert np.nanmedian(error(closer, shift)[6:-6, -1]) < 0.2


def test_full_coverage_is_the_search_without_partial_windows() -> None:
    """With coverage 1 a window must be whole, and at the image's edge no shift that is tried is cut."""
    reference, sample = moved(SHAPE, SHIFT)
    whole = find_shift_field(reference, sample, margin=3, borders="partial", coverage=1)
    plain = find_shift_field(reference, sample, margin=3)
    assert not whole.valid[:3].any()
    assert whole.valid[plain.valid].all()
    np.testing.assert_array_equal(whole.x[plain.valid], plain.x[plain.valid])


def test_masked_pixels_are_no_news_and_others_without_an_answer_are() -> None:
    """Nobody is warned of what he masked; a constant piece of the sample is counted as ever."""
    reference, sample = moved(SHAPE, SHIFT)
    chosen: dict[str, Any] = {
        "margin": 3,
        "reference_weights": masked(),
        "sample_weights": masked(),
    }
    sample[10:20, 10:20] = 1
    with pytest.warns(UserWarning, match="no answer") as told:
        field = find_shift_field(reference, sample, **chosen)
    count = int(str(told[0].message).split()[0])
    assert count == np.count_nonzero(~field.valid[6:26, 6:26])


@pytest.mark.parametrize("one", [True, 255, 0.25])
def test_equal_weights_are_none(one: Any) -> None:
    reference, sample = moved(SHAPE, SHIFT, frames=2)
    weights = np.full(SHAPE, one, np.uint8 if isinstance(one, int) else np.float64)
    plain = find_shift_field(reference, sample, margin=3)
    same_bits(find_shift_field(reference, sample, margin=3, sample_weights=weights), plain)


def test_a_mask_of_0_and_255_is_a_mask() -> None:
    reference, sample = moved(SHAPE, SHIFT, frames=2)
    fields = [
        find_shift_field(reference, sample, margin=3, sample_weights=mask, reference_weights=mask)
        for mask in (masked(), 255 * masked().astype(np.uint8), masked().astype(np.float32) / 3)
    ]
    same_bits(fields[0], fields[1])
    same_bits(fields[0], fields[2])


@pytest.mark.parametrize("method", METHODS)
def test_a_frame_of_twice_the_weight_is_that_frame_twice(method: str) -> None:
    reference, sample = moved((50, 60), SHIFT, frames=2)
    sample += np.random.default_rng(0).normal(0, 0.05, sample.shape).astype(np.float32)
    if method == "umpa_dark":  # the mean of all pixels must not tell them apart
        reference -= reference.mean(axis=(1, 2), keepdims=True) - 1
    weights = np.ones((2, 50, 60))
    weights[0] = 2
    twice = find_shift_field(reference[[0, 0, 1]], sample[[0, 0, 1]], method=method, margin=3)
    field = find_shift_field(reference, sample, method=method, margin=3, sample_weights=weights)
    np.testing.assert_array_equal(field.valid, twice.valid)
    for name, one in field.quantities().items():
        np.testing.assert_allclose(one, twice.quantities()[name], atol=1e-3)


def test_a_masked_frame_is_left_out() -> None:
    reference, sample = moved((50, 60), SHIFT, frames=3)
    sample[1] = np.nan
    weights = np.ones((3, 50, 60), bool)
    weights[1] = False
    two = find_shift_field(reference[::2], sample[::2], margin=3)
    field = find_shift_field(reference, sample, margin=3, sample_weights=weights)
    np.testing.assert_array_equal(field.valid, two.valid)
    np.testing.assert_allclose(field.x, two.x, atol=1e-3)
    none = find_shift_field(reference, sample, margin=3, sample_weights=weights, coverage=0.7)
    assert not none.valid.any()


def test_transmission_and_dark_field_know_no_masked_pixel() -> None:
    """T = 0.7, V = 0.5: their model's mean is of the pixels that are not masked."""
    reference, piece = moved(SHAPE, SHIFT, frames=4)
    sample = 0.7 * (1 + 0.5 * (piece - 1))
    reference[:, ~masked()] = sample[:, ~masked()] = 1e5
    field = find_shift_field(reference, sample, method="umpa_dark", margin=3, borders="partial",
                             reference_weights=masked(), sample_weights=masked())  # fmt: skip
    assert np.nanmedian(field.transmission) == pytest.approx(0.7, abs=0.005)
    assert np.nanmedian(field.dark_field) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("method", ["pearson", "umpa_dark"])
def test_threads_memory_steps_and_files_change_no_bit(method: str, tmp_path: Path) -> None:
    reference, sample = moved((150, 90), SHIFT, frames=2)
    generator = np.random.default_rng(0)
    weights = [generator.random((2, 150, 90)) * (generator.random((150, 90)) > 0.02) for _ in "rs"]
    weights[1][:] = weights[1] > 0
    chosen: dict[str, Any] = {"method": method, "margin": 3, "borders": "partial"}
    expected = find_shift_field(
        reference, sample, reference_weights=weights[0], sample_weights=weights[1], **chosen
    )
    with h5py.File(tmp_path / "all.h5", "w") as file:
        for name, one in zip("rsuv", (reference, sample, *weights), strict=True):
            file.create_dataset(name, data=one, chunks=(1, 20, 90))
    r, s, u, v = (f"{tmp_path / 'all.h5'}::{name}" for name in "rsuv")
    same_bits(find_shift_field(r, s, reference_weights=u, sample_weights=v, ncore=1, memory="8 MB",
                               **chosen), expected)  # fmt: skip
    every = find_shift_field(reference, sample, reference_weights=weights[0], ncore=2, step=3,
                             sample_weights=dask.array.from_array(weights[1]), **chosen)  # fmt: skip
    for name, one in expected.quantities().items():
        np.testing.assert_array_equal(every.quantities()[name], one[::3, ::3])


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_refinement_knows_no_masked_pixel(device: str, method: str) -> None:
    shape = (46, 60)
    reference, sample = moved(shape, SHIFT, frames=2, sigma=1.0)
    mask = np.ones(shape, bool)
    mask[20:30, 25:40] = False
    chosen: dict[str, Any] = {
        "method": method, "margin": 2, "window": 11, "borders": "partial", "step": 2, "device": device,
        "reference_weights": mask, "sample_weights": mask, "refine": "icgn", "uncertainty": True,
    }  # fmt: skip
    expected = find_shift_field(reference, sample, **chosen)
    reference[:, ~mask] = 2.0**32 - 1
    sample[:, ~mask] = np.nan
    field = find_shift_field(reference, sample, **chosen)
    np.testing.assert_array_equal(field.valid, expected.valid)
    np.testing.assert_allclose(field.x, expected.x, atol=1e-3)
    near = np.zeros(shape, bool)
    near[12:38, 17:48] = mask[12:38, 17:48]
    wanted = near[::2, ::2] & field.valid
    assert np.count_nonzero(wanted) > 100
    assert np.median(error(field)[wanted]) < 0.015
    assert np.isfinite(field.uncertainty_x[wanted]).mean() > 0.99


@pytest.mark.parametrize("start", [(6, -5), "global", "pyramid"])
def test_starts_and_weights_go_together(start: Any) -> None:
    """A large shift is found beside a mask and up to the edge where the match lies inside."""
    shift = (6.3, -5.4)
    reference, sample = moved((130, 150), shift, frames=2)
    mask = masked((130, 150))
    reference[:, ~mask] = 2.0**32 - 1
    sample[:, ~mask] = np.nan
    field = find_shift_field(reference, sample, margin=2, start=start, borders="partial",
                             reference_weights=mask, sample_weights=mask)  # fmt: skip
    assert np.nanmedian(error(field, shift)) < 0.1
    assert np.mean(error(field, shift)[field.valid] < 0.5) > 0.99
    assert field.valid[20:-10, 0].mean() > 0.9
    assert field.valid.mean() > 0.8


def test_borders_are_partial_for_dask_too() -> None:
    reference, sample = moved((80, 100), SHIFT)
    lazy = dask.array.from_array(sample, chunks=(40, 50))
    field = find_shift_field(reference, lazy, margin=3, borders="partial").on_host()
    whole = find_shift_field(reference, sample, margin=3, borders="partial")
    np.testing.assert_array_equal(field.valid, whole.valid)
    np.testing.assert_allclose(field.x, whole.x, atol=1e-4)


def test_what_lies_outside_is_0() -> None:
    pixels = np.arange(1, 13).reshape(1, 3, 4)
    found = padded(pixels, slice(-1, 2), slice(2, 6))
    np.testing.assert_array_equal(found[0], [[0, 0, 0, 0], [3, 4, 0, 0], [7, 8, 0, 0]])
    assert padded(pixels, slice(-9, -4), slice(5, 7)).tolist() == np.zeros((1, 5, 2)).tolist()
    assert np.shares_memory(padded(pixels, slice(0, 2), slice(1, 3)), pixels)


IMAGE, STACK = moved((40, 50))[0], moved((40, 50), frames=3)[0]


@pytest.mark.parametrize(("given", "message"), [
    ({"reference_weights": np.ones((40, 49))}, r"reference_weights has shape \(40, 49\); .*\(40, 50\)"),
    ({"sample_weights": np.ones((2, 40, 50))}, r"sample_weights has shape \(2, 40, 50\); .*\(3, 40, 50\)"),
    ({"sample_weights": np.full((40, 50), -1)}, "sample_weights holds -1; weights must be finite and not"),
    ({"sample_weights": np.full((40, 50), np.nan)}, "sample_weights holds nan; weights must be finite"),
    ({"reference_weights": np.full((40, 50), np.inf)}, "reference_weights holds inf"),
    ({"reference_weights": np.ones((40, 50), complex)}, "must hold real numbers"),
    ({"reference_weights": np.ones((40, 50)), "search": "1d"}, "Weights were given with search '1d'"),
    ({"coverage": 1.5}, "coverage is 1.5; it must be a number of at least 0 and at most 1"),
])  # fmt: skip
def test_refusals(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_shift_field(STACK, STACK, margin=3, **given)


def test_a_lazy_field_knows_no_weights() -> None:
    lazy = dask.array.from_array(IMAGE)
    with pytest.raises(ValueError, match=r"Weights were given with dask arrays.*progress"):
        find_shift_field(IMAGE, lazy, margin=3, sample_weights=np.ones((40, 50), bool))


def test_a_gpu_leaves_weights_to_the_cpu() -> None:
    """The plan says so before any work, and `memory` counts what weights take."""
    images = Frames(IMAGE, "The reference"), Frames(IMAGE, "The sample")
    plain = search_of(Settings(), 1)
    assert refusal(plain) == ""
    for settings_, mask in (
        (Settings(borders="partial"), None),
        (Settings(), np.ones((40, 50), bool)),
    ):
        weights = weights_of(mask, None, images[0])
        plan = plan_of(settings_, plain, images, weights=weights)
        assert plan.backend == "cpu"
        assert "no weights of pixels" in refusal(plan.search)


def test_the_command_line_takes_masks(tmp_path: Path) -> None:
    reference, sample = moved((60, 70), SHIFT)
    mask = np.ones((60, 70), bool)
    mask[20:30, 20:40] = False
    for name, array in (("r", reference), ("s", sample), ("m", mask)):
        np.save(tmp_path / f"{name}.npy", array)
    r, s, m = (str(tmp_path / f"{name}.npy") for name in "rsm")
    out = tmp_path / "field.h5"
    assert main(["local", r, s, "--margin", "3", "--out", str(out), "--borders", "partial",
                 "--reference-mask", m, "--sample-mask", m]) == 0  # fmt: skip
    expected = find_shift_field(reference, sample, margin=3, borders="partial",
                                reference_weights=mask, sample_weights=mask)  # fmt: skip
    same_bits(ShiftField.load(out), expected)
