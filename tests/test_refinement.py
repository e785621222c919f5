"""Refinement by Gauss-Newton and its one sigma: against the specification, analytic truth, the noise's bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from shiftfield import Quality, ShiftField, find_shift_field
from shiftfield.synthetic import speckle

Real = NDArray[np.float64]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def moved(
    shape: tuple[int, int], shift: Any, *, sigma: float = 1.5, frames: int = 1, noise: float = 0.0, seed: int = 1
) -> tuple[Real, Real]:  # fmt: skip
    """Return (K, H, W) of speckle of contrast 0.15, and the same moved; both with white noise."""
    random = np.random.default_rng(seed)
    pattern: dict[str, Any] = {"sigma": sigma, "frames": frames, "seed": seed}
    pair = [speckle(shape, **pattern), speckle(shape, shift=shift, **pattern)]
    reference, sample = (
        image.reshape(frames, *shape) + noise * random.standard_normal((frames, *shape))
        for image in pair
    )
    return reference, sample


@pytest.mark.parametrize(
    ("method", "frames", "order", "weight", "window", "step"),
    [
        ("pearson", 1, 0, None, 9, 1),
        ("pearson", 1, 1, None, 13, 2),
        ("umpa", 2, 0, "hamming", 9, 2),
        ("umpa_dark", 2, 1, None, 11, 3),
        ("umpa_dark", 3, 0, None, 7, 3),
    ],
)
@pytest.mark.parametrize("refine", ["icgn", None])
def test_it_is_what_the_equations_say(
    method: str, frames: int, order: int, weight: str | None, window: int, step: int, refine: Any
) -> None:
    y, x = np.mgrid[:40, :48]
    reference, sample = moved((40, 48), (0.3 + 0.01 * x, 0.6 - 0.01 * y), frames=frames, noise=0.01)
    kind = np.float64 if frames == 2 else np.float32
    asked: dict[str, Any] = {
        "method": method, "window": window, "margin": 3, "weight": weight, "step": step,
        "refine": refine, "shape_order": order, "uncertainty": True,
    }  # fmt: skip
    found, wanted = (
        find_shift_field(
            reference.astype(kind), (0.8 * sample).astype(kind), device=device, **asked
        )
        for device in ("cpu", "reference")
    )
    assert wanted.valid.mean() > 0.3
    np.testing.assert_array_equal(found.valid, wanted.valid)
    for name, image in wanted.quantities().items():
        np.testing.assert_allclose(
            getattr(found, name), image, atol=3e-4 if "uncertainty" in name else 1e-4, err_msg=name
        )


@pytest.mark.parametrize(("sigma", "most"), [(1.0, 0.002), (1.5, 0.0015)])
@pytest.mark.parametrize("order", [0, 1])
def test_it_does_not_lean_towards_whole_pixels(sigma: float, most: float, order: int) -> None:
    for x, y in ((0.0, 0.125), (0.25, 0.375), (0.5, 0.625), (0.75, 0.9)):
        pair = moved((60, 120), (x, y), sigma=sigma)
        field = find_shift_field(*pair, window=21, margin=2, refine="icgn", shape_order=order)
        assert field.valid[12:-12, 12:-12].all()
        assert abs(np.nanmedian(field.x) - x) <= most
        assert abs(np.nanmedian(field.y) - y) <= most


def test_a_stretched_window_is_followed_by_first_order() -> None:
    y, x = np.mgrid[:70, :90]
    truth = 0.04 * (x - 45), 0.03 * (y - 35) + 0.02 * (x - 45)
    pair = moved((70, 90), truth, noise=0.003)
    moved_only, deformed = (
        find_shift_field(*pair, window=21, margin=4, refine="icgn", shape_order=order)
        for order in (0, 1)
    )
    both = moved_only.valid & deformed.valid
    assert both[16:-16, 20:-20].mean() > 0.95
    errors = [np.std((field.x - truth[0])[both]) for field in (moved_only, deformed)]
    assert errors[1] < 0.006 < errors[0]


def test_transmission_and_dark_field_are_those_between_pixels() -> None:
    """At the nearest whole pixel a sharp pattern matches itself badly, which reads as a dark field."""
    reference, moved_only = moved((60, 80), (0.5, 0.4), frames=4, sigma=1.0)
    level = reference.mean()
    sample = 0.7 * (level + 0.6 * (moved_only - level))
    asked: dict[str, Any] = {"method": "umpa_dark", "window": 9, "margin": 2}
    fitted, field = (
        find_shift_field(reference, sample, refine=refine, **asked) for refine in (None, "icgn")
    )
    assert field.transmission is not None
    assert field.dark_field is not None
    assert fitted.dark_field is not None
    np.testing.assert_allclose(field.transmission[field.valid], 0.7, atol=1e-3)
    np.testing.assert_allclose(field.dark_field[field.valid], 0.6, atol=5e-3)
    assert np.nanmedian(np.abs(fitted.dark_field - 0.6)) > 0.05


@pytest.mark.parametrize(("noise", "sigma"), [(0.01, 1.0), (0.03, 1.5), (0.01, 2.5)])
def test_its_scatter_is_near_the_bound_of_cramer_and_rao(noise: float, sigma: float) -> None:
    """Variance of a shift at least 2 noise^2 / sum of (dS/dx)^2: both images are noisy."""
    shape, near = (160, 200), 0.01
    left, right = (
        speckle(shape, sigma=sigma, seed=1, shift=(by, 0)).astype(float) for by in (-near, near)
    )
    slopes = 21**2 * uniform_filter(((right - left) / (2 * near)) ** 2, 21)
    ratios = []
    for x in (0.0, 0.35, 0.5):
        pair = moved(shape, (x, 0.2), sigma=sigma, noise=noise)
        field = find_shift_field(*pair, window=21, margin=2, refine="icgn")
        bound = np.sqrt(2 * noise**2 / slopes)[field.valid]
        ratios.append(np.mean(((field.x[field.valid] - x) / bound) ** 2))
    assert np.sqrt(np.mean(ratios)) < 1.2


@pytest.mark.parametrize(("method", "frames"), [("pearson", 1), ("umpa", 1), ("umpa_dark", 3)])
@pytest.mark.parametrize("refine", ["icgn", None])
@pytest.mark.parametrize("noise", [0.005, 0.05])
def test_68_percent_of_errors_lie_within_one_sigma(
    method: str, frames: int, refine: Any, noise: float
) -> None:
    within: dict[int, list[Any]] = {}
    for window in (7, 15):
        for x, y in ((0.1, 0.3), (1.4, 0.55), (0.75, -0.9)):
            pair = moved((110, 150), (x, y), frames=frames, noise=noise, sigma=1.5)
            field = find_shift_field(
                *pair, method=method, window=window, margin=3, refine=refine, uncertainty=True
            )
            sure = field.valid & (np.hypot(field.x - x, field.y - y) < 1)
            within.setdefault(window, []).extend(
                (np.abs(found - true) < sigma)[sure]
                for found, true, sigma in (
                    (field.x, x, field.uncertainty_x), (field.y, y, field.uncertainty_y),
                )
            )  # fmt: skip
    for window, hits in within.items():
        assert 0.6 <= np.concatenate(hits).mean() <= 0.76, window


def test_what_does_not_converge_has_no_answer_and_says_so() -> None:
    """Of images that have nothing in common some windows lead nowhere: never the start value dressed up."""
    random = np.random.default_rng(0)
    reference, sample = random.random((2, 60, 80))
    asked: dict[str, Any] = {"window": 7, "margin": 4}
    fitted = find_shift_field(reference, sample, **asked)
    field = find_shift_field(reference, sample, refine="icgn", uncertainty=True, **asked)
    lost = fitted.valid & ~field.valid
    assert lost.mean() > 0.05
    for name, image in field.quantities().items():
        if name not in ("valid", "quality"):
            assert np.isnan(image[lost]).all(), name
    kept = field.valid
    away = np.abs(field.x - np.rint(fitted.x))[kept]
    assert away.max() <= 1.5
    assert Quality.NOT_CONVERGED in Quality(32)


@pytest.mark.parametrize("order", [0, 1])
def test_neither_threads_nor_memory_nor_step_change_a_bit(order: int) -> None:
    reference, sample = (
        image.astype(np.float32) for image in moved((150, 300), (0.3, 1.2), noise=0.01)
    )
    asked: dict[str, Any] = {
        "window": 9, "margin": 3, "refine": "icgn", "shape_order": order, "uncertainty": True,
    }  # fmt: skip
    whole = find_shift_field(reference, sample, ncore=1, **asked)
    from_file = find_shift_field(_Slow(reference), _Slow(sample), memory="12 MB", **asked)
    coarse = find_shift_field(reference, sample, step=3, **asked)
    for name, image in whole.quantities().items():
        np.testing.assert_array_equal(getattr(from_file, name), image)
        np.testing.assert_array_equal(getattr(coarse, name), image[::3, ::3])


class _Slow:
    """A stack that is read by slices, as a file is."""

    def __init__(self, data: NDArray[np.float32]) -> None:
        self.data, self.shape, self.dtype = data, data.shape, data.dtype

    def __getitem__(self, at: Any) -> NDArray[np.float32]:
        return self.data[at].copy()


def test_a_gap_spoils_no_more_than_its_neighbourhood() -> None:
    """Splines reach far: a NaN, or a detector's 2^32 - 1 taken for one, must not."""
    reference, sample = moved((80, 100), (0.4, 0.2))
    clean = find_shift_field(reference, sample, window=9, margin=2, refine="icgn")
    reference[0, 40, 50] = sample[0, 20, 30] = np.nan
    field = find_shift_field(reference, sample, window=9, margin=2, refine="icgn")
    far = field.valid.copy()
    assert clean.valid.sum() - far.sum() < 2 * 13**2 + 9**2
    assert np.abs(field.x - clean.x)[far].max() < 0.01


def test_it_needs_a_search_in_both_axes() -> None:
    pair = moved((60, 60), (0.2, 0.2), frames=2)
    with pytest.raises(
        ValueError, match=r"refine is 'icgn' with search '1d'; it needs search '2d'"
    ):
        find_shift_field(*pair, search="1d", refine="icgn")
    with pytest.raises(ValueError, match=r"uncertainty is 'yes'; allowed are True and False"):
        find_shift_field(*pair, uncertainty="yes")  # type: ignore[arg-type]


def test_it_runs_on_the_cpu_where_a_gpu_was_asked_for() -> None:
    pair = moved((40, 50), (0.2, 0.2))
    with pytest.warns(UserWarning, match="the CPU is used"):
        field: ShiftField = find_shift_field(*pair, margin=2, refine="icgn", device="gpu")
    np.testing.assert_array_equal(field.x, find_shift_field(*pair, margin=2, refine="icgn").x)
