"""The devices of this process, found once."""

from __future__ import annotations

from functools import cache

from shiftfield.engine.device import gpus
from shiftfield.engine.gpu.cuda_device import CudaDevice
from shiftfield.engine.gpu.device import Device


def devices() -> tuple[list[Device], str]:
    """Return the GPUs that can be used, or none and the reason."""
    found, reason = gpus()
    return [_device(gpu.number, gpu.name) for gpu in found], reason


def of(number: int | None) -> Device:
    """Return the device with a CUDA number, on which an array lies."""
    found, reason = devices()
    for device in found:
        if device.number == number:
            return device
    raise ValueError(
        f"The images lie on GPU {number}, which cannot be used: {reason or 'it is hidden'}."
    )


@cache
def _device(number: int, name: str) -> Device:
    """Return a device with the kernels that are already loaded there."""
    return CudaDevice(number, name)
