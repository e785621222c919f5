"""The synthetic images are what their formulas say; searching them is tested elsewhere, but for two scans."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import shiftfield
from shiftfield.synthetic import (
    SpeckleScan,
    bad_pixels,
    camera,
    gaussian,
    lens,
    poisson_noise,
    speckle,
    speckle_scan,
    sphere,
)


def test_mean_and_contrast_are_as_asked() -> None:
    """About 19,000 independent speckles: the mean is known to 0.7 % of the deviation, that to 0.5 %."""
    image = speckle((1024, 1024), sigma=2, seed=1, mean=500, contrast=0.1).astype(float)
    assert image.mean() == pytest.approx(500, abs=0.03 * 50)
    assert image.std() == pytest.approx(50, rel=0.02)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 3.0])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_autocorrelation_is_the_formula(sigma: float, axis: int) -> None:
    image = speckle((1024, 1024), sigma=sigma, seed=2).astype(float)
    image = np.moveaxis(image - image.mean(), axis, 0)
    for lag in range(1, 8):
        found = np.mean(image[lag:] * image[:-lag]) / image.var()
        assert found == pytest.approx(np.exp(-(lag**2) / (4 * sigma**2)), abs=0.04)


def test_the_variance_is_the_same_everywhere_on_the_lattice() -> None:
    """Mean over many patterns of z^2 at places on and between the points of the lattice of blobs."""
    places = np.linspace(0, 1.5, 7)
    shift = (np.tile(places, (7, 1)), np.tile(places[:, None], (1, 7)))
    at_origin = np.array(
        [-np.arange(7.0)[None, :].repeat(7, 0), -np.arange(7.0)[:, None].repeat(7, 1)]
    )
    z = (speckle((7, 7), frames=20000, shift=tuple(np.add(shift, at_origin))) - 1.0) / 0.15
    np.testing.assert_allclose(np.mean(z.astype(float) ** 2, axis=0), 1, atol=0.05)


def test_no_intensity_is_negative_at_the_highest_contrast() -> None:
    assert speckle((1024, 1024), contrast=0.16, seed=5).min() > 0


def test_a_whole_pixel_shift_is_a_slice() -> None:
    """sample(i, j) = reference(i + y, j + x), to the last bit."""
    reference = speckle((60, 70), seed=3)
    sample = speckle((60, 70), seed=3, shift=(4, -7))
    np.testing.assert_array_equal(sample[7:, :-4], reference[:-7, 4:])


def test_a_shift_field_moves_every_pixel_to_its_own_place() -> None:
    """With x = j - i and y = i - j the transposed image; with x = j every second column of a wider one."""
    i, j = np.mgrid[:40, :40].astype(float)
    reference = speckle((40, 80), seed=4)
    np.testing.assert_array_equal(
        speckle((40, 40), seed=4, shift=(i - j, j - i)), reference[:, :40].T
    )
    np.testing.assert_array_equal(speckle((40, 40), seed=4, shift=(j, 0 * i)), reference[:, ::2])


@pytest.mark.parametrize("shift", [(0.5, 0.0), (0.0, 0.5), (-1.3, 2.7)])
def test_a_part_of_a_pixel_agrees_with_interpolation(shift: tuple[float, float]) -> None:
    """Quintic splines know an image this smooth to a thousandth of its deviation."""
    reference = speckle((80, 80), sigma=2.5, seed=6).astype(float)
    sample = speckle((80, 80), sigma=2.5, seed=6, shift=shift)
    x, y = shift
    interpolated = ndimage.shift(reference, (-y, -x), order=5)
    inside = (slice(12, -12),) * 2
    np.testing.assert_allclose(sample[inside], interpolated[inside], atol=1e-3 * 0.15)


def test_an_array_of_one_shift_is_that_shift() -> None:
    x, y = np.full((30, 20), 0.7), np.full((30, 20), -1.2)
    np.testing.assert_array_equal(
        speckle((30, 20), shift=(x, y)), speckle((30, 20), shift=(0.7, -1.2))
    )


def test_a_pattern_depends_on_neither_size_nor_number_of_frames() -> None:
    """1200 x 1000 px are computed in blocks of rows, the corner in one."""
    large = speckle((1200, 1000), frames=3, seed=8)
    np.testing.assert_array_equal(speckle((1100, 50), frames=2, seed=8), large[:2, :1100, :50])
    np.testing.assert_array_equal(speckle((20, 50), seed=8), large[0, :20, :50])


def test_seeds_and_frames_are_repeatable_and_independent() -> None:
    first, again, other = (speckle((256, 256), frames=4, seed=seed) for seed in (9, 9, 10))
    np.testing.assert_array_equal(first, again)
    together = np.corrcoef(np.concatenate([first, other]).reshape(8, -1))
    assert np.abs(together - np.eye(8)).max() < 0.08


def test_memory_is_bounded() -> None:
    tracemalloc.start()
    try:
        image = speckle((512, 512), frames=8)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < image.nbytes + 100e6


def regression(scan: SpeckleScan) -> tuple[Any, Any]:
    """T and V of every pixel from the line through its (reference, sample) values over the frames."""
    r, s = scan.reference.astype(float), scan.sample.astype(float)
    dr, ds = r - r.mean(axis=0), s - s.mean(axis=0)
    slope = (dr * ds).sum(axis=0) / (dr * dr).sum(axis=0)
    transmission = slope + (s.mean(axis=0) - slope * r.mean(axis=0)) / r.mean()
    return transmission, slope / transmission


def test_transmission_and_dark_field_are_the_models() -> None:
    """Without displacement each pixel's frames lie on the line S = T (m + V (R - m))."""
    scan = speckle_scan((80, 100), frames=12, displacement=0, transmission=0.6, dark_field=0.3)
    transmission, dark_field = regression(scan)
    np.testing.assert_allclose(transmission, scan.transmission, atol=1e-4)
    np.testing.assert_allclose(dark_field, scan.dark_field, atol=1e-4)
    assert scan.transmission.min() == pytest.approx(0.6, abs=0.01)
    assert scan.dark_field.min() == pytest.approx(0.3, abs=0.01)


