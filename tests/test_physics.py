"""Phase, transmission and dark field, strain and warping against fields whose truth is a formula."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import lsqr

import shiftfield
from shiftfield import Settings, ShiftField
from shiftfield.physics import least_squares, rectangle
from shiftfield.physics.warping import places_in_sample
from shiftfield.synthetic import PhaseObject, gaussian, lens, speckle, speckle_scan, sphere

Float = NDArray[np.float64]

METHODS = ["scs", "fc", "dct", "least_squares"]
SHAPES = [(97, 180), (180, 97), (128, 129)]
SETUP = {"pixel_size": 1e-6, "distance": 0.5, "energy": 20.0}
DELTA = 5e-7


def field_of(
    x: Any, y: Any, known: NDArray[np.bool_] | None = None, *, step: int = 1, **more: Any
) -> ShiftField:
    """A field of float64 shifts, so that what is tested is not the rounding of float32."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    valid = np.ones(x.shape, dtype=bool) if known is None else known
    x, y = np.where(valid, x, np.nan), np.where(valid, y, np.nan)
    shape = tuple(step * (n - 1) + 1 for n in x.shape)
    return ShiftField(
        x=x, y=y, valid=valid, score=x, settings=Settings(step=step), image_shape=shape, **more
    )


def errors(found: Float, truth: Float) -> tuple[float, float]:
    """Rms difference, the mean aside, in percent of the truth's range and of its rms, where known."""
    at = np.isfinite(found)
    difference = (found - truth)[at]
    difference -= difference.mean()
    return 100 * difference.std() / np.ptp(truth[at]), 100 * difference.std() / truth[at].std()


