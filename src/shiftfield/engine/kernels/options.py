"""How every kernel is compiled; no kernel lives here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

# `contract` lets a multiply and an add fuse; nothing reorders sums, and NaN keeps its meaning.
kernel: Callable[..., Any] = njit(
    nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"}
)
