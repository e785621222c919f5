"""Images that lie on a GPU stay there: answers lie there too, no image is copied to the host."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import Use
from device_array import DeviceArray
from emulated import Emulated
from numpy.typing import NDArray
from scenes import moved, silently

import shiftfield

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