def grid(shape: tuple[int, int]) -> tuple[Float, Float]:
    """(x, y) from the middle of the image, px."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    return x - (shape[1] - 1) / 2, y - (shape[0] - 1) / 2


def distance_from_centre(shape: tuple[int, int]) -> Float:
    return np.hypot(*grid(shape))


# The sign, the units.


def test_a_focusing_lens_pulls_speckles_in_and_its_phase_has_its_top_in_the_middle() -> None:
    """X-rays: a lens that focuses is thin in the middle, and thickness is minus the phase."""
    there = lens((61, 81), **SETUP, delta=DELTA, radius=1e-4)
    found = shiftfield.phase(field_of(there.x, there.y), **SETUP)
    assert there.x[30, 70] > 0  # the match in the reference lies further out
    assert found.refraction_x[30, 70] < 0  # the ray is turned to the centre
    assert np.unravel_index(np.argmax(found.phase), found.phase.shape) == (30, 40)
    assert np.unravel_index(np.argmin(found.thickness(DELTA)), found.phase.shape) == (30, 40)


def test_angles_slopes_phase_and_thickness_have_their_units() -> None:
    """A wedge of 1 in 1000 along x: everything follows from its angle with no more than a table of constants.

    delta 1e-6, slope 1e-3: rays turned by -1e-9 rad, at 1 m and 1e-7 m a pixel seen 0.01 px to the left of
    where they were: shift +0.01 px. At 12.398 keV the wavelength is 1e-10 m: -2 pi 1e10 * 1e-9 * 1e-7 rad a px.
    """
    wedge = field_of(np.full((5, 9), 0.01), np.zeros((5, 9)))
    found = shiftfield.phase(wedge, 1e-7, 1.0, 12.398419843320026)
    np.testing.assert_allclose(found.wavelength, 1e-10, rtol=1e-12)
    np.testing.assert_allclose(found.refraction_x, -1e-9, rtol=1e-12)
    np.testing.assert_allclose(found.differential_x, -2 * np.pi * 1e-6, rtol=1e-12)
    np.testing.assert_allclose(np.diff(found.phase, axis=1), -2 * np.pi * 1e-6, rtol=1e-9)
    thickness = found.thickness(1e-6)
    np.testing.assert_allclose(np.diff(thickness, axis=1), 1e-3 * 1e-7, rtol=1e-9)
    np.testing.assert_allclose(np.diff(thickness, axis=0), 0, atol=1e-20)
    assert abs(found.phase.mean()) < 1e-15


def test_a_cone_beam_shows_slopes_of_smaller_pixels() -> None:
    """Magnified by 4 the same angle makes the same shift, and a pixel is a quarter as large on the object."""
    there = gaussian((40, 50), **SETUP, delta=DELTA, width=1e-5, height=2e-5)
    field = field_of(there.x, there.y)
    plain, cone = (shiftfield.phase(field, **SETUP, magnification=m) for m in (1, 4))
    np.testing.assert_array_equal(plain.refraction_x, cone.refraction_x)
    np.testing.assert_allclose(plain.phase / 4, cone.phase, atol=1e-12)


def test_thickness_is_counted_from_where_there_is_nothing() -> None:
    there = sphere((101, 141), **SETUP, delta=DELTA, radius=3e-5)
    found = shiftfield.phase(field_of(there.x, there.y), **SETUP)
    empty = distance_from_centre((101, 141)) > 35
    thickness = found.thickness(DELTA, empty=empty)
    assert abs(thickness[empty].mean()) < 1e-18
    assert thickness.max() == pytest.approx(6e-5, rel=0.03)


# The four methods.


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_lens_is_found_on_any_shape(method: str, shape: tuple[int, int]) -> None:
    """Slopes largest at the borders, which a periodic method cannot stand; centre off the middle."""
    there = lens(shape, **SETUP, delta=DELTA, radius=1e-4, centre=(70.3, 40.8))
    found = shiftfield.phase(field_of(there.x, there.y), **SETUP, method=method)
    limit = 0.3 if method == "fc" else 1e-6  # a parabola's differences are exactly the mean slopes
    assert max(errors(found.phase, there.phase)) < limit


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(150, 270), (271, 150)])
def test_a_whole_sphere_is_found_on_any_shape(method: str, shape: tuple[int, int]) -> None:
    """Radius 60 px, rim and all, the slopes the means across each pixel: 1 % of its rms, 0.3 % of its range."""
    there = sphere(shape, **SETUP, delta=DELTA, radius=6e-5)
    found = shiftfield.phase(field_of(there.x, there.y), **SETUP, method=method)
    of_range, of_rms = errors(found.phase, there.phase)
    assert of_rms < 1
    assert of_range < 0.3
    of_range, _ = errors(found.thickness(DELTA), there.thickness)
    assert of_range < 0.3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("make", [lens, sphere])
def test_a_round_aperture_with_holes_is_found(
    method: str, make: Callable[..., PhaseObject]
) -> None:
    """Known in a disc, without a bar, a spot and one pixel in ten: what is unknown has no say."""
    shape = (131, 190)
    there = make(shape, **SETUP, delta=DELTA, radius=6e-5)
    r = distance_from_centre(shape)
    x, y = grid(shape)
    known = (r < 57) & ~((np.abs(x - 20) < 4) & (y > -30)) & (np.hypot(x + 20, y) > 8)
    known &= np.random.default_rng(0).random(shape) > 0.1
    found = shiftfield.phase(field_of(there.x, there.y, known), **SETUP, method=method)
    assert max(errors(found.phase, there.phase)) < 0.6
    assert found.phase.shape == shape
    np.testing.assert_array_equal(np.isfinite(found.phase), found.pieces > 0)
    assert not (np.isfinite(found.phase) & ~known).any()
    for quantity in (
        found.refraction_x,
        found.refraction_y,
        found.differential_x,
        found.differential_y,
    ):
        np.testing.assert_array_equal(np.isfinite(quantity), known)


@pytest.mark.parametrize("method", METHODS)
def test_the_step_of_a_field_changes_neither_phase_nor_slope(method: str) -> None:
    there = gaussian((121, 181), **SETUP, delta=DELTA, width=2.5e-5, height=-2e-5)
    coarse = shiftfield.phase(
        field_of(there.x[::3, ::3], there.y[::3, ::3], step=3), **SETUP, method=method
    )
    fine = shiftfield.phase(field_of(there.x, there.y), **SETUP, method=method)
    np.testing.assert_allclose(coarse.differential_x, fine.differential_x[::3, ::3])
    assert errors(coarse.phase, there.phase[::3, ::3])[1] < 0.3


@pytest.mark.parametrize("method", METHODS)
def test_the_border_of_a_field_has_no_phase(method: str) -> None:
    """The NaN of 8 px around a field are cut off, and what is inside is as without them."""
    there = lens((70, 90), **SETUP, delta=DELTA, radius=1e-4)
    inside = np.s_[8:-8, 8:-8]
    known = np.zeros((70, 90), dtype=bool)
    known[inside] = True
    framed = shiftfield.phase(field_of(there.x, there.y, known), **SETUP, method=method)
    alone = shiftfield.phase(field_of(there.x[inside], there.y[inside]), **SETUP, method=method)
    np.testing.assert_array_equal(framed.phase[inside], alone.phase)
    assert np.isnan(framed.phase[~known]).all()


def test_pieces_that_do_not_touch_have_their_own_constant() -> None:
    """Two halves and a pixel on its own, which has no phase; diagonal neighbours are not joined."""
    there = lens((40, 60), **SETUP, delta=DELTA, radius=1e-4)
    known = np.ones((40, 60), dtype=bool)
    known[:, 30] = False
    known[:5, :5] = False
    known[2, 2] = known[3, 3] = True
    for method in METHODS:
        found = shiftfield.phase(field_of(there.x, there.y, known), **SETUP, method=method)
        assert found.pieces.max() == 2
        assert np.isnan(found.phase[2, 2])
        assert np.isnan(found.phase[3, 3])
        for half in (np.s_[:, :30], np.s_[:, 31:]):
            assert abs(np.nanmean(found.phase[half])) < 1e-12
            assert errors(found.phase[half], there.phase[half])[1] < 1, method


@pytest.mark.parametrize("shape", [(5, 8), (6, 5), (2, 2), (9, 4)])
def test_poisson_solvers_solve_their_least_squares(shape: tuple[int, int]) -> None:
    """On noise, which no phase has: the sums of squares over neighbours, solved as dense matrices.

    "dct": all neighbours alike. "scs": those along the border by half, as the trapezoidal rule has it.
    """
    random = np.random.default_rng(5)
    x, y = random.normal(size=(2, *shape))
    across, down = np.ones((shape[0], shape[1] - 1)), np.ones((shape[0] - 1, shape[1]))
    wanted = by_dense_matrix(x, y, across, down)
    np.testing.assert_allclose(level(rectangle.poisson_between_samples(x, y)), wanted, atol=1e-12)
    across[[0, -1]] = 0.5
    down[:, [0, -1]] = 0.5
    wanted = by_dense_matrix(x, y, across, down)
    np.testing.assert_allclose(level(rectangle.poisson_at_samples(x, y)), wanted, atol=1e-12)


def by_dense_matrix(x: Float, y: Float, across: Float, down: Float) -> Float:
    """Minimise sum w (difference - mean slope)^2 by `numpy.linalg.lstsq`; the mean is 0."""
    number = np.arange(x.size).reshape(x.shape)
    rows, right = [], []
    for g, w, a, b in (
        (x, across, np.s_[:, :-1], np.s_[:, 1:]),
        (y, down, np.s_[:-1], np.s_[1:]),
    ):
        for first, second, slope, heavy in zip(
            number[a].ravel(),
            number[b].ravel(),
            ((g[a] + g[b]) / 2).ravel(),
            w.ravel(),
            strict=True,
        ):
            row = np.zeros(x.size)
            row[second], row[first] = np.sqrt(heavy), -np.sqrt(heavy)
            rows.append(row)
            right.append(np.sqrt(heavy) * slope)
    found = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    return level(found.reshape(x.shape))


def level(phase: Float) -> Float:
    return phase - phase.mean()


def test_the_fourier_method_is_frankot_and_chellappas_on_the_mirrored_slopes() -> None:
    """Written as the paper has it, with complex waves over the fourfold image."""
    x, y = np.random.default_rng(6).normal(size=(2, 7, 10))
    gx = np.block([[x, -x[:, ::-1]], [x[::-1], -x[::-1, ::-1]]])
    gy = np.block([[y, y[:, ::-1]], [-y[::-1], -y[::-1, ::-1]]])
    ky, kx = np.meshgrid(*(2 * np.pi * np.fft.fftfreq(n) for n in gx.shape), indexing="ij")
    squares = kx**2 + ky**2
    squares[0, 0] = 1
    waves = -1j * (kx * np.fft.fft2(gx) + ky * np.fft.fft2(gy)) / squares
    waves[gx.shape[0] // 2] = waves[:, gx.shape[1] // 2] = waves[0, 0] = 0
    wanted = np.fft.ifft2(waves).real[:7, :10]
    np.testing.assert_allclose(rectangle.fourier_basis(x, y), wanted, atol=1e-12)


def test_slopes_of_waves_are_the_fourier_methods_way_back() -> None:
    x, y = rectangle.slopes_of_waves(phase := np.random.default_rng(7).normal(size=(9, 12)))
    np.testing.assert_allclose(rectangle.fourier_basis(x, y), level(phase), atol=1e-12)


@pytest.mark.parametrize("spread", [1, 1e4])
def test_weighted_least_squares_are_solved(spread: float) -> None:
    """On noise, against scipy's LSQR; weights that differ by 10,000 on a sponge make it factorise."""
    random = np.random.default_rng(8)
    shape = (24, 31)
    x, y = random.normal(size=(2, *shape))
    known = random.random(shape) > (0.1 if spread == 1 else 0.4)
    w_x, w_y = spread ** random.random((2, *shape))
    across, down = least_squares.edge_weights(w_x, w_y, known)
    slope_x, slope_y = (x[:, 1:] + x[:, :-1]) / 2, (y[1:] + y[:-1]) / 2
    right = rectangle.divergence_of(across * slope_x, down * slope_y)
    factorised = least_squares._conjugate_gradients(across, down, right) is None
    assert factorised == (spread > 1)
    found = least_squares.solve(x, y, across, down)
    # Differences of neighbours are what is determined; compare them, weighted, with LSQR's.
    number = np.arange(x.size).reshape(shape)
    rows = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    others = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    root = np.sqrt(np.concatenate([across.ravel(), down.ravel()]))
    slope = np.concatenate([slope_x.ravel(), slope_y.ravel()])
    each = np.arange(root.size)
    matrix = coo_array(
        (np.concatenate([root, -root]), (np.tile(each, 2), np.concatenate([others, rows]))),
        shape=(root.size, x.size),
    ).tocsr()
    wanted = lsqr(matrix, root * slope, atol=1e-13, btol=1e-13, iter_lim=20000)[0]
    np.testing.assert_allclose(matrix @ found.ravel(), matrix @ wanted, atol=1e-6 * root.max())


