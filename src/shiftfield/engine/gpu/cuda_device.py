"""A GPU that CuPy can use, as the engine asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from shiftfield.engine.gpu.device import DeviceArray, OutOfDeviceMemoryError, Sizes, Stream
from shiftfield.engine.gpu.variant import Variant, source

_MULTIPROCESSORS, _SHARED_MEMORY = 16, 97  # numbers of CUDA's device attributes
_USUAL_SHARED = 48 * 1024  # bytes that a kernel may have without asking


class CudaDevice:
    """One device, by its CUDA number; compiled kernels are kept, by CuPy also on disk."""

    def __init__(self, number: int, name: str) -> None:
        self._cupy: Any = import_module("cupy")
        self.number, self.name = number, name
        self._kernels: dict[tuple[Variant, str, str], Any] = {}

    @property
    def multiprocessors(self) -> int:
        """Number of multiprocessors."""
        return int(self._cupy.cuda.runtime.deviceGetAttribute(_MULTIPROCESSORS, self.number))

    @property
    def shared_limit(self) -> int:
        """Bytes of shared memory that a block may have."""
        limit = int(self._cupy.cuda.runtime.deviceGetAttribute(_SHARED_MEMORY, self.number))
        return limit or _USUAL_SHARED

    def here(self) -> AbstractContextManager[Any]:
        """Make this the current device meanwhile."""
        found: AbstractContextManager[Any] = self._cupy.cuda.Device(self.number)
        return found

    def array(self, values: Any) -> DeviceArray:
        """Return an array of the host as one of the device that answers NumPy's functions."""
        with self.here():
            return self._cupy.asarray(values)

    def scipy(self) -> tuple[Any, Any]:
        """Return CuPy's `scipy.fft` and `scipy.ndimage`."""
        return import_module("cupyx.scipy.fft"), import_module("cupyx.scipy.ndimage")

    def current_stream(self) -> Stream:
        """Return the stream that the caller works on."""
        with self.here():
            return self._cupy.cuda.get_current_stream()

    def free(self) -> int:
        """Return the bytes that could be allocated now: the driver's, and those CuPy keeps unused."""
        with self.here():
            free, _ = self._cupy.cuda.runtime.memGetInfo()
            return int(free) + int(self._cupy.get_default_memory_pool().free_bytes())

    def allocate(self, sizes: Sizes) -> dict[str, DeviceArray]:
        """Return arrays of these shapes and dtypes, or raise OutOfDeviceMemoryError and hold none."""
        with self.here():
            try:
                return self._allocate(sizes)
            except self._cupy.cuda.memory.OutOfMemoryError:
                self._cupy.get_default_memory_pool().free_all_blocks()  # they may be of the wrong sizes
            try:
                return self._allocate(sizes)
            except self._cupy.cuda.memory.OutOfMemoryError as error:
                raise OutOfDeviceMemoryError(str(error)) from error

    def _allocate(self, sizes: Sizes) -> dict[str, DeviceArray]:
        return {name: self._cupy.empty(shape, kind) for name, (shape, kind) in sizes.items()}

    def pinned(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return an array of the host that copies to and from the device run beside kernels with."""
        kind, count = np.dtype(dtype), int(np.prod(shape))
        with self.here():
            memory = self._cupy.cuda.alloc_pinned_memory(max(1, count * kind.itemsize))
        return np.frombuffer(memory, kind, count).reshape(shape)

    def constant(self, values: NDArray[np.float64]) -> DeviceArray:
        """Return a small array of the device that holds these values."""
        with self.here():
            array = self._cupy.asarray(values)
            self._cupy.cuda.get_current_stream().synchronize()  # other streams read it
            return array

    def stream(self) -> Stream:
        """Return a new stream: what is given to it runs in order."""
        with self.here():
            return self._cupy.cuda.Stream(non_blocking=True)

    def upload(self, host: NDArray[Any], to: DeviceArray, stream: Stream) -> None:
        """Copy a contiguous array into the first bytes of a device array."""
        runtime = self._cupy.cuda.runtime
        with self.here():
            runtime.memcpyAsync(
                to.data.ptr, host.ctypes.data, host.nbytes, runtime.memcpyHostToDevice, stream.ptr
            )

    def download(self, array: DeviceArray, host: NDArray[Any], stream: Stream) -> None:
        """Copy the first bytes of a device array into a contiguous array."""
        runtime = self._cupy.cuda.runtime
        with self.here():
            runtime.memcpyAsync(
                host.ctypes.data,
                array.data.ptr,
                host.nbytes,
                runtime.memcpyDeviceToHost,
                stream.ptr,
            )

    def launch(
        self, variant: Variant, program: str, kernel: str, grid: tuple[int, int], threads: int, shared: int,
        arguments: Sequence[Any], stream: Stream,
    ) -> None:  # fmt: skip
        """Launch a kernel; arguments are device arrays, NumPy scalars of the kernel's own types, or None."""
        nothing = np.uint64(0)  # a null pointer
        given = tuple(nothing if argument is None else argument for argument in arguments)
        with self.here():
            function = self._kernel(variant, program, kernel)
            if shared > _USUAL_SHARED:
                function.max_dynamic_shared_size_bytes = shared
            with stream:
                function(grid, (threads,), given, shared_mem=shared)

    def _kernel(self, variant: Variant, program: str, kernel: str) -> Any:
        """Return a compiled kernel; compiling takes half a second the first time on a machine."""
        key = variant, program, kernel
        if key not in self._kernels:
            options = (
                "-std=c++17",
                *(f"-D{name}={value}" for name, value in variant.defines.items()),
            )
            module = self._cupy.RawModule(code=source(program), options=options, backend="nvrtc")
            self._kernels[key] = module.get_function(kernel)
        return self._kernels[key]

    def wait(self, stream: Stream) -> None:
        """Return when all that was given to a stream is done."""
        with self.here():
            stream.synchronize()
