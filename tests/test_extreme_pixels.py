"""Huge numbers that say "no data", a detector's gaps, saturation: they spoil what they lie in, nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shiftfield import (
    find_global_shift_based_local_shifts,
    find_local_shifts,
    generate_correlation_map,
    normalize_image,
)
from shiftfield.maps import maker as map_maker
from shiftfield.synthetic import speckle

Float = NDArray[np.float64]
REF, SAM = (
    speckle((48, 54), seed=1, shift=shift).astype(float) * 100 + 50
    for shift in ((0, 0), (2.3, -1.4))
)


def coefficients(reference: Float, template: Float) -> Float:
    """Pearson's formula at each place, in numbers of wider range than float64."""
    (height, width), wide = template.shape, np.longdouble
    part = template.astype(wide) - template.astype(wide).mean()
    out = np.empty(np.subtract(reference.shape, template.shape) + 1)
    for i, j in np.ndindex(out.shape):
        window = reference[i : i + height, j : j + width].astype(wide)
        window = window - window.mean()
        out[i, j] = (window * part).sum() / np.sqrt((window**2).sum() * (part**2).sum())
    return out


@pytest.fixture(params=["together", "frame after frame"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param != "together":
        monkeypatch.setattr(map_maker, "_LARGE", 0)
    return str(request.param)


def a_map(reference: Float, template: Float, way: str) -> NDArray[np.float32]:
    """Return the map; frame after frame needs two frames, the second of which changes no coefficient."""
    if way == "together":
        return generate_correlation_map(reference, template)
    return generate_correlation_map(np.stack([reference] * 2), np.stack([template] * 2))


@pytest.mark.parametrize("value", [1e7, 2.0**53, -3.4e38, 1e120])
def test_a_map_is_right_beside_a_huge_pixel(value: float, way: str) -> None:
    """Also where two huge pixels are not of one size."""
    reference, template = REF.copy(), SAM[20:40, 15:40]
    reference[21, 30], reference[10, 5:9] = value, value / 3e8
    found = a_map(reference, template, way)
    np.testing.assert_allclose(found, coefficients(reference, template), atol=1e-6)


@pytest.mark.parametrize("factor", [1e-300, 1e-150, 1e150, 1e300])
def test_a_map_does_not_depend_on_the_unit_of_the_pixels(factor: float, way: str) -> None:
    template = SAM[20:40, 15:40]
    found = a_map(REF * factor, template * factor, way)
    np.testing.assert_allclose(found, coefficients(REF, template), atol=1e-6)


def test_squares_beyond_float64_are_unknown(way: str) -> None:
    reference, template = REF.copy(), SAM[20:40, 15:40]
    reference[21, 30] = 1e200
    found = a_map(reference, template, way)
    inside = np.zeros(reference.shape, bool)
    inside[21, 30] = True
    touched = np.lib.stride_tricks.sliding_window_view(inside, template.shape).any(axis=(2, 3))
    assert np.array_equal(np.isnan(found), touched)
    expected = coefficients(REF, template)
    np.testing.assert_allclose(found[~touched], expected[~touched], atol=1e-6)


@pytest.mark.parametrize("value", [2.0**53, -3.4e38])
def test_the_shift_of_points_beside_a_huge_pixel(value: float) -> None:
    reference = REF.copy()
    reference[20, 20] = value
    given: dict[str, Any] = {"list_ij": [[29, 27], [26, 30]], "return_list": True}
    x, y = find_global_shift_based_local_shifts(reference, SAM, 11, 6, **given)
    np.testing.assert_allclose([x, y], [[2.3, 2.3], [-1.4, -1.4]], atol=0.2)


def test_a_saturated_window_has_no_shift_in_a_normalised_image_either() -> None:
    sample = SAM.copy()
    sample[18:30, 16:32] = 255
    given: dict[str, Any] = {"list_ij": [[24, 36], [24, 40]], "return_list": True}
    for norm in (False, True):
        with pytest.warns(UserWarning, match="1 of 2 points have no answer"):
            x, y = find_global_shift_based_local_shifts(REF, sample, 7, 5, norm=norm, **given)
        assert np.isnan([x[0], y[0]]).all()
        np.testing.assert_allclose([x[1], y[1]], [2.3, -1.4], atol=0.3)
    with pytest.warns(UserWarning, match="pixels have no answer"):
        dense, _ = find_local_shifts(REF, sample, win_size=7, margin=5)
    assert np.isnan(dense[24, 24])


@pytest.mark.parametrize("axis", [0, 1])
def test_a_gap_of_the_detector_is_left_out_of_the_normalisation(axis: int) -> None:
    """A row without a finite pixel has no sum; that is not a sum of zero."""
    gap = (20, slice(None)) if axis == 0 else (slice(None), 20)
    reference = REF.copy()
    reference[gap] = np.nan
    flat = normalize_image(reference)
    assert np.isnan(flat[gap]).all()
    np.testing.assert_allclose(
        np.delete(flat, 20, axis), normalize_image(np.delete(REF, 20, axis)), atol=1e-12
    )
    x, y = find_global_shift_based_local_shifts(
        reference, SAM, 7, 5, norm=True, list_ij=[[36], [36]], return_list=True
    )
    np.testing.assert_allclose([x[0], y[0]], [2.3, -1.4], atol=0.3)


@pytest.mark.parametrize("shape", [(48, 54), (2, 24, 54)])
@pytest.mark.parametrize("factor", [1e-310, 1e200, 1e305])
def test_normalisation_does_not_depend_on_the_unit(shape: tuple[int, ...], factor: float) -> None:
    image = REF.reshape(shape)
    np.testing.assert_allclose(normalize_image(image * factor), normalize_image(image), atol=2e-9)


def test_a_longer_float_beyond_float64_is_no_number() -> None:
    """Without a warning of NumPy's; what it touches has no answer."""
    reference = REF.astype(np.longdouble)
    if reference.dtype == np.float64:
        pytest.skip("long double is float64 here")
    reference[20, 20] = np.longdouble("1e400")
    for norm in (False, True):
        with pytest.warns(UserWarning, match="pixels have no answer"):
            x, _ = find_local_shifts(reference, SAM, win_size=7, margin=5, norm=norm)
        assert np.isnan(x[20, 20])
        assert x[36, 40] == pytest.approx(2.3, abs=0.3)