def test_weights_from_the_uncertainty_keep_noise_where_it_is() -> None:
    """A noisy band, known to be: its error comes down by much against equal weights."""
    there = gaussian((90, 120), **SETUP, delta=DELTA, width=2e-5, height=-2e-5)
    sigma = np.full((90, 120), 0.002)
    sigma[:, 50:62] = 0.2
    noise = np.random.default_rng(9).normal(size=(2, 90, 120)) * sigma
    field = field_of(
        there.x + noise[0], there.y + noise[1], uncertainty_x=sigma, uncertainty_y=sigma
    )
    weighted, plain, given = (
        shiftfield.phase(field, **SETUP, method="least_squares", weights=weights)
        for weights in ("uncertainty", None, (sigma**-2, sigma**-2))
    )
    quiet = np.where(sigma < 0.1, 0.0, np.nan)
    of_weighted, of_plain = (errors(one.phase + quiet, there.phase)[1] for one in (weighted, plain))
    assert of_weighted < 0.5 * of_plain
    np.testing.assert_allclose(weighted.phase, given.phase, atol=1e-6)


def test_a_weight_of_nothing_is_an_unknown_pixel() -> None:
    there = lens((30, 40), **SETUP, delta=DELTA, radius=1e-4)
    known = np.random.default_rng(1).random((30, 40)) > 0.2
    wrong = np.where(known, 0.0, 50.0)
    found = shiftfield.phase(
        field_of(there.x + wrong, there.y), **SETUP, method="least_squares", weights=known
    )
    assert errors(found.phase, there.phase)[1] < 1e-6
    assert np.isnan(found.phase[~known]).all()


