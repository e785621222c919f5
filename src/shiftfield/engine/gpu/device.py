"""What the engine asks of a device: memory, copies, and launches of kernels in the order of a stream.

`cuda_device` is the one that users have. Arrays of a device have `shape`, `dtype` and `nbytes`, nothing else is
asked of them here.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from shiftfield.engine.gpu.variant import Variant

Stream = Any
DeviceArray = Any
Sizes = dict[str, tuple[tuple[int, ...], DTypeLike]]


class OutOfDeviceMemoryError(MemoryError):
    """An allocation on a device failed."""


class Device(Protocol):
    """One GPU."""

    number: int
    name: str

    @property
    def shared_limit(self) -> int:
        """Bytes of shared memory that a block may have."""
        ...

    @property
    def multiprocessors(self) -> int:
        """Number of multiprocessors."""
        ...

    def free(self) -> int:
        """Return the bytes that could be allocated now."""
        ...

    def allocate(self, sizes: Sizes) -> dict[str, DeviceArray]:
        """Return arrays of these shapes and dtypes, or raise OutOfDeviceMemoryError and hold none."""
        ...

    def pinned(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return an array of the host that copies to and from the device run beside kernels with."""
        ...

    def stream(self) -> Stream:
        """Return a new stream: what is given to it runs in order."""
        ...

    def upload(self, host: NDArray[Any], to: DeviceArray, stream: Stream) -> None:
        """Copy a contiguous array into the first bytes of a device array."""
        ...

    def download(self, array: DeviceArray, host: NDArray[Any], stream: Stream) -> None:
        """Copy the first bytes of a device array into a contiguous array."""
        ...

    def launch(
        self, variant: Variant, program: str, kernel: str, grid: tuple[int, int], threads: int, shared: int,
        arguments: Sequence[Any], stream: Stream,
    ) -> None:  # fmt: skip
        """Launch a kernel; arguments are device arrays, NumPy scalars of the kernel's own types, or None."""
        ...

    def wait(self, stream: Stream) -> None:
        """Return when all that was given to a stream is done."""
        ...

    def here(self) -> AbstractContextManager[Any]:
        """Make this the current device meanwhile."""
        ...

    def array(self, values: Any) -> DeviceArray:
        """Return an array of the host as one of the device that answers NumPy's functions."""
        ...

    def scipy(self) -> tuple[Any, Any]:
        """Return what this device has for `scipy.fft` and `scipy.ndimage`."""
        ...

    def current_stream(self) -> Stream:
        """Return the stream that the caller works on."""
        ...

    def constant(self, values: NDArray[np.float64]) -> DeviceArray:
        """Return a small array of the device that holds these values."""
        ...