def test_a_scans_sample_is_the_moved_pattern() -> None:
    """Without absorption and scattering nothing but `speckle` at the truth's shift is left."""
    scan = speckle_scan((64, 80), frames=2, seed=3, transmission=1, dark_field=1, mean=1)
    moved = speckle((64, 80), frames=2, seed=3, shift=(scan.x, scan.y))
    np.testing.assert_allclose(scan.sample, moved, atol=1e-5)
    np.testing.assert_array_equal(scan.reference, speckle((64, 80), frames=2, seed=3))


def test_the_lens_focuses_and_its_longest_shift_is_as_asked() -> None:
    scan = speckle_scan((201, 201), frames=1, displacement=3)
    assert np.hypot(scan.x, scan.y).max() == pytest.approx(3, abs=0.01)
    assert scan.x[100, 140] > 2
    assert scan.y[140, 100] > 2
    assert scan.x[100, 100] == pytest.approx(0, abs=1e-6)
    assert scan.sample.shape == scan.reference.shape == (1, 201, 201)


def test_noise_is_as_asked_and_repeatable() -> None:
    clean, noisy, again = (speckle_scan((128, 128), frames=2, noise=n) for n in (0, 0.02, 0.02))
    for name in ("reference", "sample"):
        difference = getattr(noisy, name) - getattr(clean, name)
        assert difference.std() == pytest.approx(20, rel=0.03)
        np.testing.assert_array_equal(getattr(noisy, name), getattr(again, name))


