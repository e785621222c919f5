"""Every difference from algotom that was chosen: one test for each row of `docs/differences.md`, in its order.

Each runs both programs and shows what algotom 1.7.0 does and what we do; what agrees is in `test_algotom_parity`.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import algotom.prep.phase as algotom_phase
import algotom.util.correlation as algotom
import dask.array
import h5py
import numpy as np
import pytest
from numba import cuda
from scenes import Recording, moved, outcome, same_bits, silently
from skimage.feature import match_template

import shiftfield
from shiftfield import engine, machine
from shiftfield.synthetic import gaussian, speckle

REF, SAM = moved((31, 33), (1, -2))
REFS, SAMS = moved((24, 26), (1, -1), frames=4)
QUICK: dict[str, Any] = {"margin": 3, "ncore": 1}
NEW_NUMPY = int(np.__version__.split(".")[0]) > 1  # algotom does other odd things with an older one
without_a_gpu = pytest.mark.skipif(
    not engine.why_no_gpu() or cuda.is_available(), reason="this machine has a GPU to use"
)

# Runs algotom on Numba's simulator of a GPU, which must be asked for before Numba is imported.
ON_A_SIMULATED_GPU = """
import sys
import numpy as np
from algotom.util.correlation import find_local_shifts
stacks = np.load(sys.argv[1])
common = {"dim": 2, "win_size": 3, "margin": 2, "ncore": 1, "block": (8, 8)}
found = {}
for gpu in (False, True, "hybrid", 0, None, "foo"):
    for method, size in (("diff", 3), ("poly_fit", 5)):
        found[f"{gpu} {method}"] = find_local_shifts(
            *stacks, gpu=gpu, method=method, size=size, **common
        )
np.savez(sys.argv[2], **found)
"""


def refusal(name: str, *args: Any, **kwargs: Any) -> str:
    """Return the sentence of the ValueError that one of our functions must raise."""
    with pytest.raises(ValueError, match=r"\.$") as caught:
        getattr(shiftfield, name)(*args, **kwargs)
    return str(caught.value)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what algotom finds on a simulated GPU, by `gpu` and `method`: "True poly_fit" and so on."""
    folder = tmp_path_factory.mktemp("simulated")
    np.save(folder / "stacks.npy", moved((12, 12), (1, -0.4), frames=2))
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ON_A_SIMULATED_GPU, "stacks.npy", "found.npz"],
        cwd=folder,
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"},
        check=True,
        timeout=300,
    )
    with np.load(folder / "found.npz") as found:
        return dict(found)


def test_array_likes_are_taken(tmp_path: Path) -> None:
    """Lists, dask arrays and HDF5 datasets read as the NumPy arrays they hold."""
    lists = REFS.tolist(), SAMS.tolist()
    assert isinstance(outcome(algotom.find_local_shifts, *lists, dim=2, **QUICK), AttributeError)
    lazy = dask.array.from_array(REFS), dask.array.from_array(SAMS)
    assert isinstance(outcome(algotom.find_local_shifts, *lazy, dim=2, **QUICK), Exception)
    expected = shiftfield.find_local_shifts(REFS, SAMS, dim=2, **QUICK)
    with h5py.File(tmp_path / "stacks.h5", "w") as file:
        stored = file.create_dataset("r", data=REFS), file.create_dataset("s", data=SAMS)
        assert isinstance(
            outcome(algotom.find_local_shifts_umpa, *stored, gpu=False, **QUICK), TypeError
        )
        same_bits(shiftfield.find_local_shifts(*stored, dim=2, **QUICK), expected)
    for pair in (lists, lazy):
        same_bits(shiftfield.find_local_shifts(*pair, dim=2, **QUICK), expected)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity is a Linux matter")
def test_ncore_none_is_what_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """One core is one thread here, and none there."""
    granted = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(granted)})
    try:
        assert machine.available_cores() == 1
    finally:
        os.sched_setaffinity(0, granted)
    assert 1 <= machine.available_cores() <= len(granted)
    monkeypatch.setattr(multiprocessing, "cpu_count", lambda: 1)
    there = outcome(algotom.find_local_shifts, REFS, SAMS, margin=3)
    assert "n_jobs == 0" in str(there)
    assert np.isfinite(shiftfield.find_local_shifts(REFS, SAMS, margin=3)).all()


@without_a_gpu
def test_hybrid_without_a_gpu_warns() -> None:
    """An error there, though True falls back to the CPU; here one warning, and the answer of the CPU."""
    there = outcome(algotom.find_local_shifts, REF, SAM, gpu="hybrid", **QUICK)
    assert isinstance(there, Exception)
    assert not isinstance(there, ValueError)
    assert isinstance(outcome(algotom.find_local_shifts, REF, SAM, gpu=True, **QUICK), tuple)
    on_the_cpu = shiftfield.find_local_shifts(REF, SAM, **QUICK)
    for gpu in ("hybrid", True):
        with pytest.warns(
            UserWarning, match="A GPU was asked for, but .*; the CPU is used"
        ) as told:
            here = shiftfield.find_local_shifts(REF, SAM, gpu=gpu, **QUICK)
        assert len(told) == 1
        same_bits(here, on_the_cpu)


