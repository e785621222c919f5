"""Checks of arguments that several of the seven functions share; each says what is allowed.

Only checks and the warning about a missing GPU live here.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from shiftfield.engine import why_no_gpu
from shiftfield.settings import WEIGHTS, check_integer


def check_gpu(gpu: Any, stacklevel: int = 3) -> None:
    """Raise a ValueError unless gpu is a bool or "hybrid"; warn why the CPU is used instead."""
    is_bool = isinstance(gpu, bool | np.bool_)
    if not (is_bool or (isinstance(gpu, str) and gpu == "hybrid")):
        raise ValueError(f"gpu is {gpu!r}; allowed are False, True and 'hybrid'.")
    if gpu:
        warn_no_gpu(f"gpu={gpu!r}", stacklevel + 1)


def warn_no_gpu(asked: str, stacklevel: int) -> None:
    """Say why the CPU is used though a GPU was asked for."""
    warnings.warn(f"{asked}: {why_no_gpu()}; the CPU is used.", UserWarning, stacklevel=stacklevel)


def check_block(block: Any) -> None:
    """Raise a ValueError unless block is a pair of positive ints."""
    pair = isinstance(block, tuple | list) and len(block) == 2
    if not pair or not all(_positive(n) for n in block):
        raise ValueError(f"block is {block!r}; it must be two positive whole numbers.")


def check_block_size(block: Any) -> None:
    """Raise a ValueError unless block is a positive int (or a pair of them)."""
    if not _positive(block):
        check_block(block)


def _positive(n: Any) -> bool:
    return isinstance(n, int | np.integer) and not isinstance(n, bool) and n > 0


def check_cores(ncore: Any) -> int | None:
    """Return ncore as an int of at least 1, or None."""
    return None if ncore is None else check_integer("ncore", ncore, 1)


def check_chunk(chunk_size: Any) -> int | None:
    """Return chunk_size as an int of at least 1 row, or None."""
    return None if chunk_size is None else check_integer("chunk_size", chunk_size, 1, "row(s)")


def check_filter(filter_name: Any) -> str | None:
    """Return the name of a window's weights, or raise a ValueError that lists them."""
    if filter_name is None or (isinstance(filter_name, str) and filter_name in WEIGHTS):
        return filter_name
    raise ValueError(
        f"filter_name is {filter_name!r}; allowed are {', '.join(map(repr, WEIGHTS))} and None."
    )
