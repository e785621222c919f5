"""Checks of arguments that several of the seven functions share; each says what is allowed.

Nothing is computed here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.settings import check_integer


def device_of(gpu: Any, device: str | None = None, *, resident: bool = False) -> str:
    """Return `device`, or the one that `gpu` asks for; a ValueError unless that is a bool or "hybrid".

    Images that lie on a GPU (`resident`) are worked on there.
    """
    is_bool = isinstance(gpu, bool | np.bool_)
    if not (is_bool or (isinstance(gpu, str) and gpu == "hybrid")):
        raise ValueError(f"gpu is {gpu!r}; allowed are False, True and 'hybrid'.")
    if device is not None:
        return device
    if resident:
        return "gpu"
    if isinstance(gpu, str):
        return gpu
    return "gpu" if gpu else "cpu"


def check_block(block: Any) -> int:
    """Return the threads of a block, or raise a ValueError unless block is a pair of positive ints."""
    pair = isinstance(block, tuple | list) and len(block) == 2
    if not pair or not all(_positive(n) for n in block):
        raise ValueError(f"block is {block!r}; it must be two positive whole numbers.")
    return int(block[0]) * int(block[1])


def check_block_size(block: Any) -> None:
    """Raise a ValueError unless block is a positive int (or a pair of them)."""
    pair = isinstance(block, tuple | list) and len(block) == 2
    if not all(_positive(n) for n in (block if pair else (block,))):
        raise ValueError(f"block is {block!r}; it must be a positive whole number, or two of them.")


def _positive(n: Any) -> bool:
    whole = isinstance(n, int | np.integer) and not isinstance(n, bool)
    return whole and bool(n > 0)


def check_cores(ncore: Any) -> int | None:
    """Return ncore as an int of at least 1, or None."""
    return None if ncore is None else check_integer("ncore", ncore, 1)


def check_chunk(chunk_size: Any) -> int | None:
    """Return chunk_size as an int of at least 1 row, or None."""
    return None if chunk_size is None else check_integer("chunk_size", chunk_size, 1, "row(s)")