@pytest.mark.parametrize("gpu", [0, None, "foo"])
def test_other_values_of_gpu_are_refused(gpu: Any, simulated: dict[str, Any]) -> None:
    """Taken for True there, to the last bit on a GPU, but without its way out where there is none."""
    for method in ("diff", "poly_fit"):
        np.testing.assert_array_equal(simulated[f"{gpu} {method}"], simulated[f"True {method}"])
    if not cuda.is_available():
        there = outcome(algotom.find_local_shifts, REF, SAM, gpu=gpu, **QUICK)
        assert isinstance(there, Exception)
        assert not isinstance(there, ValueError)
    said = refusal("find_local_shifts", REF, SAM, gpu=gpu, **QUICK)
    assert said == f"gpu is {gpu!r}; allowed are False, True and 'hybrid'."


def test_integers_never_overflow() -> None:
    """UMPA on uint16: garbage there, the shifts of the float copy here."""
    ref, sam = ((30000 * stack).astype(np.uint16) for stack in (REFS, SAMS))
    floats = ref.astype(float), sam.astype(float)
    there = silently(algotom.find_local_shifts_umpa, ref, sam, gpu=False, **QUICK)
    right = silently(algotom.find_local_shifts_umpa, *floats, gpu=False, **QUICK)
    inside = np.s_[6:-6, 6:-6]
    assert np.median(np.abs(there[0] - right[0])[inside]) > 0.5
    here = shiftfield.find_local_shifts_umpa(ref, sam, gpu=False, **QUICK)
    same_bits(here, shiftfield.find_local_shifts_umpa(*floats, gpu=False, **QUICK))
    np.testing.assert_allclose(here, right, atol=1e-3)


