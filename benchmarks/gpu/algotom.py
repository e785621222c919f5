"""algotom's own GPU path on the same images in the same run, in microseconds a pixel."""

from __future__ import annotations

import time
import warnings
from importlib import import_module

import shiftfield
from benchmarks.gpu.cases import speckle

_MARGIN, _WINDOW = 10, 7


def compare(frames: int, side: int) -> tuple[float, float] | None:
    """Return our and algotom's seconds for a 2-D search with `gpu=True`; None where algotom is not installed."""
    try:
        theirs = import_module("algotom.util.correlation")
    except ImportError:
        return None
    reference, sample = speckle(frames, side)
    if frames == 1:
        reference, sample = reference[0], sample[0]
    seconds = []
    for module in (shiftfield, theirs):
        for _ in range(2):  # the first compiles
            started = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module.find_local_shifts(
                    reference, sample, dim=2, win_size=_WINDOW, margin=_MARGIN, gpu=True
                )
            last = time.perf_counter() - started
        seconds.append(last)
    return seconds[0], seconds[1]
