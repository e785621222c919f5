"""Compiling everything ahead of time, so that no later search waits for it; nothing is computed for keeps."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np

from shiftfield.search.one_call import find_shift_field


def warm_up() -> None:
    """Compile all kernels of the CPU engine now, and keep them in the user's cache folder.

    A first search compiles what it needs, which takes some seconds in a new installation and a second in a
    new process. After this call searches of this process start at once, and new processes only load what is
    kept: in ``NUMBA_CACHE_DIR``, ``XDG_CACHE_HOME``, or the platform's own cache folder. Where no such folder
    can be written nothing is kept, and nothing fails.

    Examples
    --------
    >>> import shiftfield
    >>> shiftfield.warm_up()
    """
    pixels = np.random.default_rng(0).random((2, 24, 24))
    steep = pixels + 1e4 * np.arange(24)  # little texture far from its level: float64
    spoilt = pixels.copy()
    spoilt[0, 12, 12] = np.nan
    constant = pixels.copy()
    constant[:, :12] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for stack in (pixels, steep, spoilt, constant):
            search = partial(find_shift_field, window=3, margin=2, device="cpu", ncore=1)
            search(stack, stack)
            search(stack, stack, weight="hamming")
            search(stack, stack, search="1d")
            for weight in (None, "hamming"):
                search(stack, stack, weight=weight, borders="partial")
            search(stack.astype(np.float32), stack.astype(np.float32))
