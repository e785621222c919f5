"""Every call of its correlation module in algotom's documentation, run with only the import changed.

The calls are those of its docstrings, its manual (section 5.1), its example scripts and its own tests;
data, expected values and code are ours. Each call is also bound to algotom's own signature.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import algotom.prep.phase as ps
import algotom.util.correlation as original
import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

import shiftfield as corl
from shiftfield.synthetic import speckle

# Nothing here needs a GPU; without one, gpu=True says so and uses the CPU.
pytestmark = pytest.mark.filterwarnings("ignore:.*GPU:UserWarning")

Image = NDArray[np.float32]
MOVED = 1.5  # px, along both axes: content of the sample against the reference


def stacks(moved: float, frames: int = 3, size: int = 65) -> tuple[Image, Image]:
    pattern: dict[str, Any] = {"sigma": 2.0, "frames": frames, "seed": 1}
    shape = (size, size)
    return speckle(shape, **pattern), speckle(shape, shift=(-moved, -moved), **pattern)


REF, SAM = stacks(MOVED)
# A shift well below the speckle size, as a 1-D search needs it.
NEAR_REF, NEAR_SAM = stacks(0.4, frames=20)


def call(name: str, *args: Any, **kwargs: Any) -> Any:
    """Call one of the seven functions; algotom must take the same arguments."""
    inspect.signature(getattr(original, name)).bind(*args, **kwargs)
    return getattr(corl, name)(*args, **kwargs)


def same_as(expected: float, *shifts: Any, edge: int, atol: float) -> None:
    """The mean of each shift, inside the borders."""
    for shift in shifts:
        inside = np.asarray(shift)[edge:-edge, edge:-edge]
        assert inside.size
        assert np.mean(inside) == pytest.approx(expected, abs=atol)


def test_every_function_of_the_module_is_there_with_its_signature() -> None:
    """Same names, order and defaults; what is new is keyword-only and comes after them."""
    for name in (
        "normalize_image",
        "generate_correlation_map",
        "locate_peak",
        "find_shift_based_correlation_map",
        "find_local_shifts",
        "find_global_shift_based_local_shifts",
        "find_local_shifts_umpa",
    ):
        ours = inspect.signature(getattr(corl, name)).parameters.values()
        theirs = inspect.signature(getattr(original, name)).parameters.values()
        old = [(p.name, p.default) for p in ours if p.kind is not p.KEYWORD_ONLY]
        assert old == [(p.name, p.default) for p in theirs]
        assert all(p.default is not p.empty for p in ours if p.kind is p.KEYWORD_ONLY)


def test_normalize_image() -> None:
    image = call("normalize_image", REF[0])
    assert np.mean(image) == pytest.approx(0, abs=1e-5)
    assert np.std(image) == pytest.approx(1, abs=1e-5)
    stack = call("normalize_image", REF)
    assert np.min(stack) == 0
    assert np.std(stack) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize("frames", [0, slice(None)])
@pytest.mark.parametrize("block", [(16, 16), (4, 4), (8, 8)])
def test_generate_correlation_map(gpu: bool, frames: Any, block: tuple[int, int]) -> None:
    drop = 10
    mat = call(
        "generate_correlation_map",
        REF[frames],
        SAM[frames][..., drop:-drop, drop:-drop],
        gpu=gpu,
        block=block,
    )
    assert mat.shape == (2 * drop + 1, 2 * drop + 1)
    assert np.percentile(mat, 90) / np.max(mat) < 0.5


@pytest.mark.parametrize(
    ("ref", "sam"),
    [
        (REF[0, 1], SAM[0, 1]),
        (REF[0, 10:-10, 10:-10], SAM[0]),
        (REF[0:1], SAM[:, 10:-10, 10:-10]),
    ],
    ids=["lines", "larger than the reference", "one frame and three"],
)
def test_generate_correlation_map_refuses(ref: Image, sam: Image) -> None:
    with pytest.raises(ValueError, match="reference"):
        call("generate_correlation_map", ref, sam, gpu=False)


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize(("method", "size"), [("diff", 3), ("poly_fit", 3), ("poly_fit", 5)])
def test_locate_peak(method: str, dim: int, size: int) -> None:
    drop = 10
    mat = call("generate_correlation_map", REF[0], SAM[0][drop:-drop, drop:-drop], gpu=False)
    options: dict[str, Any] = {"sub_pixel": True, "method": method, "dim": dim, "size": size}
    x_pos, y_pos = call("locate_peak", mat, max_peak=True, **options)
    assert (x_pos - drop, y_pos - drop) == pytest.approx((-MOVED, -MOVED), abs=0.1)
    assert call("locate_peak", -mat, max_peak=False, **options) == pytest.approx((x_pos, y_pos))


@pytest.mark.parametrize("frames", [0, slice(None)])
def test_find_shift_based_correlation_map(frames: Any) -> None:
    found = call(
        "find_shift_based_correlation_map", REF[frames], SAM[frames],
        margin=10, axis=None, sub_pixel=True, method="diff", dim=2, size=3, gpu=False,
    )  # fmt: skip
    assert found == pytest.approx((-MOVED, -MOVED), abs=0.05)


@pytest.mark.parametrize("frames", [0, slice(None)])
@pytest.mark.parametrize("axis", [0, 1])
def test_find_shift_based_correlation_map_along_one_axis(frames: Any, axis: int) -> None:
    along_x, along_y = call(
        "find_shift_based_correlation_map", NEAR_REF[frames], NEAR_SAM[frames],
        margin=10, axis=axis, sub_pixel=True, method="poly_fit", dim=2, size=3, gpu=False,
    )  # fmt: skip
    assert (along_x, along_y)[1 - axis] == pytest.approx(-0.4, abs=0.05)
    assert (along_x, along_y)[axis] == 0.0


def test_find_shift_based_correlation_map_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="margin"):
        call(
            "find_shift_based_correlation_map", REF[0], SAM[0, 16:-16],
            margin=20, axis=None, sub_pixel=True, method="poly_fit", dim=2, size=5, gpu=False,
        )  # fmt: skip


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize(
    ("method", "ncore", "norm_global", "chunk_size"),
    [("diff", 1, True, None), ("poly_fit", 1, True, 20), ("poly_fit", None, False, 20)],
)
def test_find_local_shifts_of_a_pair(
    dim: int, method: str, ncore: int | None, norm_global: bool, chunk_size: int | None
) -> None:
    shifts = call(
        "find_local_shifts", REF[0], SAM[0], dim=dim, win_size=5, margin=5, method=method, size=3,
        gpu=False, block=(16, 16), ncore=ncore, norm=True, norm_global=norm_global,
        chunk_size=chunk_size,
    )  # fmt: skip
    same_as(-MOVED, *shifts, edge=7, atol=0.1)
    assert not shifts[0][:7].any()


@pytest.mark.parametrize(
    ("method", "gpu", "norm_global", "chunk_size", "block"),
    [
        ("diff", False, True, None, (16, 16)),
        ("poly_fit", False, True, 20, (16, 16)),
        ("diff", True, False, None, (16, 16)),
        ("diff", "hybrid", True, None, (16, 16)),
        ("diff", True, True, 100, (32, 32)),
        ("diff", True, True, 100, (8, 8)),
    ],
)
def test_find_local_shifts_of_stacks(
    method: str, gpu: Any, norm_global: bool, chunk_size: int | None, block: tuple[int, int]
) -> None:
    shifts = call(
        "find_local_shifts", REF, SAM, dim=2, win_size=5, margin=5, method=method, size=3,
        gpu=gpu, block=block, ncore=1, norm=True, norm_global=norm_global, chunk_size=chunk_size,
    )  # fmt: skip
    same_as(-MOVED, *shifts, edge=7, atol=0.1)


@pytest.mark.parametrize(
    ("norm", "norm_global", "chunk_size"),
    [(False, True, None), (True, True, 100), (False, False, 10), (True, False, 100)],
)
def test_find_local_shifts_by_the_1d_search(
    norm: bool, norm_global: bool, chunk_size: int | None
) -> None:
    shifts = call(
        "find_local_shifts", NEAR_REF, NEAR_SAM, dim=1, win_size=7, margin=10, method="diff",
        size=3, gpu=True, block=(16, 16), ncore=None, norm=norm, norm_global=norm_global,
        chunk_size=chunk_size,
    )  # fmt: skip
    same_as(-0.4, *shifts, edge=13, atol=0.1)


def test_find_local_shifts_reads_hdf_objects(tmp_path: Path) -> None:
    """The docstrings promise "a numpy array or hdf object" to both dense functions."""
    with h5py.File(tmp_path / "stacks.hdf", "w") as file:
        file["entry/ref"], file["entry/sam"] = REF, SAM
        hdf = file["entry/ref"], file["entry/sam"]
        same_as(
            -MOVED, *call("find_local_shifts", *hdf, dim=2, win_size=5, margin=5), edge=7, atol=0.1
        )
        same_as(
            -MOVED, *call("find_local_shifts_umpa", *hdf, win_size=5, margin=5), edge=7, atol=0.1
        )


LIST_IJ = [[25, 30, 35], [26, 31, 36]]


@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize(
    ("list_ij", "num_point", "global_value", "method", "norm"),
    [
        (LIST_IJ, None, "median", "diff", True),
        (LIST_IJ, None, "mean", "poly_fit", True),
        ([30, 31], None, "median", "diff", True),
        (None, 10, "mixed", "diff", False),
        (None, None, "mixed", "diff", True),
    ],
)
def test_find_global_shift_based_local_shifts(
    gpu: bool, list_ij: Any, num_point: int | None, global_value: str, method: str, norm: bool
) -> None:
    found = call(
        "find_global_shift_based_local_shifts", REF[0], SAM[0], 17, 5, list_ij=list_ij,
        num_point=num_point, global_value=global_value, gpu=gpu, block=32, sub_pixel=True,
        method=method, size=3, ncore=None, norm=norm, return_list=False,
    )  # fmt: skip
    assert found == pytest.approx((-MOVED, -MOVED), abs=0.05)


@pytest.mark.parametrize(("win_size", "margin", "block"), [(41, 20, 16), (61, 30, 64)])
def test_find_global_shift_with_the_sizes_of_its_docstring(
    win_size: int, margin: int, block: int
) -> None:
    ref, sam = stacks(4.25, frames=1, size=141)
    found = call(
        "find_global_shift_based_local_shifts", ref, sam, win_size, margin, block=block, gpu=True
    )
    assert found == pytest.approx((-4.25, -4.25), abs=0.05)


def test_find_global_shift_returns_lists() -> None:
    x_shifts, y_shifts = call(
        "find_global_shift_based_local_shifts", REF[0], SAM[0], 17, 5, list_ij=LIST_IJ,
        num_point=None, global_value="mixed", gpu=False, block=32, sub_pixel=True, method="diff",
        size=3, ncore=None, norm=True, return_list=True,
    )  # fmt: skip
    assert len(x_shifts) == len(y_shifts) == 3
    assert np.mean(x_shifts) == pytest.approx(-MOVED, abs=0.05)
    assert np.mean(y_shifts) == pytest.approx(-MOVED, abs=0.05)


@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize(
    "filter_name", [None, "hann", "bartlett", "blackman", "hamming", "nuttall", "parzen", "triang"]
)
def test_find_local_shifts_umpa(gpu: bool, filter_name: str | None) -> None:
    shifts = call(
        "find_local_shifts_umpa", REF, SAM, win_size=5, margin=5, method="diff", size=3, gpu=gpu,
        block=(16, 16), ncore=None, chunk_size=None, filter_name=filter_name, dark_signal=False,
    )  # fmt: skip
    same_as(-MOVED, *shifts, edge=7, atol=0.1)


def test_find_local_shifts_umpa_returns_four_images_with_the_dark_signal() -> None:
    x_shifts, y_shifts, transmission, dark = call(
        "find_local_shifts_umpa",
        REF,
        SAM,
        win_size=7,
        margin=10,
        filter_name=None,
        dark_signal=True,
    )
    same_as(-MOVED, x_shifts, y_shifts, edge=13, atol=0.1)
    same_as(1, transmission, edge=1, atol=0.01)
    same_as(1, dark, edge=1, atol=0.05)


# The manual and the example scripts reach the module through algotom.prep.phase, which imports it.


@pytest.fixture
def phase(monkeypatch: pytest.MonkeyPatch) -> Any:
    """algotom.prep.phase, with its one import of the correlation module changed."""
    assert ps.corl is original
    monkeypatch.setattr(ps, "corl", corl)
    return ps


@pytest.mark.parametrize("find_shift", ["umpa", "correl"])
def test_retrieve_phase_as_the_i12_scripts_do(phase: Any, find_shift: str) -> None:
    """Scripts `retrieve_phase_all_projections`, `.._single_projection`, `reconstruct_single_slice..`."""
    x_shifts, y_shifts, retrieved, transmission, dark = phase.retrieve_phase_based_speckle_tracking(
        REF, SAM, find_shift=find_shift, filter_name=None, dark_signal=True, dim=2, win_size=7,
        margin=10, method="diff", size=3, gpu=True, block=(16, 16), ncore=None, norm=True,
        norm_global=False, chunk_size=100, surf_method="SCS", correct_negative=True, pad=100,
        return_shift=True,
    )  # fmt: skip
    same_as(-MOVED, x_shifts, y_shifts, edge=13, atol=0.1)
    same_as(1, transmission, edge=13, atol=0.02)
    assert np.isfinite(retrieved).all()
    assert np.isfinite(dark).all()


@pytest.mark.parametrize(("dim", "chunk_size"), [(1, None), (2, 100)])
def test_retrieve_phase_as_the_first_scripts_did(
    phase: Any, dim: int, chunk_size: int | None
) -> None:
    """With norm_global and, for the 1-D search, all rows at once."""
    x_shifts, y_shifts, retrieved = phase.retrieve_phase_based_speckle_tracking(
        NEAR_REF, NEAR_SAM, dim=dim, win_size=7, margin=10, method="diff", size=3, gpu=True,
        block=(16, 16), ncore=None, norm=False, norm_global=True, chunk_size=chunk_size,
        surf_method="SCS", correct_negative=True, return_shift=True,
    )  # fmt: skip
    same_as(-0.4, x_shifts, y_shifts, edge=13, atol=0.1)
    assert np.isfinite(retrieved).all()


@pytest.mark.parametrize(("win_size", "margin", "gpu"), [(21, 20, True), (61, 10, False)])
def test_align_stacks_as_the_scripts_do(phase: Any, win_size: int, margin: int, gpu: bool) -> None:
    """Shifts at chosen points, then at one large window, then both stacks aligned."""
    ref, sam = stacks(MOVED, frames=2, size=131)
    list_ij = [np.arange(45, 80, 7), np.arange(50, 85, 7)]
    sr_shifts = phase.find_shift_between_image_stacks(
        ref, sam, win_size, margin, gpu=gpu, list_ij=list_ij
    )
    np.testing.assert_allclose(sr_shifts, -MOVED, atol=0.05)
    sam_shifts = phase.find_shift_between_sample_images(
        ref, sam, sr_shifts, 85, 20, gpu=False, list_ij=[63, 63]
    )
    np.testing.assert_allclose(sam_shifts[0], 0, atol=0.05)
    aligned_ref, aligned_sam = phase.align_image_stacks(ref, sam, sr_shifts, None)
    found = corl.find_shift_based_correlation_map(aligned_ref, aligned_sam, margin=5)
    assert found == pytest.approx((0, 0), abs=0.05)


def test_one_script_gives_a_global_value_for_a_method() -> None:
    """A script passes method="mixed", which is no method: both use "diff", we say so."""
    arguments: dict[str, Any] = {"list_ij": LIST_IJ, "global_value": "median"}
    theirs = original.find_global_shift_based_local_shifts(
        REF[0], SAM[0], 17, 5, method="mixed", **arguments
    )
    with pytest.warns(UserWarning, match="method is 'mixed', which is a global_value"):
        ours = call(
            "find_global_shift_based_local_shifts",
            REF[0],
            SAM[0],
            17,
            5,
            method="mixed",
            **arguments,
        )
    plain = call("find_global_shift_based_local_shifts", REF[0], SAM[0], 17, 5, **arguments)
    assert ours == plain == pytest.approx(theirs, abs=1e-4)
