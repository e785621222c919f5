"""The CPU engine against the reference backend on random inputs; the reference against algotom is elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scenes import DROWNED, drowned, moved

from shiftfield import find_shift_field
from shiftfield.settings import METHODS, WEIGHTS
from shiftfield.synthetic import speckle

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

DTYPES = ("uint8", "uint16", "int32", "float16", "float32", "float64", "tiny", "huge")
DEFECTS = ("nothing", "nan", "inf", "constant sample", "constant reference", "zeros", "hot pixel")


def as_type(pixels: NDArray[np.float32], name: str) -> NDArray[Any]:
    """Return speckle of mean 1 as detectors and programs hand it over."""
    if name == "uint8":
        return np.clip(100 * pixels, 0, 255).astype(np.uint8)
    if name == "uint16":  # offset 30000, about 1 % contrast
        return np.round(30000 + 2000 * (pixels - 1)).astype(np.uint16)
    if name == "int32":
        return (1e8 * pixels - 3e7).astype(np.int32)
    if name in ("tiny", "huge"):
        return pixels.astype(np.float64) * (1e-25 if name == "tiny" else 1e25)
    return pixels.astype(name)


def spoil(reference: NDArray[Any], sample: NDArray[Any], defect: str) -> None:
    """Put one defect into the middle of the images."""
    middle = (..., slice(12, 26), slice(14, 30))
    if defect in ("nan", "inf") and sample.dtype.kind == "f":
        sample[..., 17, 20] = reference[..., 23, 28] = np.nan if defect == "nan" else np.inf
    elif defect == "constant sample":
        sample[middle] = sample.flat[0]
    elif defect == "constant reference":
        reference[middle] = reference.flat[0]
    elif defect == "zeros":
        reference[middle] = 0
        sample[middle] = 0
    elif defect == "hot pixel":
        sample[..., 17, 20] = reference[..., 23, 28] = (
            60 * int(sample.max())
            if (sample.dtype.kind == "f" and sample.max() < 1000 and sample.max() > 1e-3)
            else sample.max()
        )


@st.composite
def scenes(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[Any], dict[str, Any]]:
    """Return a speckle pair or stack that moved by a known shift, and settings for a search."""
    margin = draw(st.integers(1, 4))
    window = draw(st.sampled_from((1, 2, 3, 5, 7, 9, 13)))
    frames = draw(st.sampled_from((1, 2, 3, 5)))
    if window < 3:
        frames = max(frames, 3)  # with two samples every correlation is 1 or -1
    method = draw(st.sampled_from(list(METHODS)))
    weight = draw(st.sampled_from((None, None, *WEIGHTS))) if window >= 5 else None
    shape = draw(st.integers(30, 44)), draw(st.integers(34, 60))
    shift = draw(st.floats(-margin, margin)), draw(st.floats(-margin, margin))
    pattern: dict[str, Any] = {
        "sigma": draw(st.floats(0.8, 2.5)), "frames": frames, "seed": draw(st.integers(0, 999)),
    }  # fmt: skip
    dtype = draw(st.sampled_from(DTYPES))
    reference = as_type(speckle(shape, **pattern), dtype)
    sample = as_type(0.7 * speckle(shape, shift=shift, **pattern) + 0.1, dtype)
    spoil(reference, sample, draw(st.sampled_from(DEFECTS)))
    one_axis = method == "pearson" and frames > 1 and draw(st.booleans())
    return reference, sample, {
        "method": method, "window": window, "margin": margin, "weight": weight,
        "search": "1d" if one_axis else "2d",
        "peak": draw(st.sampled_from(("diff", "poly_fit"))),
        "peak_size": draw(st.sampled_from((3, 5, 9))), "step": draw(st.sampled_from((1, 1, 2, 3))),
    }  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(scenes())
def test_cpu_agrees_with_the_reference(
    scene: tuple[NDArray[Any], NDArray[Any], dict[str, Any]],
) -> None:
    """Same pixels valid, scores to 1e-4, and the same shifts wherever one peak stands out."""
    reference, sample, chosen = scene
    slow = find_shift_field(reference, sample, device="reference", **chosen)
    fast = find_shift_field(reference, sample, device="cpu", **chosen)
    np.testing.assert_array_equal(fast.valid, slow.valid)
    known = slow.valid
    np.testing.assert_allclose(fast.score[known], slow.score[known], atol=2e-4, rtol=2e-4)
    if chosen["window"] < 3:
        return  # a score of three numbers has many peaks alike: which of them is rounding
    apart = np.hypot(fast.x - slow.x, fast.y - slow.y)[known]
    assert np.count_nonzero(apart > 0.005) <= 0.01 * apart.size + 2, np.sort(apart)[-10:]


@pytest.mark.parametrize("method", METHODS)
def test_16_bit_at_an_offset_agrees(method: str) -> None:
    """uint16 at offset 30000 with 1 % contrast: 0.005 px at 99.9 % of pixels."""
    pattern: dict[str, Any] = {"sigma": 1.5, "frames": 3, "seed": 5}
    reference = as_type(speckle((48, 300), **pattern), "uint16")
    sample = as_type(speckle((48, 300), shift=(1.3, -0.6), **pattern), "uint16")
    slow, fast = (
        find_shift_field(reference, sample, margin=3, method=method, device=device)
        for device in ("reference", "cpu")
    )
    apart = np.hypot(fast.x - slow.x, fast.y - slow.y)[slow.valid]
    assert np.mean(apart <= 0.005) >= 0.999


@pytest.mark.parametrize("what", DROWNED)
@pytest.mark.parametrize("method", METHODS)
def test_texture_beside_something_far_greater_agrees(method: str, what: str) -> None:
    """A detector's gap, a half that is a million times brighter, a steep ramp: 0.005 px at 99.9 % of pixels.

    Where a window holds the edge itself all shifts along it are alike, and rounding takes one.
    """
    reference, sample = drowned(what, *moved((100, 70), (0.6, -0.7), frames=3))
    slow, fast = (
        find_shift_field(reference, sample, margin=3, method=method, device=device)
        for device in ("reference", "cpu")
    )
    np.testing.assert_array_equal(fast.valid, slow.valid)
    beside = np.r_[6:33, 67:94]
    apart = np.hypot(fast.x - slow.x, fast.y - slow.y)[beside, 6:-6]
    assert np.isfinite(apart).all()
    assert np.mean(apart <= 0.005) >= 0.999
    if what != "ramp":
        assert np.median(np.hypot(fast.x - 0.6, fast.y + 0.7)[beside, 6:-6]) < 0.15


def test_a_fitted_peak_on_a_constant_reference_window_is_an_answer() -> None:
    """The fit may round to a shift whose reference window is constant: T is that of the means there."""
    reference, sample = moved((25, 25), (0.6, 0.4), frames=2, seed=173)
    reference[:, 13:20, 5:12] = 1
    slow, fast = (
        find_shift_field(reference, sample, window=5, margin=2, method="umpa", peak="poly_fit",
                         peak_size=5, device=device)
        for device in ("reference", "cpu")
    )  # fmt: skip
    assert slow.valid[13, 6]
    np.testing.assert_array_equal(fast.valid, slow.valid)
    for name in ("x", "y", "transmission"):
        one, two = getattr(fast, name)[13, 6], getattr(slow, name)[13, 6]
        assert one == pytest.approx(two, abs=1e-3), name


@pytest.mark.parametrize("method", METHODS)
def test_a_known_shift_is_found_with_its_sign(method: str) -> None:
    """X is the column, y the row, and content that moved by +s reads -s."""
    pattern: dict[str, Any] = {"sigma": 2.0, "frames": 3, "seed": 3}
    reference = speckle((60, 80), **pattern)
    sample = speckle((60, 80), shift=(2.4, -1.3), **pattern)
    field = find_shift_field(reference, sample, method=method, margin=5)
    assert np.median(field.x[field.valid]) == pytest.approx(2.4, abs=0.03)
    assert np.median(field.y[field.valid]) == pytest.approx(-1.3, abs=0.03)
    moved = find_shift_field(reference[:, 3:, 4:], reference[:, :-3, :-4], method=method, margin=5)
    assert np.all(np.round(moved.x[moved.valid]) == -4)
    assert np.all(np.round(moved.y[moved.valid]) == -3)


def test_gain_and_offset_of_the_sample_change_nothing_for_pearson() -> None:
    reference = speckle((50, 70), seed=1)
    sample = speckle((50, 70), seed=1, shift=(0.7, 0.2))
    plain = find_shift_field(reference, sample, margin=3)
    bright = find_shift_field(reference, 250 * sample.astype(np.float64) - 40, margin=3)
    np.testing.assert_allclose(bright.x, plain.x, atol=1e-4)
    np.testing.assert_allclose(bright.y, plain.y, atol=1e-4)


@pytest.mark.parametrize("device", ["cpu", "reference"])
@pytest.mark.parametrize(
    ("search", "pixels"),
    [
        ({"method": "umpa_dark", "window": 3, "weight": "hann"}, 2),  # the outer weights are 0
        ({"method": "umpa_dark", "window": 1}, 2),
        ({"method": "pearson", "window": 1}, 2),
        ({"method": "pearson", "window": 1, "search": "1d"}, 2),
    ],
)
def test_a_window_that_any_shift_fits_has_no_answer(
    search: dict[str, Any], pixels: int, device: str
) -> None:
    """Two pixels lie on some line at every shift: rounding alone would choose among them."""
    reference, sample = (
        speckle((24, 26), frames=2, seed=3, shift=shift) + 1 for shift in ((0, 0), (2, 1))
    )
    with pytest.warns(UserWarning, match=f"no answer .* needs more than 2 .* there are {pixels}"):
        field = find_shift_field(reference, sample, margin=4, device=device, **search)
    assert not field.valid.any()
    assert all(
        np.isnan(one[5:-5, 5:-5]).all()
        for one in (field.x, field.y, field.score, field.transmission, field.dark_field)
        if one is not None
    )


def test_a_window_of_one_pixel_more_has_an_answer() -> None:
    reference, sample = (
        speckle((24, 26), frames=2, seed=3, shift=shift) + 1 for shift in ((0, 0), (2, 1))
    )
    field = find_shift_field(reference, sample, margin=4, method="umpa", window=1)
    assert field.valid[8:-8, 8:-8].all()