# The whole chain.


@pytest.fixture(scope="module")
def scan() -> tuple[PhaseObject, Any, ShiftField]:
    """A lens of 20 rad, its speckles where its rays go, and the field that is found: shifts of up to 2.2 px."""
    there = gaussian((150, 210), **SETUP, delta=2e-6, width=2.6e-5, height=-1e-4, rays=True)
    simulated = speckle_scan((150, 210), 4, shift=there.shift, transmission=1, dark_field=1, seed=3)
    field = shiftfield.find_shift_field(
        simulated.reference, simulated.sample, window=7, margin=4, refine="icgn"
    )
    return there, simulated, field


@pytest.mark.parametrize("method", METHODS)
def test_a_lens_is_found_from_its_speckles(
    method: str, scan: tuple[PhaseObject, Any, ShiftField]
) -> None:
    """1 % of the rms phase, 0.3 % of its range, from images, with angles laid where their rays crossed it."""
    there, _, field = scan
    found = shiftfield.phase(field, **SETUP, method=method, plane="object")
    of_range, of_rms = errors(found.phase, there.phase)
    assert of_rms < 1
    assert of_range < 0.3
    assert np.isfinite(found.phase).mean() > 0.8


def test_angles_left_at_the_detector_are_a_few_percent_off(
    scan: tuple[PhaseObject, Any, ShiftField],
) -> None:
    """What `plane="object"` is for: here the shift changes by 8 % over its own length."""
    there, _, field = scan
    as_seen = shiftfield.phase(field, **SETUP)
    assert 2 < errors(as_seen.phase, there.phase)[1] < 6


