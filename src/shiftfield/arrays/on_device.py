"""Arrays that lie on a GPU: how they are known, and the few things that NumPy's functions do not do for them.

CuPy's arrays answer NumPy's functions themselves, so most code runs on both; no CuPy is imported here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_on_device(data: Any) -> bool:
    """Return whether an array lies on a GPU."""
    return hasattr(data, "__cuda_array_interface__")


def is_lazy(data: Any) -> bool:
    """Return whether something is an array of dask."""
    return type(data).__module__.startswith("dask.") and hasattr(data, "__dask_graph__")


def number_of(data: Any) -> int | None:
    """Return the CUDA number of the device that an array lies on; None for the host."""
    return int(data.device.id) if is_on_device(data) else None


def to_host(data: Any) -> NDArray[Any]:
    """Return an array in the host's memory: itself, or a copy of one on a GPU."""
    host: NDArray[Any] = data.get() if is_on_device(data) else data
    return host


def sum_where(data: Any, known: Any, axis: Any = None) -> Any:
    """Return the sum in float64 of what is known; CuPy has no `where` for sums."""
    if is_on_device(data):
        return np.where(known, data, 0).sum(axis=axis, dtype=np.float64)
    return np.sum(data, axis=axis, dtype=np.float64, where=known)
