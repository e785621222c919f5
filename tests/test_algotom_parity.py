"""The seven functions, on the reference backend too, give algotom's numbers where we do not differ on purpose."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest
from algotom.util import correlation as algotom
from numpy.typing import NDArray

import shiftfield
from shiftfield.settings import WEIGHTS
from shiftfield.synthetic import speckle

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")

SEVEN = (
    "normalize_image",
    "generate_correlation_map",
    "locate_peak",
    "find_shift_based_correlation_map",
    "find_local_shifts",
    "find_global_shift_based_local_shifts",
    "find_local_shifts_umpa",
)
PATTERN: dict[str, Any] = {"sigma": 1.4, "frames": 3, "seed": 8}
REFERENCE = speckle((44, 52), **PATTERN).astype(np.float64)
SAMPLE = 0.8 * speckle((44, 52), shift=(1.3, -0.6), **PATTERN).astype(np.float64) + 0.05
DEVICES = ("cpu", "reference")


def close(ours: Any, theirs: Any, apart: float = 1e-3) -> None:
    """Same shapes, same numbers; algotom computes in float32."""
    for one, two in zip(ours, theirs, strict=True):
        assert np.shape(one) == np.shape(two)
        assert np.mean(np.abs(np.asarray(one) - np.asarray(two)) < apart) > 0.999


@pytest.mark.parametrize("name", SEVEN)
def test_parameters_are_algotoms(name: str) -> None:
    """Same names, order and defaults; what is ours is keyword-only and has a default."""
    theirs = inspect.signature(getattr(algotom, name)).parameters
    ours = inspect.signature(getattr(shiftfield, name)).parameters
    shared = [p for p in ours.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [(p.name, p.default) for p in shared] == [(p.name, p.default) for p in theirs.values()]
    added = [p for p in ours.values() if p not in shared]
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in added)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint16])
def test_normalize_image(dtype: Any) -> None:
    for image in (REFERENCE[0], REFERENCE):
        given = (1000 * image).astype(dtype)
        ours, theirs = shiftfield.normalize_image(given), algotom.normalize_image(given)
        assert ours.dtype == (np.float32 if dtype is np.float32 else np.float64)
        np.testing.assert_allclose(ours, theirs, atol=2e-4)


def test_generate_correlation_map() -> None:
    for reference, sample in (
        (REFERENCE[0], SAMPLE[0, 9:-5, 4:-8]),
        (REFERENCE, SAMPLE[:, 9:-5, 4:-8]),
    ):
        ours = shiftfield.generate_correlation_map(reference, sample)
        theirs = algotom.generate_correlation_map(reference, sample)
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize(
    "shape", [(3, 3), (2, 2), (3, 9), (1, 9), (9, 1), (4, 7), (21, 21), (2, 9)]
)
@pytest.mark.parametrize("method", ["diff", "poly_fit"])
def test_locate_peak(shape: tuple[int, int], method: str) -> None:
    """On noise and on smooth maps, for every dim, size and extremum; saddles are a difference of ours."""
    rng = np.random.default_rng(3)
    for trial in range(40):
        scores = rng.random(shape)
        if trial % 2:
            y, x = np.ogrid[: shape[0], : shape[1]]
            scores = np.exp(
                -((y - rng.uniform(0, shape[0])) ** 2 + (x - rng.uniform(0, shape[1])) ** 2) / 6
            )
        dim, size = int(rng.integers(1, 3)), int(rng.choice([1, 3, 4, 5, 7, 9, 12]))
        for max_peak in (True, False):
            if trial % 2 == 0 and dim == 2 and method == "diff":
                continue  # noise has saddles
            given = (scores if max_peak else 3 - 2 * scores), True, method, dim, size, max_peak
            ours = shiftfield.locate_peak(*given)
            theirs = algotom.locate_peak(*given)
            assert ours == pytest.approx(theirs, abs=1e-6), (trial, dim, size, max_peak)
        assert shiftfield.locate_peak(scores, sub_pixel=False) == algotom.locate_peak(
            scores, sub_pixel=False
        )


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("method", ["diff", "poly_fit"])
def test_find_shift_based_correlation_map(axis: int | None, dim: int, method: str) -> None:
    given: dict[str, Any] = {"margin": 6, "axis": axis, "dim": dim, "method": method, "size": 5}
    for pair in ((REFERENCE[0], SAMPLE[0]), (REFERENCE, SAMPLE)):
        ours = shiftfield.find_shift_based_correlation_map(*pair, **given)
        assert ours == pytest.approx(
            algotom.find_shift_based_correlation_map(*pair, **given), abs=1e-4
        )


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"norm": False},
        {"method": "poly_fit", "size": 5},
        {"norm": False, "method": "poly_fit", "size": 9, "win_size": 8},
    ],
)
def test_find_local_shifts_of_a_pair(given: dict[str, Any], device: str) -> None:
    ours = shiftfield.find_local_shifts(REFERENCE[0], SAMPLE[0], margin=5, device=device, **given)
    close(ours, algotom.find_local_shifts(REFERENCE[0], SAMPLE[0], margin=5, ncore=1, **given))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"norm": False},
        {"norm_global": True},
        {"norm_global": True, "norm": False},
        {"method": "poly_fit", "size": 5},
        {"dim": 2},
        {"dim": 2, "method": "poly_fit", "size": 7, "norm_global": True},
    ],
)
def test_find_local_shifts_of_stacks(given: dict[str, Any], device: str) -> None:
    given = {"margin": 5, "chunk_size": None, **given}
    ours = shiftfield.find_local_shifts(REFERENCE, SAMPLE, device=device, **given)
    close(ours, algotom.find_local_shifts(REFERENCE, SAMPLE, ncore=1, **given))


@pytest.mark.parametrize("dark_signal", [False, True])
@pytest.mark.parametrize("filter_name", [None, *WEIGHTS])
def test_find_local_shifts_umpa(filter_name: str | None, dark_signal: bool) -> None:
    given: dict[str, Any] = {"margin": 4, "filter_name": filter_name, "dark_signal": dark_signal}
    theirs = algotom.find_local_shifts_umpa(REFERENCE, SAMPLE, gpu=False, ncore=1, **given)
    for device in DEVICES:
        ours = shiftfield.find_local_shifts_umpa(REFERENCE, SAMPLE, device=device, **given)
        close(ours, theirs, apart=4e-3)


def points(count: int) -> list[NDArray[np.intp]]:
    rng = np.random.default_rng(count)
    return [rng.integers(15, 28, count), rng.integers(15, 36, count)]


@pytest.mark.parametrize("global_value", ["mixed", "median", "mean"])
@pytest.mark.parametrize("count", [1, 3, 5, 6, 7, 8, 20])
def test_find_global_shift(global_value: str, count: int) -> None:
    given: dict[str, Any] = {
        "list_ij": points(count), "global_value": global_value, "norm": count % 2 == 0,
    }  # fmt: skip
    ours = shiftfield.find_global_shift_based_local_shifts(REFERENCE[0], SAMPLE[0], 15, 5, **given)
    theirs = algotom.find_global_shift_based_local_shifts(
        REFERENCE[0], SAMPLE[0], 15, 5, ncore=1, **given
    )
    assert all(isinstance(value, float) for value in ours)
    assert ours == pytest.approx(theirs, abs=1e-4)


def test_find_global_shift_returns_the_list_in_order() -> None:
    given: dict[str, Any] = {
        "list_ij": points(9),
        "return_list": True,
        "method": "poly_fit",
        "size": 5,
    }
    ours = shiftfield.find_global_shift_based_local_shifts(REFERENCE[0], SAMPLE[0], 15, 5, **given)
    theirs = algotom.find_global_shift_based_local_shifts(
        REFERENCE[0], SAMPLE[0], 15, 5, ncore=1, **given
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("gpu", [True, "hybrid", np.True_])
@pytest.mark.parametrize("name", SEVEN[1:2] + SEVEN[3:])
def test_a_missing_gpu_is_told_once_and_changes_nothing(name: str, gpu: Any) -> None:
    calls: dict[str, tuple[Any, ...]] = {
        "generate_correlation_map": (REFERENCE, SAMPLE[:, 5:-5, 5:-5]),
        "find_shift_based_correlation_map": (REFERENCE, SAMPLE, 5),
        "find_local_shifts": (REFERENCE, SAMPLE, 2),
        "find_global_shift_based_local_shifts": (REFERENCE[0], SAMPLE[0], 15, 5),
        "find_local_shifts_umpa": (REFERENCE, SAMPLE),
    }
    function = getattr(shiftfield, name)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = function(*calls[name], gpu=gpu)
    assert [str(w.message).split(",")[0] for w in told] == ["A GPU was asked for"]
    assert told[0].filename == __file__
    for one, two in zip(found, function(*calls[name], gpu=False), strict=True):
        np.testing.assert_array_equal(one, two)