def test_the_object_plane_takes_steps_and_weights() -> None:
    there = gaussian((150, 210), **SETUP, delta=2e-6, width=2.6e-5, height=-1e-4, rays=True)
    field = field_of(there.x[::2, ::2], there.y[::2, ::2], step=2)
    found = shiftfield.phase(
        field, **SETUP, method="least_squares", plane="object", weights=np.ones(field.shape)
    )
    assert errors(found.phase, there.phase[::2, ::2])[1] < 0.3


def test_the_sample_lies_on_the_reference_after_warping(
    scan: tuple[PhaseObject, Any, ShiftField],
) -> None:
    _, simulated, field = scan
    laid = shiftfield.warp(simulated.sample, field)
    assert laid.shape == simulated.sample.shape
    assert laid.dtype == np.float32
    known = np.isfinite(laid)
    assert known.mean() > 0.8
    reference = simulated.reference
    before = (simulated.sample - reference)[known].std()
    assert (laid - reference)[known].std() < 0.06 * before


# Warping.


def test_a_single_whole_shift_moves_the_image_by_itself() -> None:
    """Match minus place (+4, -3): content goes 4 right and 3 up."""
    image = speckle((40, 50), seed=2)
    field = field_of(np.full((40, 50), 4.0), np.full((40, 50), -3.0))
    laid = shiftfield.warp(image, field)
    np.testing.assert_allclose(laid[:-3, 4:], image[3:, :-4], atol=1e-6)
    assert np.isnan(laid[-3:]).all()
    assert np.isnan(laid[:, :4]).all()


@pytest.mark.parametrize("step", [1, 3])
def test_warping_turns_a_large_uneven_motion_back(step: int) -> None:
    """Shifts of up to 20 px that change by 0.3 px a px, solved for the place, and not read at the wrong one."""
    shape = (160, 199)
    x, y = grid(shape)
    shift = 0.15 * x - 0.3 * y + 3.3, 0.25 * x + 0.1 * y - 1.7
    sample, reference = (
        speckle(shape, sigma=3, seed=4, shift=shift),
        speckle(shape, sigma=3, seed=4),
    )
    at = np.s_[::step, ::step]
    field = field_of(shift[0][at], shift[1][at], step=step)
    laid = shiftfield.warp(sample, field)
    inside = np.hypot(x, y) < 40
    np.testing.assert_allclose(laid[inside], reference[inside], atol=0.01 * reference.std())


def test_what_is_unknown_stays_so_when_it_is_laid_down() -> None:
    """A hole in the field and a NaN in the sample, both 5 px to the left of where they belong."""
    shape = (40, 60)
    known = np.ones(shape, dtype=bool)
    known[10:14, 20:26] = False
    sample = speckle(shape, seed=3).astype(np.float64)
    sample[30, 40] = np.nan
    laid = shiftfield.warp(sample, field_of(np.full(shape, 5.0), np.zeros(shape), known))
    assert laid.dtype == np.float64
    assert np.isnan(laid[10:14, 25:31]).all()
    assert np.isnan(laid[30, 45])
    unknown = np.isnan(laid[:, 5:])
    assert unknown.sum() == 4 * 6 + 5 * 5


@pytest.mark.parametrize("kind", ["npy", "h5", "zarr"])
def test_an_image_may_lie_in_a_file(tmp_path: Path, kind: str) -> None:
    images = speckle((40, 50), seed=1), speckle((40, 50), seed=1, shift=(2, 1))
    field = shiftfield.find_shift_field(*images, margin=4)
    there = [str(tmp_path / f"{name}.{kind}") for name in ("r", "s")]
    for address, image in zip(there, images, strict=True):
        if kind == "npy":
            np.save(address, image)
        elif kind == "zarr":
            zarr.save_array(address, image)
        else:
            with h5py.File(address, "w") as file:
                file["image"] = image
    np.testing.assert_array_equal(
        shiftfield.warp(there[1], field), shiftfield.warp(images[1], field)
    )
    found, wanted = (shiftfield.window_statistics(*pair, field) for pair in (there, images))
    np.testing.assert_array_equal(found.transmission, wanted.transmission)


