"""Lists and other things that NumPy converts, as arrays in memory; a ValueError in one sentence when it cannot.

Inputs that are read band by band are the business of `frames`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_array(data: Any, name: str) -> NDArray[Any]:
    """Return `data` as an array; masked elements are NaN."""
    try:
        if isinstance(data, np.ma.MaskedArray):
            return np.ma.filled(data.astype(np.float64), np.nan)
        return np.asarray(data)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} is a {type(data).__name__} that makes no array; it must hold rows of numbers, all of "
            "one length."
        ) from error


def sliceable(data: Any, name: str) -> Any:
    """Return what slices like NumPy as it is, else as an array; a ValueError unless it holds real numbers."""
    if not (hasattr(data, "shape") and hasattr(data, "dtype") and hasattr(data, "__getitem__")):
        data = as_array(data, name)
    data = unmasked(data)
    check_real(data, name)
    return data


def check_real(data: Any, name: str) -> None:
    """Raise a ValueError unless an array holds real numbers."""
    if np.dtype(data.dtype).kind not in "buif":
        raise ValueError(f"{name} has dtype {data.dtype}; it must hold real numbers.")


def unmasked(data: Any) -> Any:
    """Return an array of dask's whose masked elements are NaN; all else as it is."""
    if not isinstance(getattr(data, "_meta", None), np.ma.MaskedArray):
        return data
    return data.map_blocks(as_array, "The input", dtype=np.float64, meta=np.empty((0,) * data.ndim))
