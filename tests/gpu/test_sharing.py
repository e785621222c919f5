"""Whole images on GPUs: pieces by memory, halving, failures, CPU and GPUs together, cancelling."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import Use
from emulated import Emulated
from scenes import moved, same_bits, silently

import shiftfield
from shiftfield import ShiftField
from shiftfield.engine.gpu.device import Device
from shiftfield.stream import sharing

REF, SAM = moved((260, 60), (1.3, -0.7), frames=2)
AGREED = 1e-4  # px


def field(**chosen: Any) -> tuple[ShiftField, list[str]]:
    """Return a shift field, and what was warned of."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = shiftfield.find_shift_field(REF, SAM, **{"margin": 2, "device": "gpu", **chosen})
    return found, [str(warning.message) for warning in told]


@pytest.fixture(scope="module")
def alone() -> ShiftField:
    """The answer of the emulated device, undisturbed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shiftfield.engine.gpu.devices.devices", lambda: ([Emulated()], ""))
        found, told = field()
    assert told == []
    return found


@pytest.fixture(scope="module")
def by_cpu() -> ShiftField:
    return field(device="cpu")[0]


def agree(found: ShiftField, expected: ShiftField) -> None:
    for name, image in expected.quantities().items():
        image, other = image.astype(float), found.quantities()[name].astype(float)
        np.testing.assert_array_equal(np.isnan(other), np.isnan(image), err_msg=name)
        far = np.abs(other - image)[np.isfinite(image)] > AGREED
        assert np.count_nonzero(far) <= 0.001 * far.size, name


@pytest.mark.parametrize("chosen", [
    {}, {"device": "auto"}, {"device": "hybrid"}, {"search": "1d"}, {"step": 3}, {"method": "umpa_dark"}
], ids=str)  # fmt: skip
def test_a_whole_image(device: Device, use: Use, chosen: dict[str, Any]) -> None:
    use(device)
    found, told = field(**chosen)
    assert told == []
    agree(found, field(**{**chosen, "device": "cpu"})[0])


def test_auto_takes_the_gpu(use: Use, alone: ShiftField) -> None:
    device = Emulated()
    use(device)
    same_bits(field(device="auto")[0], alone)
    assert device.launched


def test_the_seven_functions_use_it(device: Device, use: Use) -> None:
    use(device)
    for gpu in (True, "hybrid"):
        shifts = shiftfield.find_local_shifts(REF, SAM, margin=2, dim=2, gpu=gpu)
        both = shiftfield.find_local_shifts_umpa(REF, SAM, margin=2, gpu=gpu, dark_signal=True)
        for found, expected in zip(
            (*shifts, *both),
            (
                *shiftfield.find_local_shifts(REF, SAM, margin=2, dim=2),
                *shiftfield.find_local_shifts_umpa(REF, SAM, margin=2, gpu=False, dark_signal=True),
            ),
            strict=True,
        ):
            assert np.mean(np.abs(found - expected) > AGREED) <= 0.001


@pytest.mark.parametrize("share", [0.9, 0.6, 0.4])
def test_without_enough_memory_it_takes_half(use: Use, alone: ShiftField, share: float) -> None:
    """The driver promises more than it has: the same bits, in smaller pieces, and a sentence."""
    roomy = Emulated()
    use(roomy)
    field()
    tight = Emulated(memory=int(share * roomy.most_held))
    tight.told_free = 10**10
    use(tight)
    found, told = field()
    same_bits(found, alone)
    assert tight.launched.count("search_best") > roomy.launched.count("search_best")
    assert "had no memory for 4 rows of tiles at a time; it went on with 2." in told[0]
    assert all("had no memory for" in sentence for sentence in told)
    assert tight.most_held <= tight.memory


@pytest.mark.parametrize("free", [8_000_000, 5_000_000, 2_000_000])
def test_pieces_fit_into_what_is_free(use: Use, alone: ShiftField, free: int) -> None:
    device = Emulated(memory=free)
    use(device)
    found, told = field()
    assert told == []
    same_bits(found, alone)
    assert 0 < device.most_held <= free


def test_memory_is_a_limit(use: Use, alone: ShiftField) -> None:
    device = Emulated()
    use(device)
    found, told = field(memory="6 MB")
    assert told == []
    same_bits(found, alone)
    assert 0 < device.most_held <= 6_000_000


def test_below_a_minimum_the_cpu_is_used(use: Use, by_cpu: ShiftField) -> None:
    device = Emulated(memory=1_000_000)
    use(device)
    found, told = field()
    same_bits(found, by_cpu)
    (said,) = told
    assert "not even one row of tiles fits into what is free or allowed" in said
    assert not device.launched


def test_promised_memory_that_is_not_there_at_all(use: Use, by_cpu: ShiftField) -> None:
    device = Emulated(memory=100_000)
    device.told_free = 10**10
    use(device)
    found, told = field()
    same_bits(found, by_cpu)
    assert "had no memory for" in told[0]
    assert "failed" in told[-1]


@pytest.mark.parametrize("kind", ["gpu", "hybrid"])
@pytest.mark.parametrize("after", [0, 5, 20])
def test_a_device_that_fails_half_way(
    use: Use, monkeypatch: pytest.MonkeyPatch, kind: str, after: int, by_cpu: ShiftField
) -> None:
    device = Emulated(broken_after=after)
    device.told_free = 2_000_000  # several pieces
    use(device)
    if kind == "hybrid":
        _cpu_waits_for(monkeypatch, lambda: device.broken)
    found, told = field(device=kind)
    agree(found, by_cpu)
    assert [s for s in told if "failed (CUDA_ERROR_ILLEGAL_ADDRESS: the device is lost)" in s]
    assert len(told) == 1


def test_the_other_device_takes_over(use: Use, alone: ShiftField) -> None:
    broken, good = Emulated(broken_after=7), Emulated()
    use(broken, good)
    found, told = field()
    same_bits(found, alone)
    assert len(told) == 1


def test_two_devices_share(use: Use, alone: ShiftField) -> None:
    first, second = Emulated(), Emulated()
    use(first, second)
    found, told = field()
    assert told == []
    same_bits(found, alone)
    assert first.launched
    assert second.launched


def test_cpu_and_gpu_share(
    use: Use, monkeypatch: pytest.MonkeyPatch, alone: ShiftField, by_cpu: ShiftField
) -> None:
    """Some rows are the GPU's and some the CPU's, which here waits until the GPU has done some."""
    device = Emulated()
    device.told_free = 2_000_000  # one strip at a time
    _cpu_waits_for(monkeypatch, lambda: device.launched.count("locate_peaks") > 1)
    use(device)
    found, told = field(device="hybrid")
    assert told == []
    agree(found, by_cpu)
    rows = [(_same(found, alone, row), _same(found, by_cpu, row)) for row in range(10, 250)]
    assert (True, False) in rows
    assert (False, True) in rows


def _cpu_waits_for(monkeypatch: pytest.MonkeyPatch, happened: Callable[[], bool]) -> None:
    """Let the CPU begin when something has happened on the GPU, which is slow here."""
    compute = sharing.compute

    def late(*arguments: Any) -> Any:
        while not happened():
            time.sleep(0.001)
        return compute(*arguments)

    monkeypatch.setattr(sharing, "compute", late)


def _same(one: ShiftField, two: ShiftField, row: int) -> bool:
    return bool(np.array_equal(one.x[row], two.x[row], equal_nan=True))


def test_files_are_read_band_by_band(tmp_path: Path, use: Use, alone: ShiftField) -> None:
    use(Emulated())
    with h5py.File(tmp_path / "pair.h5", "w") as file:
        ref, sam = file.create_dataset("ref", data=REF), file.create_dataset("sam", data=SAM)
        found = shiftfield.find_shift_field(ref, sam, margin=2, device="gpu", memory="6 MB")
    same_bits(found, alone)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.float64, np.bool_])
def test_pixels_of_all_kinds(use: Use, kind: type) -> None:
    use(Emulated())
    images = moved((50, 50), (1.3, -0.7))
    low = min(image.min() for image in images)
    pixels = [np.round((image - low) * 20).astype(kind) for image in images]
    if (
        kind is np.bool_
    ):  # noise and a whole shift: no two scores of a pixel are equal to the last bit
        noise = np.random.default_rng(3).random((50, 50)) > 0.5
        pixels = [noise, np.roll(noise, (1, -1), (0, 1))]
    by_gpu, by_cpu = (
        silently(shiftfield.find_shift_field, *pixels, margin=2, device=device)
        for device in ("gpu", "cpu")
    )
    agree(by_gpu, by_cpu)


@pytest.mark.parametrize("kind", ["gpu", "hybrid"])
def test_cancel_ends_it(use: Use, kind: str) -> None:
    use(Emulated())
    before = set(threading.enumerate())
    with pytest.raises(shiftfield.Cancelled):
        field(device=kind, cancel=_after(2))
    assert not [t for t in set(threading.enumerate()) - before if t.is_alive()]


def _after(looks: int) -> Callable[[], bool]:
    left = iter(range(looks))
    return lambda: next(left, None) is None


def test_progress_rises_to_its_total(use: Use) -> None:
    use(Emulated())
    seen: list[tuple[int, int]] = []
    field(progress=lambda *at: seen.append(at))
    done, totals = zip(*seen, strict=True)
    assert done[0] == 0
    assert list(done) == sorted(done)
    assert set(totals) == {done[-1]}


def test_a_window_that_is_too_wide_is_the_cpus(use: Use) -> None:
    use(Emulated())
    images = moved((210, 210), (0.3, 0.2))
    with pytest.warns(UserWarning, match="its kernels take windows of up to 193 px"):
        shiftfield.find_shift_field(*images, window=201, margin=2, device="gpu")


@pytest.mark.parametrize(
    ("block", "said"), [((8, 8), ""), ((5, 5), "use 32"), ((32, 32), "use 256")]
)
def test_block_is_honoured_or_told(use: Use, block: tuple[int, int], said: str) -> None:
    use(Emulated())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        shiftfield.find_local_shifts(REF[0, :40], SAM[0, :40], margin=2, gpu=True, block=block)
    assert [said in str(w.message) for w in told] == ([True] if said else [])