def test_a_fold_has_no_answer() -> None:
    """Where the shift falls by 2 px a px the image is laid back to front: no iteration comes to rest there."""
    x = np.tile(-2.0 * np.arange(40.0), (12, 1))
    found = places_in_sample(field_of(x, 0 * x), np.array([[6.0], [-10.0]]))
    assert np.isnan(found).all()  # place 10 is a solution, but not one to be had
    x = np.tile(-0.9 * np.arange(40.0), (12, 1))
    found = places_in_sample(field_of(x, 0 * x), np.array([[6.0], [1.0]]))
    np.testing.assert_allclose(found, [[6.0], [10.0]], atol=0.01)


# Window statistics.


def test_transmission_and_dark_field_are_the_models() -> None:
    """Held to T and V of a scan with shifts of up to 2.5 px, at the shifts that are true."""
    scan = speckle_scan((150, 190), 8, seed=1)
    field = field_of(scan.x, scan.y)
    found = shiftfield.window_statistics(scan.reference, scan.sample, field, 11)
    assert found.transmission is not None
    assert found.dark_field is not None
    known = np.isfinite(found.transmission)
    assert known.mean() > 0.85
    t, v = (
        (found.transmission - scan.transmission)[known],
        (found.dark_field - scan.dark_field)[known],
    )
    assert np.sqrt(np.mean(t**2)) < 0.01
    assert np.sqrt(np.mean(v**2)) < 0.02
    assert abs(np.median(v)) < 0.005
    np.testing.assert_array_equal(found.x, field.x)


def test_the_shift_is_applied_to_the_reference() -> None:
    """Under a plain shift both windows hold the same speckles: T = V = 1 to rounding, and not elsewhere."""
    reference = speckle((60, 70), sigma=2, seed=5, mean=1000, contrast=0.15)
    sample = speckle((60, 70), sigma=2, seed=5, mean=1000, contrast=0.15, shift=(4, -3))
    right, wrong = (
        shiftfield.window_statistics(
            reference, sample, field_of(np.full((60, 70), x), np.full((60, 70), y)), 7
        )
        for x, y in ((4.0, -3.0), (-4.0, 3.0))
    )
    for quantity in (right.transmission, right.dark_field):
        assert quantity is not None
        assert np.isfinite(quantity).sum() == (60 - 6 - 3) * (70 - 6 - 4)
        np.testing.assert_allclose(quantity[np.isfinite(quantity)], 1, atol=1e-5)
    assert np.nanstd(wrong.dark_field) > 0.1


def test_parts_of_a_pixel_lose_no_contrast() -> None:
    """Fine speckle, half-pixel shifts: an interpolated reference would read V 10 % high."""
    x = np.full((120, 120), 0.5)
    reference = speckle((120, 120), frames=4, sigma=1, seed=6)
    sample = speckle((120, 120), frames=4, sigma=1, seed=6, shift=(0.5, 0.5))
    found = shiftfield.window_statistics(reference, sample, field_of(x, x), 9)
    assert np.nanmedian(found.dark_field) == pytest.approx(1, abs=0.005)
    assert np.nanstd(found.dark_field) < 0.02


def test_window_statistics_take_steps_and_leave_out_what_is_unknown() -> None:
    scan = speckle_scan((61, 70), 2, seed=2)
    whole = shiftfield.window_statistics(scan.reference, scan.sample, field_of(scan.x, scan.y), 7)
    known = np.ones((21, 24), dtype=bool)
    known[8, 9] = False
    coarse = field_of(scan.x[::3, ::3], scan.y[::3, ::3], known, step=3)
    sample = scan.sample.copy()
    sample[1, 15, 30] = np.nan
    found = shiftfield.window_statistics(scan.reference, sample, coarse, 7)
    assert found.dark_field is not None
    assert whole.dark_field is not None
    assert np.isnan(found.dark_field[8, 9])
    assert np.isnan(found.dark_field[5, 10])
    at = np.isfinite(found.dark_field)
    np.testing.assert_allclose(found.dark_field[at], whole.dark_field[::3, ::3][at], rtol=1e-5)


# Derived fields.


