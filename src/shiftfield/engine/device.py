"""Which GPUs CuPy can use here, or why it can use none and what to do about it; nothing is computed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

_INSTALL = (
    'install it with pip install "shiftfield[cuda12]" or "shiftfield[cuda13]", as the driver allows'
)
_NO_DRIVER, _OLD_DRIVER, _NO_DEVICE = 0, 35, 100  # driver version, CUDA error codes


@dataclass(frozen=True, slots=True)
class Gpu:
    """One device as the driver tells it; memory in bytes."""

    number: int
    name: str
    architecture: str
    total: int
    free: int


def gpus() -> tuple[list[Gpu], str]:
    """Return the devices CuPy can use, or none and the reason, which ends with what to do."""
    try:
        cupy = import_module("cupy")
    except ModuleNotFoundError as error:
        if error.name == "cupy":
            return [], f"CuPy is not installed ({_INSTALL})"
        return [], f"CuPy misses the module {error.name} ({_INSTALL})"
    except Exception as error:  # a broken installation fails in many ways
        return [], f"CuPy cannot be imported: {first_line(error)} ({_INSTALL})"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
        found = [_gpu(cupy, number) for number in range(count)]
    except Exception as error:
        return [], _why(cupy, error)
    return found, "" if found else _no_device()


def _gpu(cupy: Any, number: int) -> Gpu:
    told = cupy.cuda.runtime.getDeviceProperties(number)
    with cupy.cuda.Device(number):
        free, total = cupy.cuda.runtime.memGetInfo()
    name = told["name"].decode() if isinstance(told["name"], bytes) else str(told["name"])
    return Gpu(number, name, f"sm_{told['major']}{told['minor']}", total, free)


def _why(cupy: Any, error: Exception) -> str:
    """Tell apart why the CUDA runtime refuses."""
    status = getattr(error, "status", None)
    if status == _NO_DEVICE:
        return _no_device()
    driver, runtime = _versions(cupy)
    if driver == _NO_DRIVER:
        return "there is no NVIDIA driver (install one for the GPU, if there is a GPU)"
    if status == _OLD_DRIVER:
        return (
            f"the NVIDIA driver supports CUDA {_words(driver)} and CuPy is made for {_words(runtime)} "
            "(update the driver, or install CuPy for an older CUDA)"
        )
    return f"CUDA refuses: {first_line(error)}"


def _versions(cupy: Any) -> tuple[int, int]:
    """Return the CUDA versions of driver and runtime as CUDA counts them: 12040 is 12.4."""
    runtime = cupy.cuda.runtime
    try:
        return int(runtime.driverGetVersion()), int(runtime.runtimeGetVersion())
    except Exception:
        return _NO_DRIVER, _NO_DRIVER


def _words(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"


def _no_device() -> str:
    return "CUDA sees no device (is there one, and does CUDA_VISIBLE_DEVICES hide it?)"


def first_line(error: Exception) -> str:
    """Return what a driver says at length as a part of a sentence."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