def test_a_constant_window_has_no_answer() -> None:
    """-margin on both axes there; NaN here, counted in one warning."""
    sam = SAM.copy()
    sam[12:20, 12:20] = 1
    there = algotom.find_local_shifts(REF, sam, norm=False, **QUICK)
    with pytest.warns(UserWarning, match="^4 of 399 pixels have no answer") as told:
        here = shiftfield.find_local_shifts(REF, sam, norm=False, **QUICK)
    assert len(told) == 1
    for one, other in zip(there, here, strict=True):
        assert (one[15:17, 15:17] == -3).all()
        unknown = np.isnan(other)
        assert unknown[15:17, 15:17].all()
        assert unknown.sum() == 4
        np.testing.assert_allclose(other[~unknown], one[~unknown], atol=1e-3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("image", [0, 1])
def test_a_nan_spoils_only_what_it_touches(image: int, bad: float) -> None:
    """One bad pixel: the whole answer there, the pixels in reach of it here."""
    stacks = [REFS.copy(), SAMS.copy()]
    stacks[image][1, 12, 13] = bad
    reach = 3 if image else 6  # the window; or the window at every shift
    inside, touched = np.zeros((2, 24, 26), dtype=bool)
    touched[12 - reach : 13 + reach, 13 - reach : 14 + reach] = True
    inside[6:-6, 6:-6] = True
    far = inside & ~touched

    there = silently(algotom.find_local_shifts_umpa, *stacks, gpu=False, dark_signal=True, **QUICK)
    assert all((shifts[inside] == -3).all() for shifts in there[:2])
    assert all(np.isnan(fitted).all() for fitted in there[2:])
    clean = shiftfield.find_local_shifts_umpa(REFS, SAMS, gpu=False, dark_signal=True, **QUICK)
    with pytest.warns(UserWarning, match=f"^{(touched & inside).sum()} of 168 pixels have no"):
        here = shiftfield.find_local_shifts_umpa(*stacks, gpu=False, dark_signal=True, **QUICK)
    for found, expected in zip(here, clean, strict=True):
        np.testing.assert_array_equal(np.isnan(found[inside]), touched[inside])
        # A bad pixel of the reference is missing from its mean, which T and V refer to.
        np.testing.assert_allclose(found[far], expected[far], rtol=1e-3, atol=1e-3)

    for arguments, pixels in ({"norm": True}, 0.05), ({"norm": False}, 1e-4):
        pair, sound = [stack[1] for stack in stacks], (REFS[1], SAMS[1])
        there = silently(algotom.find_local_shifts, *pair, **arguments, **QUICK)
        lost = (there[0][inside] == -3) & (there[1][inside] == -3)
        assert lost.all() if arguments["norm"] else lost.any()
        clean = shiftfield.find_local_shifts(*sound, **arguments, **QUICK)
        with pytest.warns(UserWarning, match="have no answer"):
            here = shiftfield.find_local_shifts(*pair, **arguments, **QUICK)
        for found, expected in zip(here, clean, strict=True):
            np.testing.assert_array_equal(np.isnan(found[inside]), touched[inside])
            # With `norm` the sums of its row and its column lack the bad pixel.
            np.testing.assert_allclose(found[far], expected[far], atol=pixels)


def test_a_constant_reference_window_is_no_obstacle() -> None:
    """UMPA with dark field reads -margin around a flat patch of the reference there, the shift here."""
    refs, sams = (stack.astype(float) for stack in moved((40, 42), (1, -1), frames=5))
    refs[:, 16:20, 16:20] = 2
    arguments: Any = {"gpu": False, "dark_signal": True, "win_size": 3, "margin": 5, "ncore": 1}
    there = silently(algotom.find_local_shifts_umpa, refs, sams, **arguments)
    here = shiftfield.find_local_shifts_umpa(refs, sams, **arguments)
    i, j = np.mgrid[:40, :42]
    flat_in_reach = (abs(i - 17.5) < 1 + 5) & (abs(j - 17.5) < 1 + 5)
    match_is_clear = (abs(i - 1 - 17.5) > 4) | (abs(j + 1 - 17.5) > 4)  # with its 3x3 scores
    fair = flat_in_reach & match_is_clear
    assert fair.sum() > 60
    wrong = [np.maximum(abs(x - 1), abs(y + 1)) > 0.9 for x, y, *_ in (there, here)]
    assert wrong[0][fair].sum() > 30
    assert wrong[1][fair].sum() == 0
    # There a flat window scores 0, which beats any negative score. Here nothing is lower than flat.
    columns = np.arange(9.0)
    sam, ref = np.tile(columns, (9, 1)), np.tile(np.maximum(4 - columns, 0), (9, 1))
    there, here = (
        program.find_local_shifts(ref, sam, win_size=3, norm=False, **QUICK)[0][4, 4]
        for program in (algotom, shiftfield)
    )
    assert there >= 1  # columns 4, 5, ... are flat
    assert abs(here) < 0.5


def test_the_same_bits_however_it_is_cut() -> None:
    """The y shifts of the 1-D search with `norm` move with the chunks there, here by no bit."""
    there = [
        silently(algotom.find_local_shifts, REFS, SAMS, chunk_size=rows, **QUICK)
        for rows in (5, None)
    ]
    assert np.abs(there[0][1] - there[1][1]).max() > 0.3
    refs, sams = moved((90, 80), (0.3, -0.2), frames=3)
    for call in (
        lambda **cut: shiftfield.find_local_shifts(refs, sams, margin=3, **cut),
        lambda **cut: shiftfield.find_local_shifts(refs, sams, dim=2, margin=3, **cut),
        lambda **cut: shiftfield.find_local_shifts(refs[0], sams[0], margin=3, **cut),
        lambda **cut: shiftfield.find_local_shifts_umpa(refs, sams, margin=3, gpu=False, **cut),
    ):
        whole = call(chunk_size=None, ncore=1)
        for chunk_size, ncore in ((1, 2), (17, 1), (33, 3), (1000, None)):
            same_bits(call(chunk_size=chunk_size, ncore=ncore), whole)
    fields = [
        shiftfield.find_shift_field(refs, sams, margin=3, memory=memory)
        for memory in (None, "1 GB", "1 MB")
    ]
    same_bits(fields[1], fields[0])
    same_bits(fields[2], fields[0])


@pytest.mark.parametrize("margin", [0, -1, 1.5])
def test_a_margin_below_1_is_refused(margin: float) -> None:
    """0 finds shifts of 4 px within 0 px there, -1 blames the size; here one sentence says what is allowed."""
    there = outcome(algotom.find_local_shifts, REF, SAM, margin=margin, ncore=1)
    if margin == 0 and NEW_NUMPY:
        assert all((shifts[3:-3, 3:-3] == -4).all() for shifts in there)
    else:
        assert isinstance(there, Exception)
        assert "margin" not in str(there)
    for name in ("find_local_shifts", "find_shift_field"):
        said = refusal(name, REF, SAM, margin=margin)
        assert said == f"margin is {margin}; it must be a whole number of at least 1 px."


def test_a_window_that_does_not_fit_is_refused() -> None:
    """26 becomes 27; 27 + 2 * 3 = 33 columns there are, but not rows."""
    there = str(outcome(algotom.find_local_shifts, REF, SAM, win_size=26, **QUICK))
    assert "= 33" in there  # 26 + 2 * 3 is 32
    assert "26" not in there
    said = refusal("find_local_shifts", REF, SAM, win_size=26, **QUICK)
    for number in ("31 x 33", "27 x 27", "margin 3", "33 x 33"):
        assert number in said
    # The largest that fits does.
    assert shiftfield.find_local_shifts(REF, SAM, win_size=25, **QUICK)[0].shape == REF.shape


ROW_OF_POINTS = [list(range(10, 19)), list(range(12, 21))]


@pytest.mark.parametrize(
    ("name", "unknown", "taken_for", "allowed"),
    [
        ("find_local_shifts", {"method": "foo"}, "diff", ("'diff'", "'poly_fit'")),
        ("find_local_shifts_umpa", {"method": "foo"}, "diff", ("'diff'", "'poly_fit'")),
        ("find_local_shifts", {"dim": 3}, 2, ("1", "2")),
        ("find_local_shifts_umpa", {"filter_name": "foo"}, None, ("'hann'", "None")),
        (
            "find_global_shift_based_local_shifts",
            {"global_value": "foo"},
            "mean",
            ("'mixed'", "'median'", "'mean'"),
        ),
        ("find_shift_based_correlation_map", {"method": "foo"}, "diff", ("'diff'", "'poly_fit'")),
    ],
)  # fmt: skip
def test_unknown_names_are_refused(
    name: str, unknown: dict[str, Any], taken_for: Any, allowed: tuple[str, ...]
) -> None:
    """Taken for a known one without a word there."""
    images = (REF, SAM) if "global" in name or "map" in name else (REFS, SAMS)
    others: dict[str, Any] = {"margin": 3}
    if name.endswith("umpa"):
        others["gpu"] = False
    if "global" in name:
        others |= {"win_size": 7, "list_ij": ROW_OF_POINTS}
    ((parameter, value),) = unknown.items()
    there = getattr(algotom, name)
    np.testing.assert_array_equal(
        there(*images, **others, **unknown), there(*images, **others, **{parameter: taken_for})
    )
    said = refusal(name, *images, **others, **unknown)
    assert said.startswith(f"{parameter} is {value!r}")
    assert all(choice in said for choice in allowed)


def test_shapes_that_differ_are_refused() -> None:
    """Refused there too, without a word on which shapes."""
    there = outcome(algotom.find_local_shifts, REF, SAM[:-2], **QUICK)
    assert isinstance(there, ValueError)
    assert "29" not in str(there)
    said = refusal("find_local_shifts", REF, SAM[:-2], **QUICK)
    assert "(31, 33)" in said
    assert "(29, 33)" in said


@pytest.mark.parametrize("shape", [(7, 9), (3, 7, 9)])
@pytest.mark.parametrize("value", [1.0, 0.1, 0.0])
def test_normalizing_a_constant_image_is_refused(shape: tuple[int, ...], value: float) -> None:
    """NaN there, or, where the mean is not exact, numbers made of rounding."""
    image = np.full(shape, value)
    there = silently(algotom.normalize_image, image)
    assert there.shape == shape
    if value == 0:
        assert np.isnan(there).all()
    said = refusal("normalize_image", image)
    assert "constant" in said or (value == 0 and "sums to zero" in said)


@pytest.mark.parametrize("axis", [0, 1])
def test_normalizing_a_row_that_sums_to_zero_is_refused(axis: int) -> None:
    """One dead row or column makes everything NaN there."""
    image = np.moveaxis(REF.copy(), axis, 0)
    image[3] = 0
    image = np.ascontiguousarray(np.moveaxis(image, 0, axis))
    assert np.isnan(silently(algotom.normalize_image, image)).all()
    assert ("Row 3", "Column 3")[axis] in refusal("normalize_image", image)


def test_a_map_is_zero_where_nothing_varies() -> None:
    """Here as there."""
    ref, sam = REF.copy(), SAM[5:12, 5:12]
    ref[4:16, 6:16] = 2
    for program in (algotom, shiftfield):
        found = program.generate_correlation_map(ref, sam)
        assert (found[4:10, 6:10] == 0).all()
        assert np.count_nonzero(found == 0) == 24
        assert (program.generate_correlation_map(REF, np.ones((7, 7))) == 0).all()


def test_a_map_is_that_of_match_template() -> None:
    """The same map from the FFT as from every window on its own; what it costs is in the benchmarks."""
    rng = np.random.default_rng(0)
    for window in (8, 88):
        ref = rng.random((window + 40, window + 40)).astype(np.float32)
        sam = ref[3 : 3 + window, 5 : 5 + window].copy()
        there, here = (
            program.generate_correlation_map(ref, sam) for program in (algotom, shiftfield)
        )
        np.testing.assert_allclose(here, match_template(ref, sam), atol=1e-5)
        np.testing.assert_allclose(here, there, atol=1e-4)


def test_a_pair_with_a_stack_is_refused() -> None:
    """Numba's typing error there, or numbers when the first axes agree by chance."""
    there = outcome(algotom.generate_correlation_map, REF, SAM[None, 5:-5, 5:-5])
    assert not isinstance(there, ValueError)
    assert isinstance(there, Exception)
    said = refusal("generate_correlation_map", REF, SAM[None, 5:-5, 5:-5])
    assert "(31, 33)" in said
    assert "(1, 21, 23)" in said
    rows = SAMS[0, : len(REFS), :20]  # as many rows as the reference has frames
    assert np.isfinite(outcome(algotom.generate_correlation_map, REFS, rows)).all()
    said = refusal("generate_correlation_map", REFS, rows)
    assert "(4, 24, 26)" in said
    assert "(4, 20)" in said


@pytest.mark.parametrize("block", [16, (0, 16), (16,), (8.5, 8), "ab", None])
def test_a_block_that_is_no_pair_is_refused(block: Any) -> None:
    """Not looked at there as long as the CPU computes."""
    small = SAM[5:-5, 5:-5]
    assert isinstance(
        outcome(algotom.generate_correlation_map, REF, small, block=block), np.ndarray
    )
    said = refusal("generate_correlation_map", REF, small, block=block)
    assert said == f"block is {block!r}; it must be two positive whole numbers."


PEAK = np.array(
    [[0, 1, 2, 1, 0], [1, 3, 5, 3, 1], [2, 5, 9, 6, 2], [1, 3, 5, 3, 1], [0, 1, 2, 1, 0]]
)


def test_a_nan_is_no_peak() -> None:
    """A NaN is the peak there; here it is ignored, also next to the peak."""
    for place in ((0, 0), (2, 3)):
        scores = PEAK.astype(float)
        scores[place] = np.nan
        there = algotom.locate_peak(scores)
        assert tuple(there) == (place[1], place[0])
        x, y = shiftfield.locate_peak(scores)
        assert (round(x), round(y)) == (2, 2)
    assert (x, y) == (2, 2)  # without the neighbour there is nothing to refine in x, and y is even


@pytest.mark.parametrize("value", [np.nan, 1.0, 0])
@pytest.mark.parametrize("max_peak", [True, False])
def test_a_constant_map_has_no_peak(value: float, max_peak: bool) -> None:
    """The first element there."""
    scores = np.full((5, 6), value)
    assert tuple(silently(algotom.locate_peak, scores, max_peak=max_peak)) == (0, 0)
    assert np.isnan(shiftfield.locate_peak(scores, max_peak=max_peak)).all()


def test_a_saddle_is_fitted_axis_by_axis() -> None:
    """A peak whose quadric is a saddle: its stationary point there, the parabolas of row and column here."""
    scores = np.zeros((5, 5))
    scores[1:4, 1:4] = [[0.0, 0.95, 0.99], [0.9, 1.0, 0.95], [0.995, 0.85, 0.0]]
    fxx, fyy, fxy = 0.9 + 0.95 - 2, 0.95 + 0.85 - 2, (0.0 + 0.0 - 0.99 - 0.995) / 4
    assert fxy**2 - fxx * fyy > 0  # a saddle
    there = algotom.locate_peak(scores)
    x, y = shiftfield.locate_peak(scores)
    assert x == pytest.approx(2 - (0.95 - 0.9) / 2 / fxx)
    assert y == pytest.approx(2 - (0.85 - 0.95) / 2 / fyy)
    assert not np.allclose(there, (x, y), atol=0.01)


def test_a_map_of_small_integers_does_not_overflow() -> None:
    """Differences of uint8 wrap around there."""
    scores = (14 * PEAK).astype(np.uint8)
    right = algotom.locate_peak(scores.astype(float))
    if NEW_NUMPY:
        assert not np.allclose(silently(algotom.locate_peak, scores), right)
    np.testing.assert_allclose(shiftfield.locate_peak(scores), right)
    signed = scores.astype(np.int8)  # 9 * 14 is 126
    np.testing.assert_allclose(shiftfield.locate_peak(signed), right)
    np.testing.assert_allclose(shiftfield.locate_peak(255 - scores, max_peak=False), right)


@pytest.mark.parametrize("sub_pixel", [True, False])
def test_a_peak_is_two_floats(sub_pixel: bool) -> None:
    """NumPy integers or floats there."""
    for kind in (np.uint8, np.float32, np.float64):
        scores = PEAK.astype(kind)
        assert {type(v) for v in silently(algotom.locate_peak, scores, sub_pixel)} != {float}
        assert [type(v) for v in shiftfield.locate_peak(scores, sub_pixel)] == [float, float]


def test_an_image_too_small_to_crop_is_refused() -> None:
    """(0, 0) there."""
    small = REF[:15, :15], SAM[:15, :15]
    assert outcome(algotom.find_shift_based_correlation_map, *small, margin=8) == (0, 0)
    said = refusal("find_shift_based_correlation_map", *small, margin=8)
    assert "15 x 15" in said
    assert "margin of 8" in said


def test_a_margin_of_0_is_refused_for_one_shift() -> None:
    """Minus half the image there."""
    there = outcome(algotom.find_shift_based_correlation_map, REF, SAM, margin=0)
    if NEW_NUMPY:
        assert abs(there[0]) > 10
    assert "margin is 0" in refusal("find_shift_based_correlation_map", REF, SAM, margin=0)


@pytest.mark.parametrize("which", [0, 1])
def test_a_constant_image_has_no_shift(which: int) -> None:
    """(-margin, -margin) there."""
    images = [REF, SAM]
    images[which] = np.ones_like(REF)
    assert outcome(algotom.find_shift_based_correlation_map, *images, margin=4) == (-4, -4)
    with pytest.warns(UserWarning, match="The shift is unknown") as told:
        here = shiftfield.find_shift_based_correlation_map(*images, margin=4)
    assert len(told) == 1
    assert np.isnan(here).all()


def test_sizes_that_fit_along_one_axis_are_refused() -> None:
    """A plausible number there, though the columns were never searched."""
    sam = SAM[4:-4, :]
    there = outcome(algotom.find_shift_based_correlation_map, REF, sam, margin=4)
    assert there[0] == 0
    said = refusal("find_shift_based_correlation_map", REF, sam, margin=4)
    assert "8 x 0" in said
    # That is what `axis` is for.
    along_y = shiftfield.find_shift_based_correlation_map(REF, sam, margin=4, axis=0)
    assert along_y[0] == 0.0


def test_a_1d_search_warns_of_motion_across_it() -> None:
    """The same numbers in both programs, wrong for x = -3, y = +2 px; here with a warning for each axis."""
    refs, sams = moved((60, 60), (-3, 2), frames=5, sigma=1)
    there = algotom.find_local_shifts(refs, sams, margin=6, ncore=1, chunk_size=None)
    with pytest.warns(UserWarning, match="1-D search") as told:
        here = shiftfield.find_local_shifts(refs, sams, margin=6)
    assert len(told) == 2
    assert "dim=2" in str(told[0].message)
    for one, other, true in zip(there, here, (-3, 2), strict=True):
        inside = np.s_[9:-9, 9:-9]
        np.testing.assert_allclose(np.median(other[inside]), np.median(one[inside]), atol=1e-3)
        assert np.std(one[inside] - true) > 1
    x, y = shiftfield.find_local_shifts(refs, sams, margin=6, dim=2)
    assert np.abs(x[9:-9, 9:-9] + 3).max() < 0.2
    assert np.abs(y[9:-9, 9:-9] - 2).max() < 0.2


def test_norm_does_not_depend_on_chunks() -> None:
    """As with chunk_size=None there, for every value here."""
    refs, sams = moved((40, 30), (0.4, -0.5), frames=4, sigma=2)
    whole, cut = (
        silently(algotom.find_local_shifts, refs, sams, chunk_size=rows, **QUICK)
        for rows in (None, 8)
    )
    assert np.abs(whole[1] - cut[1]).max() > 0.5
    for rows in (1, 8, 100, None):
        here = shiftfield.find_local_shifts(refs, sams, chunk_size=rows, **QUICK)
        np.testing.assert_allclose(here, whole, atol=1e-3)


@pytest.mark.parametrize("dim", [1, 2])
def test_one_frame_is_an_image(dim: int) -> None:
    """-margin everywhere there; here the 2-D search of the image."""
    there = silently(algotom.find_local_shifts, REFS[:1], SAMS[:1], dim=1, **QUICK)
    assert (there[0][6:-6, 6:-6] == -3).all()
    here = shiftfield.find_local_shifts(REFS[:1], SAMS[:1], dim=dim, **QUICK)
    same_bits(here, shiftfield.find_local_shifts(REFS[0], SAMS[0], **QUICK))


def test_norm_global_streams() -> None:
    """The whole stack is read at once there; here never more than a band of rows."""
    refs, sams = moved((200, 40), (0.3, 0.2), frames=3)
    whole = [Recording(refs), Recording(sams)]
    silently(algotom.find_local_shifts, *whole, norm_global=True, chunk_size=50, **QUICK)
    assert max(source.largest for source in whole) == 1
    read = [Recording(refs), Recording(sams)]
    here = shiftfield.find_local_shifts(*read, norm_global=True, chunk_size=50, **QUICK)
    assert all(source.largest < 0.5 for source in read)
    same_bits(here, shiftfield.find_local_shifts(refs, sams, norm_global=True, **QUICK))


@pytest.mark.parametrize("dim", [1, 2])
def test_chunks_of_one_row_work(dim: int) -> None:
    """An IndexError there."""
    there = outcome(algotom.find_local_shifts, REFS, SAMS, dim=dim, chunk_size=1, **QUICK)
    assert isinstance(there, IndexError)
    here = shiftfield.find_local_shifts(REFS, SAMS, dim=dim, chunk_size=1, **QUICK)
    same_bits(here, shiftfield.find_local_shifts(REFS, SAMS, dim=dim, chunk_size=None, **QUICK))


@pytest.mark.parametrize("gpu", [True, "hybrid"])
def test_poly_fit_means_the_same_with_gpu(gpu: Any, simulated: dict[str, Any]) -> None:
    """With True it is "diff" with 3 x 3 there; here `gpu` changes where, never what is computed."""
    apart = np.abs(simulated["False poly_fit"] - simulated["False diff"])
    assert apart.max() > 0.1
    np.testing.assert_array_equal(simulated["True poly_fit"], simulated["True diff"])
    np.testing.assert_allclose(simulated["True diff"], simulated["False diff"], atol=1e-4)

    fit: dict[str, Any] = {"method": "poly_fit", "size": 5, "dim": 2} | QUICK
    here = silently(shiftfield.find_local_shifts, REFS, SAMS, gpu=gpu, **fit)
    np.testing.assert_allclose(here, algotom.find_local_shifts(REFS, SAMS, **fit), atol=1e-3)
    centred = shiftfield.find_local_shifts(REFS, SAMS, dim=2, **QUICK)
    assert np.abs(here[0] - centred[0]).max() > 1e-3


POINTS: dict[str, Any] = {"win_size": 7, "margin": 3, "ncore": 1}


def test_random_points_repeat() -> None:
    """Other points at each run there; here the same ones, those of `rng` where it is given."""
    function = shiftfield.find_global_shift_based_local_shifts
    lists = [
        algotom.find_global_shift_based_local_shifts(REF, SAM, return_list=True, **POINTS)
        for _ in range(2)
    ]
    assert not np.array_equal(np.sort(lists[0][0])[:5], np.sort(lists[1][0])[:5])
    ours = [function(REF, SAM, return_list=True, **POINTS) for _ in range(2)]
    same_bits(*ours)
    assert ours[0][0].size == 30
    seeded = [
        function(REF, SAM, rng=rng, return_list=True, num_point=4, **POINTS)
        for rng in (1, np.random.default_rng(1), 2)
    ]
    same_bits(seeded[0], seeded[1])
    assert not np.array_equal(seeded[0][0], seeded[2][0])


@pytest.mark.parametrize("point", [(6, 12), (12, 6), (24, 12), (12, 26)])
def test_the_first_legal_pixel_is_used(point: tuple[int, int]) -> None:
    """Radius 3 and margin 3 leave rows 6 to 24 of 31 and columns 6 to 26 of 33."""
    arguments: Any = {"list_ij": [[point[0], 12], [point[1], 12]], "return_list": True} | POINTS
    there = algotom.find_global_shift_based_local_shifts(REF, SAM, **arguments)
    here = shiftfield.find_global_shift_based_local_shifts(REF, SAM, **arguments)
    assert len(here[0]) == 2
    assert len(there[0]) == (1 if 6 in point else 2)
    dense = shiftfield.find_local_shifts(REF, SAM, norm=False, **QUICK)
    for found, image in zip(here, dense, strict=True):
        assert found[0] == pytest.approx(image[point], abs=1e-4)


def test_points_outside_are_told() -> None:
    """Left out in silence there."""
    arguments: Any = {"list_ij": [[2, 12, 12, 25], [12, 12, 2, 12]], "return_list": True} | POINTS
    there = silently(algotom.find_global_shift_based_local_shifts, REF, SAM, **arguments)
    assert len(there[0]) == 1
    with pytest.warns(UserWarning, match=r"^3 of 4 points lie outside.* rows 6 to 24 .* 6 to 26"):
        here = shiftfield.find_global_shift_based_local_shifts(REF, SAM, **arguments)
    np.testing.assert_allclose(here, there, atol=1e-4)
    arguments["list_ij"] = [2, 12]
    assert "None of the 1" in refusal("find_global_shift_based_local_shifts", REF, SAM, **arguments)


def test_a_global_value_for_method_warns() -> None:
    """As one of algotom's own scripts calls it."""
    arguments: Any = {"list_ij": [[10, 11], [12, 13]]} | POINTS
    there = algotom.find_global_shift_based_local_shifts(REF, SAM, method="mixed", **arguments)
    with pytest.warns(UserWarning, match="method is 'mixed', which is a global_value"):
        here = shiftfield.find_global_shift_based_local_shifts(
            REF, SAM, method="mixed", **arguments
        )
    np.testing.assert_allclose(here, there, atol=1e-4)
    assert "method is 'foo'" in refusal(
        "find_global_shift_based_local_shifts", REF, SAM, method="foo", **arguments
    )


def test_points_without_an_answer_do_not_count() -> None:
    """-margin there, which moves every mean."""
    sam = SAM.copy()
    sam[6:18, 6:18] = 1
    arguments: Any = {"list_ij": [[12, 12, 22], [12, 12, 22]], "global_value": "mean"} | POINTS
    there = silently(algotom.find_global_shift_based_local_shifts, REF, sam, **arguments)
    assert there[0] < -1
    with pytest.warns(UserWarning, match="^2 of 3 points have no answer"):
        x, y = shiftfield.find_global_shift_based_local_shifts(REF, sam, **arguments)
    assert (x, y) == pytest.approx((1, -2), abs=0.2)
    with pytest.warns(UserWarning, match="^2 of 3 points"):
        shifts = shiftfield.find_global_shift_based_local_shifts(
            REF, sam, return_list=True, **arguments
        )
    assert [list(np.isnan(s)) for s in shifts] == [[True, True, False]] * 2
    arguments["list_ij"] = [12, 12]
    assert "None of the 1 points has an answer" in refusal(
        "find_global_shift_based_local_shifts", REF, sam, **arguments
    )


@pytest.mark.parametrize("name", ["foo", "Hamming", "kaiser", 3])
def test_an_unknown_filter_is_refused(name: Any) -> None:
    """No filter at all, in silence, there."""
    stacks: Any = (REFS, SAMS)
    there = silently(algotom.find_local_shifts_umpa, *stacks, gpu=False, filter_name=name, **QUICK)
    box = silently(algotom.find_local_shifts_umpa, *stacks, gpu=False, filter_name=None, **QUICK)
    np.testing.assert_allclose(there, box, atol=1e-5)
    said = refusal("find_local_shifts_umpa", *stacks, gpu=False, filter_name=name, **QUICK)
    for allowed in (
        "hann",
        "bartlett",
        "blackman",
        "hamming",
        "nuttall",
        "parzen",
        "triang",
        "None",
    ):
        assert allowed in said


def test_a_window_that_any_shift_fits_has_no_answer() -> None:
    """Two pixels and two unknowns: shifts all over there, where the truth is one."""
    stacks: Any = (REFS[:2] + 1, SAMS[:2] + 1)
    given = {"gpu": False, "filter_name": "hann", "win_size": 3, "dark_signal": True, **QUICK}
    x, *_ = silently(algotom.find_local_shifts_umpa, *stacks, **given)
    assert np.std(x[4:-4, 4:-4]) > 1
    with pytest.warns(UserWarning, match=r"^288 of 288 pixels have no answer .* there are 2\.$"):
        here = shiftfield.find_local_shifts_umpa(*stacks, **given)
    assert all(np.isnan(one[4:-4, 4:-4]).all() for one in here)


def test_umpa_reads_hdf5(tmp_path: Path) -> None:
    """A TypeError there."""
    with h5py.File(tmp_path / "stacks.h5", "w") as file:
        stored = file.create_dataset("r", data=REFS), file.create_dataset("s", data=SAMS)
        there = outcome(algotom.find_local_shifts_umpa, *stored, gpu=False, **QUICK)
        assert isinstance(there, TypeError)
        here = shiftfield.find_local_shifts_umpa(*stored, gpu=False, dark_signal=True, **QUICK)
    expected = shiftfield.find_local_shifts_umpa(REFS, SAMS, gpu=False, dark_signal=True, **QUICK)
    same_bits(here, expected)


def test_the_phase_of_an_image_that_is_not_square() -> None:
    """Wrong by a quarter to a half of the rms phase there, whichever sign its surface is given."""
    setup = {"pixel_size": 1e-6, "distance": 0.5, "energy": 20.0}
    truth = gaussian((90, 160), **setup, delta=5e-7, width=1.5e-5, height=-2e-5)
    field = shiftfield.ShiftField(
        x=truth.x, y=truth.y, valid=np.ones((90, 160), dtype=bool), score=truth.x
    )
    here = [
        shiftfield.phase(field, **setup, method=m) for m in ("scs", "fc", "dct", "least_squares")
    ]
    there = algotom_phase.reconstruct_surface_from_gradient_FC_method(
        here[0].differential_x, here[0].differential_y, correct_negative=False
    )
    rms = truth.phase.std()
    assert min((there - truth.phase).std(), (there + truth.phase).std()) > 0.2 * rms
    assert max((one.phase - truth.phase).std() for one in here) < 0.002 * rms


def test_the_references_window_is_moved() -> None:
    """Under a plain shift T = V = 1; there only with the shift's sign turned."""
    shift = np.full((60, 70), 3.0, np.float32), np.full((60, 70), -2.0, np.float32)
    reference, sample = (
        speckle((60, 70), sigma=2, frames=2, seed=5, shift=s) for s in ((0, 0), (3, -2))
    )
    inside = np.s_[15:-15, 15:-15]

    def scatter(x: Any, y: Any) -> float:
        found = algotom_phase.get_transmission_dark_field_signal(
            reference, sample, x, y, 7, margin=5, ncore=1
        )
        return float(np.std(found[1][inside]))

    assert scatter(*shift) > 0.05
    assert scatter(-shift[0], -shift[1]) < 0.01
    field = shiftfield.ShiftField(
        x=shift[0], y=shift[1], valid=np.ones((60, 70), dtype=bool), score=shift[0]
    )
    here = shiftfield.window_statistics(reference, sample, field, 7)
    np.testing.assert_allclose(here.dark_field[inside], 1, atol=1e-5)
