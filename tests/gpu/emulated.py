"""A device for tests: the unmodified kernels compiled by g++, memory of the host, and failures on demand."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from device_array import DeviceArray, through, unwrapped
from numpy.typing import DTypeLike, NDArray
from scipy import fft, ndimage

from shiftfield.engine.gpu import variant as variants
from shiftfield.engine.gpu.device import OutOfDeviceMemoryError, Sizes
from shiftfield.engine.gpu.variant import Variant

HERE = Path(__file__).parent
CUDA = Path(variants.__file__).parent / "cuda"
_BUILT = Path(tempfile.gettempdir()) / f"shiftfield-emulated-{os.getuid()}"
_LOCK = threading.Lock()  # the emulation knows one launch at a time


def build(variant: Variant, *flags: str, folder: Path = CUDA) -> Path:
    """Compile the kernels of a variant, once for each state of their sources; return the library."""
    source = HERE / "kernels.cpp"
    texts = [path.read_bytes() for path in sorted(folder.iterdir())]
    texts += [path.read_bytes() for path in (HERE / "emulate.hpp", source)]
    name = hashlib.sha256(b"".join(texts) + repr((variant, flags)).encode()).hexdigest()[:24]
    path = _BUILT / f"{name}.so"
    if not path.exists():
        _BUILT.mkdir(mode=0o700, exist_ok=True)
        partly = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        macros = [f"-D{key}={value}" for key, value in variant.defines.items()]
        subprocess.run(
            [
                "g++",
                "-std=c++20",
                "-O2",
                "-g1",
                "-fPIC",
                "-shared",
                *flags,
                "-I",
                folder,
                *macros,
                source,
                "-o",
                partly,
            ],
            check=True,
        )
        partly.rename(path)
    return path


class Emulated:
    """A device whose threads run one after another on the CPU; keeps what `Device` promises."""

    multiprocessors = 1
    number = 0

    def __init__(
        self, *, memory: int = 10**10, shared_limit: int = 48 * 1024, broken_after: int | None = None,
        flags: tuple[str, ...] = (), folder: Path = CUDA,
    ) -> None:  # fmt: skip
        self.name, self.flags, self.folder = "emulated", flags, folder
        self.shared_limit = shared_limit
        self.memory, self.broken_after = memory, broken_after
        self.told_free = memory
        self.launched: list[str] = []
        self.broken = False
        self.arrays = 0  # taken from the host
        self.held = self.most_held = 0  # bytes
        self._libraries: dict[Path, ctypes.CDLL] = {}

    def here(self) -> AbstractContextManager[None]:
        return nullcontext()

    def array(self, values: Any) -> DeviceArray:
        if values.nbytes > self.memory:
            raise OutOfDeviceMemoryError(f"{values.nbytes} bytes were asked of {self.memory}")
        self.arrays += 1
        return DeviceArray(np.array(values))

    def scipy(self) -> tuple[Any, Any]:
        return through(fft), through(ndimage)

    def current_stream(self) -> None:
        return None

    def free(self) -> int:
        return self.told_free

    def allocate(self, sizes: Sizes) -> dict[str, NDArray[Any]]:
        wanted = sum(
            int(np.prod(shape)) * np.dtype(kind).itemsize for shape, kind in sizes.values()
        )
        if self.held + wanted > self.memory:
            raise OutOfDeviceMemoryError(
                f"{wanted} bytes were asked of {self.memory - self.held} of {self.memory}"
            )
        return {name: self._array(shape, kind) for name, (shape, kind) in sizes.items()}

    def _hold(self, size: int) -> None:
        self.held += size
        self.most_held = max(self.most_held, self.held)

    def _array(self, shape: tuple[int, ...], kind: DTypeLike) -> NDArray[Any]:
        """Memory of its own that begins at a multiple of 16 bytes, full of NaN: nobody may read it unwritten."""
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        memory = np.full(size, 0xFF, np.uint8)
        assert memory.ctypes.data % 16 == 0
        self._hold(size)
        weakref.finalize(memory, self._hold, -size)
        return memory.view(kind).reshape(shape)

    def pinned(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        return np.empty(shape, dtype)

    def constant(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        out = self._array(values.shape, values.dtype)
        out[...] = values
        return out

    def stream(self) -> None:
        return None

    def upload(self, host: NDArray[Any], to: NDArray[Any], stream: None) -> None:  # noqa: ARG002
        to.reshape(-1).view(np.uint8)[: host.nbytes] = host.reshape(-1).view(np.uint8)

    def download(self, array: NDArray[Any], host: NDArray[Any], stream: None) -> None:  # noqa: ARG002
        host.reshape(-1).view(np.uint8)[:] = array.reshape(-1).view(np.uint8)[: host.nbytes]

    def launch(
        self, variant: Variant, program: str, kernel: str, grid: tuple[int, int], threads: int, shared: int,
        arguments: Sequence[Any], stream: None,  # noqa: ARG002
    ) -> None:  # fmt: skip
        assert f"void {kernel}(" in variants.source(program) or f") {kernel}(" in variants.source(
            program
        )
        assert shared <= self.shared_limit
        if self.broken_after is not None and len(self.launched) >= self.broken_after:
            self.broken = True
            raise RuntimeError("CUDA_ERROR_ILLEGAL_ADDRESS: the device is lost")
        self.launched.append(kernel)
        path = build(variant, *self.flags, folder=self.folder)
        with _LOCK:
            if path not in self._libraries:
                self._libraries[path] = ctypes.CDLL(str(path))
            launch(self._libraries[path], kernel, grid, threads, shared, arguments)

    def wait(self, stream: None) -> None:
        pass


def launch(
    library: ctypes.CDLL, kernel: str, grid: tuple[int, int], threads: int, shared: int, arguments: Sequence[Any]
) -> None:  # fmt: skip
    """Call a kernel of a library with arrays, NumPy scalars or None."""
    values = []
    for argument in arguments:
        if argument is None:
            values.append(ctypes.c_void_p(0))
        elif isinstance(argument, np.ndarray):
            values.append(ctypes.c_void_p(argument.ctypes.data))
        elif isinstance(argument, DeviceArray):
            values.append(ctypes.c_void_p(unwrapped(argument).ctypes.data))
        else:
            kind = {np.int32: ctypes.c_int32, np.int64: ctypes.c_int64, np.float64: ctypes.c_double}
            values.append(kind[type(argument)](argument.item()))
    pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
    getattr(library, f"launch_{kernel}")(pointers, *grid, threads, ctypes.c_size_t(shared))