def test_a_search_finds_the_truth() -> None:
    """UMPA with dark field: nine of ten shifts to a tenth of a px, T to 1 %, V to 6 %.

    V is read at the nearest whole shift, and so up to exp(-0.5 / (4 sigma^2)) too low: 5 % here.
    """
    scan = speckle_scan((140, 160), frames=5, displacement=1.5)
    field = shiftfield.find_shift_field(
        scan.reference, scan.sample, method="umpa_dark", window=9, margin=3
    )
    known = field.valid
    for name, tolerance in (("x", 0.1), ("y", 0.1), ("transmission", 0.01), ("dark_field", 0.06)):
        error = np.abs(getattr(field, name) - getattr(scan, name))[known]
        assert np.percentile(error, 90) < tolerance, name
    assert known.sum() == (140 - 14) * (160 - 14)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"shape": (10,)}, "shape is (10,); it must be two positive whole numbers (H, W)."),
        ({"shape": (10, 0)}, "shape is (10, 0)"),
        ({"frames": 0}, "frames is 0; it must be a positive whole number."),
        ({"sigma": -1}, "sigma is -1; it must be a positive number of px."),
        ({"contrast": 0.5}, "contrast is 0.5; it must lie in 0..0.16."),
        ({"shift": 3}, "shift is 3; it must be a pair (x, y) of numbers or of (H, W) arrays."),
        ({"shift": (np.zeros((3, 4)), 0)}, "The x shift has shape (3, 4); allowed are () and (10, 12)."),
        ({"shift": (0, np.nan)}, "The y shift has a NaN or inf; it must be finite everywhere."),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused_in_a_sentence(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the sentence is compared below
        speckle(**({"shape": (10, 12)} | arguments))
    assert str(refusal.value).startswith(said)


def test_negative_noise_is_refused() -> None:
    with pytest.raises(ValueError, match="noise is -1"):
        speckle_scan((10, 12), noise=-1)


# Drift.


def test_every_frame_drifts_by_itself() -> None:
    """Frame k of a stack is the speckle of shift + drift[k], and the truth says by how much more than x and y."""
    random = np.random.default_rng(1)
    reference_drift, sample_drift = random.normal(size=(2, 3, 2))
    scan = speckle_scan(
        (40, 50), 3, transmission=1, dark_field=1, mean=1, shift=(1.5, -0.5),
        reference_drift=reference_drift, sample_drift=sample_drift,
    )  # fmt: skip
    still = speckle_scan((40, 50), 3, transmission=1, dark_field=1, mean=1, shift=(1.5, -0.5))
    np.testing.assert_allclose(scan.drift, sample_drift - reference_drift)
    np.testing.assert_array_equal(still.drift, 0)
    for k in range(3):
        for frames, (x, y), base in (
            (scan.reference, reference_drift[k], (0, 0)),
            (scan.sample, sample_drift[k], (1.5, -0.5)),
        ):
            wanted = speckle((40, 50), frames=3, shift=(base[0] + x, base[1] + y))[k]
            np.testing.assert_allclose(frames[k], wanted, atol=1e-5)


def test_a_search_of_one_drifting_frame_finds_shift_and_drift() -> None:
    scan = speckle_scan(
        (70, 80), 2, displacement=0, transmission=1, dark_field=1,
        sample_drift=[(0, 0), (1.25, -0.75)],
    )  # fmt: skip
    for k in range(2):
        found = shiftfield.find_shift_field(
            scan.reference[k], scan.sample[k], window=15, margin=3, refine="icgn"
        )
        assert np.nanmedian(found.x) == pytest.approx(scan.drift[k, 0], abs=0.005)
        assert np.nanmedian(found.y) == pytest.approx(scan.drift[k, 1], abs=0.005)


# Cameras.


def test_shot_noise_is_poissons() -> None:
    """Variance = mean / photons, skewness = 1 / sqrt(photons counted); the same seed gives the same noise."""
    image = np.full((500, 500), 40.0)
    noisy = poisson_noise(image, photons=0.25, seed=3)
    assert noisy.mean() == pytest.approx(40, abs=0.1)
    assert noisy.var() == pytest.approx(160, rel=0.02)
    z = (noisy - 40) / np.sqrt(160)
    assert np.mean(z**3) == pytest.approx(1 / np.sqrt(10), abs=0.03)
    np.testing.assert_array_equal(noisy, poisson_noise(image, photons=0.25, seed=3))
    assert (noisy != poisson_noise(image, photons=0.25, seed=4)).any()


def test_a_cameras_grey_levels_follow_its_model() -> None:
    """Photon transfer: variance = gain^2 (N + read_noise^2) + 1/12 of the whole numbers, at two intensities."""
    for intensity in (0.0, 300.0):
        grey = camera(
            np.full((400, 400), intensity), photons=2, gain=0.8, read_noise=5, offset=120, seed=1
        )
        assert grey.dtype == np.uint16
        assert grey.mean() == pytest.approx(120 + 0.8 * 2 * intensity, abs=0.2)
        assert grey.var() == pytest.approx(0.64 * (2 * intensity + 25) + 1 / 12, rel=0.02)


def test_a_camera_saturates_and_has_no_negative_grey() -> None:
    assert (camera(np.full((9, 9), 1e6)) == 65535).all()
    assert camera(np.zeros((99, 99)), read_noise=9, offset=0).min() == 0


def test_bad_pixels_are_as_many_as_asked_and_the_mask_knows_them() -> None:
    stack = speckle((100, 120), frames=3, mean=1000)
    bad, good = bad_pixels(stack, dead=0.01, hot=0.02, seed=5)
    assert good.shape == (100, 120)
    assert (~good).sum() == 360
    np.testing.assert_array_equal(bad[:, good], stack[:, good])
    values = bad[:, ~good]
    assert np.count_nonzero(values == 0) == 3 * 120
    assert np.count_nonzero(values == 4 * stack.max()) == 3 * 240
    grey, _ = bad_pixels(camera(stack), dead=0.01, hot=0.02, seed=5)
    assert np.count_nonzero(grey == 65535) == 3 * 240
    assert np.shares_memory(stack, bad) is False


# Objects.

SETUP: dict[str, Any] = {"pixel_size": 2e-6, "distance": 0.8, "energy": 15.0, "delta": 3e-7}
OBJECTS: list[Any] = [
    (lens, {"radius": 2e-4}),
    (sphere, {"radius": 5e-5}),
    (gaussian, {"width": 3e-5, "height": -4e-5}),
]


@pytest.mark.parametrize(("make", "size"), OBJECTS)
def test_phase_angle_and_shift_of_an_object_belong_together(make: Any, size: Any) -> None:
    """Phase = -k delta t; k * angle is the phase's difference across each pixel; shift = -angle * z / pixel."""
    fine = make((43, 63), **(SETUP | {"pixel_size": 1e-6}), **size)
    found = make((21, 31), **SETUP, **size)
    wave_number = 2 * np.pi * 15.0 / 1.2398419843320026e-9
    np.testing.assert_allclose(found.phase, -wave_number * 3e-7 * found.thickness)
    across = fine.phase[1::2, 2::2] - fine.phase[1::2, :-2:2]  # half a coarse pixel to either side
    np.testing.assert_allclose(
        found.refraction_x * wave_number * 2e-6, across, rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(found.x, -found.refraction_x * 0.8 / 2e-6)
    np.testing.assert_allclose(found.y, -found.refraction_y * 0.8 / 2e-6)
    assert found.shift == (found.x, found.y)


def test_objects_have_the_thickness_of_their_name() -> None:
    ball = sphere((51, 61), **SETUP, radius=4e-5, centre=(30, 25))
    assert ball.thickness[25, 30] == pytest.approx(8e-5)
    assert ball.thickness[25, 30 + 12] == pytest.approx(2 * np.sqrt(4e-5**2 - 2.4e-5**2))
    assert ball.thickness[25, 51] == 0
    assert ball.x[25, 40] < 0  # it spreads: speckles lie further out than their match
    bump = gaussian((51, 61), **SETUP, width=3e-5, height=7e-5)
    assert bump.thickness[25, 30] == pytest.approx(7e-5)
    assert bump.thickness[25, 45] == pytest.approx(7e-5 * np.exp(-0.5))


def test_a_lens_focuses_at_its_focal_length() -> None:
    """Half way to the focus, radius / delta, all is half as large: p = q / 2, so the shift at p is p."""
    there = lens((41, 41), 2e-6, 0.5, 15.0, delta=1e-4, radius=1e-4, rays=True)
    np.testing.assert_allclose(there.x[20], np.arange(41) - 20, atol=1e-6)
    weak = lens((41, 41), 2e-6, 0.5, 15.0, delta=1e-4, radius=1e-4)
    np.testing.assert_allclose(weak.x[20], (np.arange(41) - 20) / 2, atol=1e-9)


def test_rays_are_followed_to_where_they_crossed_the_object() -> None:
    """Where the ray seen at p crossed, p + shift, the angle is -shift * pixel / distance."""
    there = gaussian((80, 90), **SETUP, width=3e-5, height=-9e-5, rays=True)
    pixel, middle = SETUP["pixel_size"], ((90 - 1) / 2, (80 - 1) / 2)
    for i, j in ((40, 60), (20, 30), (70, 44)):
        row, column = i + there.y[i, j], j + there.x[i, j]
        moved = gaussian(
            (80, 90), **SETUP, width=3e-5, height=-9e-5,
            centre=(middle[0] - (column - j), middle[1] - (row - i)),
        )  # fmt: skip
        assert there.x[i, j] == pytest.approx(-moved.refraction_x[i, j] * 0.8 / pixel, abs=1e-8)
        assert there.y[i, j] == pytest.approx(-moved.refraction_y[i, j] * 0.8 / pixel, abs=1e-8)
        assert np.hypot(there.x[i, j], there.y[i, j]) > 0.05


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: lens((9, 9), **(SETUP | {"energy": 15000}), radius=1), "energy is 15000; it is in keV"),
        (lambda: lens((9, 9), **(SETUP | {"pixel_size": 2}), radius=1), "pixel_size is 2; it is in m"),
        (lambda: lens((9, 9), **(SETUP | {"delta": -1e-7}), radius=1), "delta is -1e-07; it must be a positive"),
        (lambda: sphere((9, 9), **SETUP, radius=0), "radius is 0; it must be a positive number of m."),
        (lambda: lens((9, 9), **SETUP, radius=1e-9, rays=True), "rays is True, but rays cross"),
        (lambda: poisson_noise([-1.0]), "The images have a negative intensity"),
        (lambda: camera([1.0], gain=0), "gain is 0; it must be a positive number."),
        (lambda: camera([1.0], read_noise=-1), "read_noise is -1; it must be a number of at least 0."),
        (lambda: bad_pixels(np.ones((3, 3)), dead=0.6, hot=0.6), "dead is 0.6 and hot is 0.6; together"),
        (lambda: bad_pixels(np.ones(3)), "The images have shape (3,); they must be 2-D or 3-D."),
        (lambda: speckle_scan((9, 9), 2, sample_drift=[(0, 0)]), "sample_drift has shape (1, 2); it must be"),
        (lambda: speckle_scan((9, 9), 2, shift=(np.zeros((3, 4)), 0)), "The x shift has shape (3, 4)"),
    ],
)  # fmt: skip
def test_bad_arguments_of_the_bench_are_refused_in_a_sentence(call: Any, said: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the sentence is compared below
        call()
    assert str(refusal.value).startswith(said)
