"""Lists and other things that NumPy converts, as arrays in memory; a ValueError in one sentence when it cannot.

Inputs that are read band by band are the business of `frames`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SMALLEST, _LARGEST = 1e-100, 1e100


def as_array(data: Any, name: str) -> NDArray[Any]:
    """Return `data` as an array; masked elements are NaN."""
    _check_open(data, name)
    try:
        if isinstance(data, np.ma.MaskedArray):
            with np.errstate(over="ignore"):  # of longer floats
                return np.ma.filled(data.astype(np.float64), np.nan)
        return np.asarray(data)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} is a {type(data).__name__} that makes no array; it must hold rows of numbers, all of "
            "one length."
        ) from error


def sliceable(data: Any, name: str) -> Any:
    """Return what slices like NumPy as it is, else as an array; a ValueError unless it holds real numbers."""
    _check_open(data, name)
    if not (hasattr(data, "shape") and hasattr(data, "dtype") and hasattr(data, "__getitem__")):
        data = as_array(data, name)
    data = unmasked(data)
    check_real(data, name)
    if any(n != n for n in data.shape):  # NaN
        raise ValueError(
            f"{name} has shape {tuple(data.shape)}: the sizes of the chunks are unknown; compute_chunk_sizes() "
            "finds them."
        )
    return data


def _check_open(data: Any, name: str) -> None:
    """Raise a ValueError for what h5py has closed, and for a file or a group of arrays."""
    kind = type(data)
    if kind.__module__.startswith("h5py.") and not data:
        raise ValueError(f"{name} lies in an HDF5 file that is closed; it must be open.")
    if isinstance(data, Mapping) or (
        kind.__module__.startswith("zarr.") and kind.__name__ == "Group"
    ):
        raise ValueError(
            f"{name} is a {kind.__name__}, which holds arrays by their names; it must be one of them, as in "
            "file['data']."
        )


def check_real(data: Any, name: str) -> None:
    """Raise a ValueError unless an array holds real numbers."""
    if np.dtype(data.dtype).kind not in "buif":
        raise ValueError(f"{name} has dtype {data.dtype}; it must hold real numbers.")


def unmasked(data: Any) -> Any:
    """Return an array of dask's whose masked elements are NaN; all else as it is."""
    if not isinstance(getattr(data, "_meta", None), np.ma.MaskedArray):
        return data
    return data.map_blocks(as_array, "The input", dtype=np.float64, meta=np.empty((0,) * data.ndim))


def power_for(size: float) -> int:
    """Return the power of 2 that brings numbers of a size to where float64 holds their squares, also summed.

    Mostly 0. Multiplied by a power of 2 no number loses a digit.
    """
    return 0 if size == 0 or _SMALLEST < size < _LARGEST else -int(np.frexp(size)[1])
