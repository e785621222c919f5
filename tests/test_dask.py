"""Dask arrays in, dask arrays out: the same field for each chunk, on threads, processes, and those left."""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster, wait
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import moved, same_bits

from shiftfield import (
    ShiftField,
    find_local_shifts,
    find_shift_field,
    generate_correlation_map,
)
from shiftfield.engine import why_no_gpu
from shiftfield.settings import METHODS

pytestmark = pytest.mark.filterwarnings("ignore:.*pixels have no answer")
REF, SAM = moved((90, 100), (1.3, -0.7), frames=3)


def check(found: ShiftField, expected: ShiftField) -> None:
    """The same pixels are known, and the numbers are those up to the rounding of another grid of tiles."""
    one = found.on_host()
    np.testing.assert_array_equal(one.valid, expected.valid)
    for name, image in expected.quantities().items():
        apart = np.abs(one.quantities()[name].astype(float) - image)[expected.valid]
        assert np.mean(apart <= 1e-4) >= 0.999, name


@pytest.mark.slow
@settings(max_examples=8, deadline=None, derandomize=True)
@given(data=st.data())
def test_chunks_of_any_size(data: st.DataObject) -> None:
    pick = data.draw
    method = pick(st.sampled_from(list(METHODS)))
    chosen: dict[str, Any] = {
        "window": pick(st.sampled_from([3, 7])), "margin": pick(st.integers(1, 4)), "method": method,
        "step": pick(st.sampled_from([1, 1, 2, 3])), "device": "cpu",
    }  # fmt: skip
    if method == "pearson" and pick(st.booleans()):
        chosen["search"] = "1d"
    chunks = pick(st.integers(1, 3)), pick(st.integers(5, 90)), pick(st.integers(5, 100))
    ref, sam = REF.copy(), SAM.copy()
    if pick(st.booleans()):
        ref[1, 40, 50], sam[:, 10:30, 60:80] = np.nan, 2
    lazy = find_shift_field(da.from_array(ref, chunks), da.from_array(sam, chunks), **chosen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(lazy, find_shift_field(ref, sam, **chosen))
    assert lazy.shape == lazy.on_host().shape


def test_one_image_and_one_that_is_no_dask_array() -> None:
    expected = find_shift_field(REF[0], SAM[0], margin=3)
    for ref, sam in ((REF[0], da.from_array(SAM[0], 40)), (da.from_array(REF[0], 33), SAM[0])):
        lazy = find_shift_field(ref, sam, margin=3)
        assert isinstance(lazy.x, da.Array)
        check(lazy, expected)


@pytest.mark.parametrize("method", ["pearson", "umpa_dark"])
def test_masked_pixels_are_unknown(method: str) -> None:
    """As in NumPy's arrays: what is masked is no number, whichever of the two is dask's."""
    masked = np.ma.masked_array(REF.copy(), np.zeros(REF.shape, bool))
    masked[:, 40:45, 50:55] = 1e6
    masked[:, 40:45, 50:55] = np.ma.masked
    chosen: dict[str, Any] = {"margin": 3, "method": method, "device": "cpu"}
    expected = find_shift_field(masked, SAM, **chosen)
    assert not expected.valid[42, 52]
    for ref, sam in (
        (da.from_array(masked, (3, 45, 50)), da.from_array(SAM, (3, 45, 50))),
        (masked, da.from_array(SAM, (3, 45, 50))),
    ):
        check(find_shift_field(ref, sam, **chosen), expected)
    now = find_shift_field(
        da.from_array(masked, (3, 45, 50)), SAM, progress=lambda *_: None, **chosen
    )
    same_bits(now, expected)


def test_a_step_longer_than_the_image() -> None:
    lazy = find_shift_field(
        da.from_array(REF, (3, 30, 30)), da.from_array(SAM, 30), margin=3, step=95
    )
    assert lazy.on_host().shape == (1, 2)


def test_an_address_beside_a_dask_array(tmp_path: Any) -> None:
    np.save(tmp_path / "sample.npy", SAM)
    lazy = find_shift_field(da.from_array(REF, 50), str(tmp_path / "sample.npy"), margin=3)
    check(lazy, find_shift_field(REF, SAM, margin=3))


def test_nothing_is_computed_before_it_is_asked_for(tmp_path: Any) -> None:
    def fail(_block: Any) -> Any:
        raise AssertionError("it was computed")

    never = da.from_array(REF, (3, 40, 40)).map_blocks(fail, dtype=np.float32, meta=REF[:0])
    lazy = find_shift_field(never, never, margin=3)
    assert "not computed" in repr(lazy)
    assert lazy.x.dtype == np.float32
    with pytest.raises(AssertionError, match="it was computed"):
        lazy.on_host()
    there = find_shift_field(
        da.from_array(REF, (3, 40, 40)), da.from_array(SAM, (3, 40, 40)), margin=3
    )
    there.save(tmp_path / "field.h5")
    same_bits(ShiftField.load(tmp_path / "field.h5"), there.on_host())
    assert "median" in there.summary()


@pytest.mark.parametrize("method", METHODS)
def test_the_graph_is_no_larger_than_needed(method: str) -> None:
    def tasks(side: int) -> int:
        images = da.zeros((3, side, side), chunks=(3, 100, 100), dtype=np.float32)
        field = find_shift_field(images, images + 1, margin=10, method=method)
        return len(dict(field.x.__dask_graph__()))

    assert tasks(1000) <= 30 * 100
    assert tasks(2000) <= 30 * 400


def test_what_is_wrong_is_said_at_once() -> None:
    lazy = da.from_array(REF, (3, 40, 40))
    unknown = lazy[:, da.from_array(REF[0, :, 0]) > 0]
    for pair, more, words in (
        ((lazy, lazy[:, :80]), {}, "they must be the same"),
        ((unknown, unknown), {}, "sizes of the chunks are unknown"),
        ((lazy, lazy), {"margin": 60}, "needs at least"),
        ((lazy.astype(complex), lazy), {}, "must hold real numbers"),
        ((lazy[0, 0], lazy[0, 0]), {}, "must be 2-D"),
    ):
        with pytest.raises(ValueError, match=words):
            find_shift_field(*pair, **more)
    for function in (find_local_shifts, generate_correlation_map):
        with pytest.raises(ValueError, match=r"nan.* sizes of the chunks are unknown"):
            function(unknown, unknown)


@pytest.mark.parametrize("device", ["gpu", "hybrid"])
@pytest.mark.skipif(not why_no_gpu(), reason="there is a GPU")
def test_that_there_is_no_gpu_is_told_once(device: str) -> None:
    lazy = da.from_array(REF, (3, 40, 40)), da.from_array(SAM, (3, 40, 40))
    with pytest.warns(UserWarning, match="A GPU was asked for, but .* take the CPU") as told:
        field = find_shift_field(*lazy, margin=3, device=device)
    assert len(told) == 1
    assert told[0].filename == __file__
    field.x.compute()


def test_with_progress_it_is_found_now() -> None:
    told: list[int] = []
    lazy = da.from_array(REF, (3, 40, 40)), da.from_array(SAM, (3, 40, 40))
    found = find_shift_field(*lazy, margin=3, progress=lambda done, _total: told.append(done))
    assert told
    same_bits(found, find_shift_field(REF, SAM, margin=3))


@pytest.fixture
def cluster() -> Iterator[Client]:
    """Two workers, processes of their own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"distributed.worker.daemon": False, "distributed.comm.retry.count": 2}
        with (
            dask.config.set(options),
            LocalCluster(
                n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
            ) as there,
            Client(there) as client,
        ):
            yield client


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_a_worker_that_is_killed_changes_no_bit(cluster: Client) -> None:
    """First undisturbed, then with one of two processes killed while tasks run."""
    ref, sam = moved((400, 400), (1.3, -0.7), frames=2)
    images = [da.from_array(stack, (2, 50, 50)) for stack in (ref, sam)]
    lazy = find_shift_field(*images, margin=8, method="umpa_dark", device="cpu", ncore=1)
    with dask.config.set(scheduler="threads"):
        expected = lazy.on_host()
    same_bits(lazy.on_host(), expected)
    arrays = cluster.persist(list(lazy.quantities().values()))
    began = time.monotonic()
    while not any(future.done() for future in cluster.futures.values()):
        assert time.monotonic() - began < 60
        time.sleep(0.01)
    victim = next(iter(cluster.run(os.getpid).values()))
    os.kill(victim, signal.SIGKILL)
    wait(arrays, timeout=120)
    for array, image in zip(arrays, expected.quantities().values(), strict=True):
        np.testing.assert_array_equal(array.compute(), image)
