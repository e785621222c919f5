"""One answer, to the last bit: whatever the chunks, threads, memory, step, callers and kind of input."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dask.array
import h5py
import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from shiftfield import (
    ShiftField,
    find_local_shifts,
    find_local_shifts_umpa,
    find_shift_field,
)
from shiftfield.synthetic import speckle

pytestmark = pytest.mark.filterwarnings("ignore:.*(GPU|pixels have no answer):UserWarning")

PATTERN: dict[str, Any] = {"sigma": 1.5, "frames": 3, "seed": 2}
REFERENCE = speckle((150, 90), **PATTERN)
SAMPLE = speckle((150, 90), shift=(0.3, -0.4), **PATTERN)
SAMPLE[1, 70, 40] = np.nan
DENSE: dict[str, Callable[..., tuple[NDArray[Any], ...]]] = {
    "pair": lambda **given: find_local_shifts(REFERENCE[0], SAMPLE[0], margin=4, **given),
    "pair as it is": lambda **given: find_local_shifts(
        REFERENCE[0], SAMPLE[0], margin=4, norm=False, **given
    ),
    "1-D": lambda **given: find_local_shifts(REFERENCE, SAMPLE, margin=4, **given),
    "1-D, globally normalised": lambda **given: find_local_shifts(
        REFERENCE, SAMPLE, margin=4, norm_global=True, **given
    ),
    "2-D": lambda **given: find_local_shifts(REFERENCE, SAMPLE, dim=2, margin=4, **given),
    "UMPA": lambda **given: find_local_shifts_umpa(REFERENCE, SAMPLE, margin=4, **given),
    "UMPA with dark field": lambda **given: find_local_shifts_umpa(
        REFERENCE, SAMPLE, margin=4, dark_signal=True, **given
    ),
}


def same(first: tuple[NDArray[Any], ...], second: tuple[NDArray[Any], ...]) -> None:
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, two)


def arrays(field: ShiftField) -> tuple[NDArray[Any], ...]:
    return tuple(field.quantities().values())


@pytest.mark.parametrize("name", DENSE)
@pytest.mark.parametrize("given", [{"chunk_size": 1}, {"chunk_size": 37}, {"chunk_size": 1000}])
def test_chunks_change_nothing(name: str, given: dict[str, Any]) -> None:
    same(DENSE[name](**given), DENSE[name](chunk_size=None))


@pytest.mark.parametrize("name", DENSE)
def test_threads_change_nothing(name: str) -> None:
    same(DENSE[name](ncore=1), DENSE[name](ncore=5))


def test_memory_changes_nothing() -> None:
    plain = find_shift_field(REFERENCE, SAMPLE, margin=4)
    same(arrays(plain), arrays(find_shift_field(REFERENCE, SAMPLE, margin=4, memory="1.2 MB")))


@pytest.mark.parametrize("step", [2, 3, 7])
@pytest.mark.parametrize("method", ["pearson", "umpa_dark"])
def test_a_step_leaves_pixels_out_and_changes_none(step: int, method: str) -> None:
    full = find_shift_field(REFERENCE, SAMPLE, margin=4, method=method)
    coarse = find_shift_field(REFERENCE, SAMPLE, margin=4, method=method, step=step)
    same(arrays(coarse), tuple(array[::step, ::step] for array in arrays(full)))


def test_six_callers_at_once_get_what_one_gets() -> None:
    alone = find_shift_field(REFERENCE, SAMPLE, margin=4)
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(find_shift_field, REFERENCE, SAMPLE, margin=4) for _ in range(6)]
        for call in calls:
            same(arrays(call.result()), arrays(alone))


def sources(folder: Path, array: NDArray[Any]) -> dict[str, Any]:
    """Return the same pixels in every kind of container."""
    file = h5py.File(folder / f"{id(array)}.h5", "w")
    file["data"] = array
    store = zarr.open_array(
        str(folder / f"{id(array)}.zarr"), mode="w", shape=array.shape, dtype=array.dtype
    )
    store[...] = array
    mapped = np.memmap(folder / f"{id(array)}.raw", array.dtype, "w+", shape=array.shape)
    mapped[...] = array
    read_only = array.copy()
    read_only.flags.writeable = False
    return {
        "HDF5": file["data"],
        "Zarr": store,
        "dask": dask.array.from_array(array, chunks=(1, 40, 33)),
        "memmap": mapped,
        "Fortran order": np.asfortranarray(array),
        "every other": np.repeat(array, 2, axis=2)[:, :, ::2],
        "read-only": read_only,
        "big-endian": array.astype(array.dtype.newbyteorder(">")),
        "masked": np.ma.MaskedArray(np.where(np.isnan(array), 5, array), np.isnan(array)),
        "list": array.tolist(),
    }


def test_the_kind_of_input_changes_nothing(tmp_path: Path) -> None:
    """A list has Python's floats, so it is compared with a float64 array; masked pixels are NaN."""
    plain = {
        "list": find_shift_field(REFERENCE.astype(float), SAMPLE.astype(float), margin=4),
        "": find_shift_field(REFERENCE, SAMPLE, margin=4),
    }
    references, samples = sources(tmp_path, REFERENCE), sources(tmp_path, SAMPLE)
    for kind, reference in references.items():
        found = find_shift_field(reference, samples[kind], margin=4, cancel=lambda: False)
        same(arrays(found), arrays(plain.get(kind, plain[""])))
