"""algotom's own GPU path on the same images in the same run."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import shiftfield
from benchmarks.gpu.cases import ALGOTOM, speckle
from benchmarks.gpu.rows import Row

_MARGIN, _WINDOW = 10, 7
_SIDE = 1024  # px; algotom takes some seconds for it, ours must not be all overhead


def compare(frames: int, side: int = _SIDE) -> Iterator[Row]:
    """Compare a 2-D search with `gpu=True`; a row without a figure where algotom has no GPU."""
    name = f"algotom's gpu=True against ours, {frames} frame(s), {side} px"
    reason = why_not()
    if reason:
        yield Row(name, None, "x", ALGOTOM, at_least=True, note=reason)
        return
    reference, sample = speckle(frames, side)
    if frames == 1:
        reference, sample = reference[0], sample[0]
    ours, told = _seconds(shiftfield, reference, sample)
    theirs, _ = _seconds(import_module("algotom.util.correlation"), reference, sample)
    yield Row(
        name, theirs / ours, "x", ALGOTOM, at_least=True, spoilt="; ".join(told),
        note=f"{ours:.3g} s against {theirs:.3g} s",
    )  # fmt: skip


def why_not() -> str:
    """Return why algotom cannot use the GPU here, or nothing: it would take the CPU in silence."""
    try:
        import_module("algotom.util.correlation")
        cuda = import_module("numba.cuda")
    except ImportError as error:
        return f"not installed: {error}"
    return "" if cuda.is_available() else "numba.cuda, which algotom uses, finds no device"


def _seconds(module: Any, reference: Any, sample: Any) -> tuple[float, list[str]]:
    """Return the time of the second call, for the first compiles, and the warnings about the device."""
    seconds = 0.0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            started = time.perf_counter()
            module.find_local_shifts(
                reference, sample, dim=2, win_size=_WINDOW, margin=_MARGIN, gpu=True
            )
            seconds = time.perf_counter() - started
    return seconds, [str(w.message) for w in caught if "GPU" in str(w.message)]