@pytest.mark.parametrize("step", [1, 4])
def test_strain_is_that_of_the_samples_material(step: int) -> None:
    """The sample is the reference stretched by 1 % along x, squeezed by 0.4 % along y, sheared and turned.

    The shift, match in the reference minus place in the sample, is minus the motion.
    """
    motion = np.array([[0.010, 0.006], [-0.002, -0.004]])  # du/dx of (x, y) at the sample's place
    x, y = (step * one for one in grid((60, 70)))
    u = motion[0, 0] * x + motion[0, 1] * y + 2, motion[1, 0] * x + motion[1, 1] * y - 1
    known = np.random.default_rng(3).random((60, 70)) > 0.2
    field = field_of(-u[0], -u[1], known, step=step)
    found = shiftfield.strain(field, 15)
    known = known & np.isfinite(found.exx)
    assert known.sum() > 0.75 * known.size
    for name, truth in (("exx", 0.010), ("eyy", -0.004), ("exy", 0.002), ("rotation", -0.004)):
        np.testing.assert_allclose(getattr(found, name)[known], truth, atol=1e-12)
    divergence, vorticity = shiftfield.divergence(field), shiftfield.vorticity(field)
    np.testing.assert_allclose(divergence[known], 0.006, atol=1e-12)
    np.testing.assert_allclose(vorticity[known], -0.008, atol=1e-12)
    assert np.isnan(found.exx[~field.valid]).all()


def test_a_stretched_specimen_reads_positive_strain() -> None:
    """From images: a point at X of the reference lies at x = 1.02 X of the sample."""
    x, _ = grid((80, 120))
    reference = speckle((80, 120), sigma=2, seed=7)
    sample = speckle((80, 120), sigma=2, seed=7, shift=(x / 1.02 - x, 0 * x))
    field = shiftfield.find_shift_field(reference, sample, window=15, margin=4)
    found = shiftfield.strain(field, 31)
    assert np.nanmedian(found.exx) == pytest.approx(1 - 1 / 1.02, abs=0.001)
    assert np.nanmedian(found.eyy) == pytest.approx(0, abs=0.001)


def test_a_plane_fit_is_the_least_squares_of_what_is_known() -> None:
    """On noise with holes, at a few pixels, against `numpy.linalg.lstsq`, borders included."""
    random = np.random.default_rng(4)
    shift = random.normal(size=(2, 20, 25))
    known = random.random((20, 25)) > 0.3
    found = shiftfield.strain(field_of(*shift, known), 7, coverage=0.3)
    for i, j in ((10, 12), (4, 20), (0, 11), (9, 0), (19, 13)):
        rows, columns = np.s_[max(i - 3, 0) : i + 4], np.s_[max(j - 3, 0) : j + 4]
        at = known[rows, columns]
        y, x = np.nonzero(at)
        matrix = np.stack([np.ones(x.size), x, y], axis=1)
        slopes = [np.linalg.lstsq(matrix, -s[rows, columns][at], rcond=None)[0][1:] for s in shift]
        if known[i, j]:
            assert found.exx[i, j] == pytest.approx(slopes[0][0], abs=1e-9)
            assert found.eyy[i, j] == pytest.approx(slopes[1][1], abs=1e-9)
            assert found.exy[i, j] == pytest.approx((slopes[0][1] + slopes[1][0]) / 2, abs=1e-9)
    assert sum(known[i, j] for i, j in ((10, 12), (4, 20), (0, 11), (9, 0), (19, 13))) >= 3


def test_a_line_of_pixels_has_no_strain() -> None:
    """Only one row is known: what changes across it is not."""
    known = np.zeros((9, 30), dtype=bool)
    known[4] = True
    field = field_of(np.ones((9, 30)), np.ones((9, 30)), known)
    assert np.isnan(shiftfield.strain(field, 5, coverage=0).exx).all()


def test_a_whirl_turns_and_a_source_spreads() -> None:
    """Clockwise on the screen, +x towards +y: positive vorticity; spreading: positive divergence."""
    x, y = grid((40, 40))
    whirl, source = field_of(0.01 * y, -0.01 * x), field_of(-0.01 * x, -0.01 * y)
    np.testing.assert_allclose(shiftfield.vorticity(whirl)[5:-5, 5:-5], 0.02, atol=1e-12)
    np.testing.assert_allclose(shiftfield.divergence(whirl)[5:-5, 5:-5], 0, atol=1e-12)
    np.testing.assert_allclose(shiftfield.divergence(source)[5:-5, 5:-5], 0.02, atol=1e-12)


def test_magnitude_is_the_length() -> None:
    known = np.array([[True, False]])
    np.testing.assert_array_equal(
        shiftfield.magnitude(field_of([[3.0, 1.0]], [[-4.0, 1.0]], known)), [[5.0, np.nan]]
    )


