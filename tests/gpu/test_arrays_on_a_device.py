"""Images that lie on a GPU stay there: answers lie there too, no image is copied to the host."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Use
from device_array import DeviceArray
from emulated import Emulated
from numpy.typing import NDArray
from scenes import moved, silently

import shiftfield
from shiftfield.engine.gpu import devices

real_devices = devices.devices
REF, SAM = moved((90, 60), (1.3, -0.7), frames=3)
REF, SAM = REF + 5, SAM + 5  # sums to divide by
SPOILT = REF.copy()
SPOILT[1, 40, 30] = np.nan
SMALL = 300_000  # bytes: less than one image in float64 and several results


@pytest.fixture(autouse=True)
def emulated(use: Use) -> Emulated:
    device = Emulated()
    use(device)
    DeviceArray.copied = 0
    return device


def lies(image: NDArray[Any]) -> DeviceArray:
    return DeviceArray(image.copy())


def agree(found: Any, expected: NDArray[Any]) -> None:
    assert isinstance(found, DeviceArray)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(np.isnan(found.get()), np.isnan(expected))
    far = np.abs(found.get() - expected)[np.isfinite(expected)] > 1e-4
    assert np.count_nonzero(far) <= 0.001 * far.size


CALLS: dict[str, tuple[Any, dict[str, Any]]] = {
    "pair": (shiftfield.find_local_shifts, {"frames": 0, "margin": 2}),
    "pair without norm": (shiftfield.find_local_shifts, {"frames": 0, "margin": 2, "norm": False}),
    "stack": (shiftfield.find_local_shifts, {"dim": 2, "margin": 2}),
    "stack 1-D": (shiftfield.find_local_shifts, {"margin": 3}),
    "stack 1-D global": (shiftfield.find_local_shifts, {"margin": 3, "norm_global": True}),
    "poly_fit": (shiftfield.find_local_shifts, {"dim": 2, "margin": 3, "method": "poly_fit", "size": 5}),
    "umpa": (shiftfield.find_local_shifts_umpa, {"margin": 2}),
    "umpa, cpu was meant": (shiftfield.find_local_shifts_umpa, {"margin": 2, "gpu": False}),
    "dark": (shiftfield.find_local_shifts_umpa, {"margin": 2, "dark_signal": True}),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", ["float32", "float64", "uint16", "spoilt", "strided"])
def test_dense_searches(name: str, kind: str, emulated: Emulated) -> None:
    function, chosen = CALLS[name]
    chosen = dict(chosen)
    frame = chosen.pop("frames", slice(None))
    ref, sam = (SPOILT if kind == "spoilt" else REF)[frame], SAM[frame]
    if kind in ("float32", "float64", "uint16"):
        ref, sam = ((image * 1000).astype(kind) for image in (ref, sam))
    there = lies(ref), lies(sam)
    if kind == "strided":
        there = tuple(
            DeviceArray(np.ascontiguousarray(image[..., ::-1].swapaxes(-1, -2)))[
                ..., ::-1, :
            ].transpose(*range(image.ndim - 2), -1, -2)
            for image in (ref, sam)
        )
    found = silently(function, *there, **chosen)
    assert DeviceArray.copied <= SMALL
    assert emulated.launched
    assert emulated.arrays == 0
    on_host = {**chosen, "gpu": False}
    for one, other in zip(found, silently(function, ref, sam, **on_host), strict=True):
        agree(one, other)


@pytest.mark.parametrize("chosen", [
    {}, {"search": "1d", "margin": 3}, {"step": 3}, {"method": "umpa_dark", "weight": "hamming"},
    {"device": "hybrid"},
], ids=str)  # fmt: skip
def test_a_field_lies_where_the_images_lay(tmp_path: Path, chosen: dict[str, Any]) -> None:
    chosen = {"margin": 2, **chosen}
    expected = silently(shiftfield.find_shift_field, REF, SAM, **{**chosen, "device": "cpu"})
    found = silently(shiftfield.find_shift_field, lies(REF), lies(SAM), **chosen)
    assert DeviceArray.copied <= SMALL
    for name, image in expected.quantities().items():
        if image.dtype != bool:
            agree(found.quantities()[name], image)
    assert found.summary().splitlines()[-1] == expected.summary().splitlines()[-1]
    assert found.picture().size == expected.picture().size
    assert "valid" in repr(found)
    found.save(tmp_path / "field.h5")
    np.testing.assert_array_equal(
        shiftfield.ShiftField.load(tmp_path / "field.h5").x, found.on_host().x
    )
    assert len(found.to_layers()) == len(expected.to_layers())
    assert expected.on_host() is expected


def test_the_answer_is_the_same_in_small_pieces(use: Use) -> None:
    whole = shiftfield.find_shift_field(lies(REF), lies(SAM), margin=2).on_host()
    for memory, told_free in ((2_500_000, None), (2_500_000, 10**10)):
        device = Emulated(memory=memory)
        device.told_free = told_free or memory
        use(device)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            part = shiftfield.find_shift_field(lies(REF), lies(SAM), margin=2).on_host()
        np.testing.assert_array_equal(part.x, whole.x)
        assert ["had no memory" in str(one.message) for one in told] == [True] * bool(told_free)
        assert device.launched.count("search_best") > 1


@pytest.mark.parametrize("told_free", [100_000, 10**10])
def test_too_little_memory_is_an_error(use: Use, told_free: int) -> None:
    device = Emulated(memory=100_000)
    device.told_free = told_free
    use(device)
    with pytest.raises(MemoryError, match="emulated has too little free memory beside the images"):
        silently(shiftfield.find_shift_field, lies(REF), lies(SAM), margin=2)


def test_texture_that_float_would_lose(emulated: Emulated) -> None:
    """Where float is too short the tile is searched in double, on the device too."""
    ref, sam = REF.copy(), SAM.copy()
    ref[0, 40, 30] = 1e7
    found = shiftfield.find_shift_field(lies(ref), lies(sam), margin=2)
    agree(found.x, shiftfield.find_shift_field(ref, sam, margin=2, device="cpu").x)
    assert emulated.launched.count("search_best") == 2


def test_cancel_and_progress() -> None:
    seen: list[tuple[int, int]] = []
    shiftfield.find_shift_field(
        lies(REF), lies(SAM), margin=2, progress=lambda *at: seen.append(at)
    )
    assert seen[0][0] == 0
    assert seen[-1][0] == seen[-1][1]
    with pytest.raises(shiftfield.Cancelled):
        shiftfield.find_shift_field(lies(REF), lies(SAM), margin=2, cancel=lambda: True)


def test_maps() -> None:
    ref, sam = REF[0], SAM[0, 20:60, 15:45]
    found = shiftfield.generate_correlation_map(lies(ref), lies(sam))
    assert DeviceArray.copied <= SMALL
    expected = shiftfield.generate_correlation_map(ref, sam)
    assert found.dtype == expected.dtype == np.float32
    np.testing.assert_allclose(found.get(), expected, atol=1e-6)
    large = lies(np.pad(REF[0], 200, mode="wrap"))  # in tiles
    assert shiftfield.generate_correlation_map(large, lies(sam[:12, :12])).shape == (479, 449)
    shift = shiftfield.find_shift_based_correlation_map(lies(REF), lies(SAM), margin=5)
    np.testing.assert_allclose(
        shift, shiftfield.find_shift_based_correlation_map(REF, SAM, margin=5), atol=1e-6
    )


def test_a_map_with_flat_and_spoilt_windows() -> None:
    ref, sam = REF[0].copy(), SAM[0, 20:30, 15:25]
    ref[:30, :30], ref[60, 40] = 3, np.nan
    found = shiftfield.generate_correlation_map(lies(ref), lies(sam)).get()
    np.testing.assert_allclose(found, shiftfield.generate_correlation_map(ref, sam), atol=1e-6)
    assert np.isnan(found).any()
    assert (found == 0).any()


@pytest.mark.parametrize("norm", [True, False])
def test_points(norm: bool) -> None:
    chosen: dict[str, Any] = {"win_size": 15, "margin": 4, "num_point": 9, "norm": norm}
    function = shiftfield.find_global_shift_based_local_shifts
    expected = function(REF[0], SAM[0], **chosen)
    np.testing.assert_allclose(function(lies(REF[0]), lies(SAM[0]), **chosen), expected, atol=1e-6)
    listed = function(lies(REF[0]), lies(SAM[0]), **chosen, return_list=True)
    for one, other in zip(
        listed, function(REF[0], SAM[0], **chosen, return_list=True), strict=True
    ):
        assert isinstance(one, DeviceArray)
        np.testing.assert_allclose(one.get(), other, atol=1e-6)


def test_normalising() -> None:
    for image in (REF[0], REF, SPOILT):
        found = shiftfield.normalize_image(lies(image))
        assert isinstance(found, DeviceArray)
        np.testing.assert_allclose(found.get(), shiftfield.normalize_image(image), rtol=1e-5)


def test_maps_and_points_of_the_host_use_the_gpu(emulated: Emulated) -> None:
    """Arrays of the host come back to the host; when the GPU fails the CPU goes on."""
    ref, sam = REF[0], SAM[0, 20:60, 15:45]
    points: dict[str, Any] = {"win_size": 15, "margin": 4, "num_point": 9}
    here = (
        shiftfield.generate_correlation_map(ref, sam),
        shiftfield.find_global_shift_based_local_shifts(ref, SAM[0], **points),
        shiftfield.find_shift_based_correlation_map(ref, SAM[0], margin=5),
    )
    for gpu in (True, "hybrid"):
        there = (
            shiftfield.generate_correlation_map(ref, sam, gpu=gpu),
            shiftfield.find_global_shift_based_local_shifts(ref, SAM[0], **points, gpu=gpu),
            shiftfield.find_shift_based_correlation_map(ref, SAM[0], margin=5, gpu=gpu),
        )
        assert isinstance(there[0], np.ndarray)
        for one, other in zip(there, here, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)
    assert emulated.arrays == 12
    emulated.memory = 100
    with pytest.warns(UserWarning, match="emulated failed .* the CPU is used"):
        found = shiftfield.generate_correlation_map(ref, sam, gpu=True)
    np.testing.assert_array_equal(found, here[0])


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"device": "cpu"}, "The images lie on a GPU, but device is 'cpu'; give NumPy arrays"),
        ({"device": "reference"}, "but device is 'reference'"),
        ({"window": 195, "margin": 1}, "but its kernels take windows of up to 193 px"),
    ],
)
def test_what_cannot_be_done_there_is_refused(chosen: dict[str, Any], said: str) -> None:
    image = DeviceArray(np.zeros((200, 200), np.float32))
    with pytest.raises(ValueError, match=said):
        shiftfield.find_shift_field(image, image, **chosen)


def test_images_in_two_places_are_refused() -> None:
    said = "The reference lies on GPU 0 and the sample in the host's memory"
    for function, more in (
        (shiftfield.find_shift_field, {}),
        (shiftfield.generate_correlation_map, {}),
        (shiftfield.find_global_shift_based_local_shifts, {"win_size": 7, "margin": 2}),
    ):
        with pytest.raises(ValueError, match=said):
            function(lies(REF[0]), SAM[0], **more)


def test_a_device_that_is_hidden(use: Use) -> None:
    use()
    with pytest.raises(ValueError, match="The images lie on GPU 0, which cannot be used"):
        shiftfield.generate_correlation_map(lies(REF[0]), lies(SAM[0, :9, :9]))


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """CuPy with a real device; the emulated one is put away."""
    found, reason = real_devices()
    if not found:
        pytest.skip(reason)
    monkeypatch.setattr(devices, "devices", real_devices)
    return pytest.importorskip("cupy")


@pytest.mark.gpu
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", ["float32", "uint16"])
def test_arrays_of_cupy(cupy: Any, name: str, kind: str) -> None:
    """On a real device, on a stream of the caller's own."""
    function, chosen = CALLS[name]
    chosen = dict(chosen)
    frame = chosen.pop("frames", slice(None))
    ref, sam = ((image[frame] * 1000).astype(kind) for image in (REF, SAM))
    with cupy.cuda.Stream(non_blocking=True):
        found = silently(function, cupy.asarray(ref), cupy.asarray(sam), **chosen)
        on_host = [cupy.asnumpy(image) for image in found]
    assert all(isinstance(image, cupy.ndarray) for image in found)
    expected = silently(function, ref, sam, **{**chosen, "gpu": False})
    for one, other in zip(on_host, expected, strict=True):
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
        far = np.abs(one - other)[np.isfinite(other)] > 1e-4
        assert np.count_nonzero(far) <= 0.001 * far.size


@pytest.mark.gpu
def test_maps_and_points_of_cupy(cupy: Any) -> None:
    ref, sam = (cupy.asarray(image[0]) for image in (REF, SAM))
    found = shiftfield.generate_correlation_map(ref, sam[20:60, 15:45])
    assert isinstance(found, cupy.ndarray)
    expected = shiftfield.generate_correlation_map(REF[0], SAM[0, 20:60, 15:45])
    np.testing.assert_allclose(cupy.asnumpy(found), expected, atol=1e-6)
    points: dict[str, Any] = {"win_size": 15, "margin": 4, "num_point": 9, "norm": True}
    function = shiftfield.find_global_shift_based_local_shifts
    np.testing.assert_allclose(
        function(ref, sam, **points), function(REF[0], SAM[0], **points), atol=1e-6
    )


def test_our_stand_in_refuses_what_cupy_refuses() -> None:
    """The tests above can fail: neither implicit copies nor arguments unknown to CuPy pass."""
    image = lies(REF)
    for wrong in (
        lambda: np.asarray(image),
        lambda: image + REF,
        lambda: image.sum(where=True),
        lambda: np.full((2, 2), 0.0, like=image),
    ):
        with pytest.raises((TypeError, AssertionError)):
            wrong()