# Refusals.


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"energy": 20000}, "energy is 20000; it is in keV and must be at most 1000"),
        ({"energy": 0}, "energy is 0; it must be a positive number of keV."),
        ({"pixel_size": 6.5}, "pixel_size is 6.5; it is in m and must be at most 0.01"),
        ({"distance": -1}, "distance is -1; it must be a positive number of m."),
        ({"method": "fft"}, "method is 'fft'; allowed are 'scs', 'fc', 'dct' and 'least_squares'."),
        ({"plane": "source"}, "plane is 'source'; allowed are 'detector' and 'object'."),
        ({"plane": "object", "magnification": 2}, "magnification is 2; with plane 'object' it must be 1."),
        ({"weights": np.ones((6, 7))}, "method is 'scs'; weights are taken by 'least_squares' only."),
        ({"method": "least_squares", "weights": "uncertainty"}, "weights is 'uncertainty'; allowed are arrays"),
        ({"method": "least_squares", "weights": np.ones((3, 3))}, "weights have shape (3, 3); they must be"),
        ({"method": "least_squares", "weights": -np.ones((6, 7))}, "weights have shape (6, 7); they must be"),
        ({"method": "least_squares", "weights": 1j * np.ones((6, 7))}, "weights has dtype complex128; it must"),
    ],
)  # fmt: skip
def test_bad_arguments_of_phase_are_refused_in_a_sentence(arguments: Any, said: str) -> None:
    field = field_of(np.ones((6, 7)), np.ones((6, 7)))
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the sentence is compared below
        shiftfield.phase(field, **(SETUP | arguments))
    assert str(refusal.value).startswith(said)


@pytest.mark.parametrize(
    "function",
    [
        shiftfield.strain, shiftfield.divergence, shiftfield.vorticity, shiftfield.magnitude,
        lambda field: shiftfield.phase(field, **SETUP),
        lambda field: shiftfield.warp(np.ones((6, 7)), field),
        lambda field: shiftfield.window_statistics(np.ones((6, 7)), np.ones((6, 7)), field),
    ],
)  # fmt: skip
@pytest.mark.parametrize("given", [(np.ones((6, 7)),) * 2, np.ones((6, 7)), None, "field.h5"])
def test_what_is_no_field_is_refused(function: Any, given: Any) -> None:
    said = f"field is a {type(given).__name__}; it must be a ShiftField, which find_shift_field returns"
    with pytest.raises(TypeError, match=said):
        function(given)


def test_a_field_with_nothing_to_integrate_is_refused() -> None:
    checked = np.indices((6, 7)).sum(axis=0) % 2 == 0
    with pytest.raises(ValueError, match="no two valid pixels side by side"):
        shiftfield.phase(field_of(np.ones((6, 7)), np.ones((6, 7)), checked), **SETUP)
    line = np.zeros((6, 7), dtype=bool)
    line[2] = True
    with pytest.raises(ValueError, match="'scs' needs at least 2 x 2"):
        shiftfield.phase(field_of(np.ones((6, 7)), np.ones((6, 7)), line), **SETUP)


def test_images_of_another_size_are_refused() -> None:
    field = field_of(np.ones((6, 7)), np.ones((6, 7)))
    with pytest.raises(
        ValueError, match="The sample is 5 x 7 px; the field has 6 x 7 pixels of step 1"
    ):
        shiftfield.warp(np.ones((5, 7)), field)
    with pytest.raises(ValueError, match="they must be the same"):
        shiftfield.window_statistics(np.ones((2, 6, 7)), np.ones((3, 6, 7)), field)
    with pytest.raises(
        ValueError, match="window is 7 px; it must fit into the images, which are 6 x 7 px"
    ):
        shiftfield.window_statistics(np.ones((6, 7)), np.ones((6, 7)), field)
    with pytest.raises(ValueError, match="order is 6"):
        shiftfield.warp(np.ones((6, 7)), field, order=6)
    with pytest.raises(ValueError, match="window is 1; it must be a whole number of at least 3 px"):
        shiftfield.strain(field, 1)
    with pytest.raises(ValueError, match="no longer than the image, 7 px"):
        shiftfield.strain(field, 10**9)
    with pytest.raises(ValueError, match="empty has shape"):
        shiftfield.phase(field, **SETUP).thickness(1e-6, empty=np.ones(3, dtype=bool))
