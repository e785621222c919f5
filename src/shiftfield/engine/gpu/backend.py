"""The GPU as a backend: one call computes one tile on one device, without looking at the rest of the image.

Whole images run through `worker`, several pieces at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine.base import Answer, Block, Search, Stop, Tile, float_kind
from shiftfield.engine.gpu import devices
from shiftfield.engine.gpu.layout import refusal
from shiftfield.engine.gpu.variant import PIXELS
from shiftfield.engine.gpu.worker import Worker, rows_of_a_strip

Pixels = NDArray[Any]

_WHOLE_ROWS = 2**30  # columns: more than any image has


class GpuBackend:
    """CUDA kernels on one tile."""

    name = "gpu"

    def can_run(self, search: Search) -> str:
        """Return why there is no device for this search, or nothing."""
        return devices.devices()[1] or _for_the_cpu(search) or refusal(search)

    def tile_shape(self, search: Search) -> tuple[int, int]:
        """Return (rows, columns): a row of the kernels' own tiles, across the image."""
        return rows_of_a_strip(search), _WHOLE_ROWS

    def run(self, search: Search, tile: Tile, block: Block, stop: Stop) -> Answer:
        """Compute one tile on the first device."""
        ready = pixels_of(block)
        worker = Worker(
            devices.devices()[0][0], search, ready.reference.dtype, ready.raw_reference.dtype, stop
        )
        try:
            return worker.finish(worker.begin(tile, ready)).copy()
        finally:
            worker.close()


def _for_the_cpu(search: Search) -> str:
    """Return what of a search is computed on the CPU only, or nothing."""
    if search.refine or search.uncertainty or search.quality:
        return "refinement, uncertainty and quality are computed on the CPU"
    return ""


def pixels_of(block: Block) -> Block:
    """Return a block with dtypes that the kernels read, the same for reference and sample."""
    ref, sam = _alike(block.reference, block.sample)
    if block.raw_reference is block.reference:
        return Block(ref, sam, ref, sam)
    return Block(ref, sam, *_alike(block.raw_reference, block.raw_sample))


def _alike(reference: Pixels, sample: Pixels) -> tuple[Pixels, Pixels]:
    kinds = {reference.dtype, sample.dtype}
    if len(kinds) == 1 and all(kind.isnative and kind.name in PIXELS for kind in kinds):
        return reference, sample
    exact = all(float_kind(kind) is np.float32 for kind in kinds)
    wanted = np.float32 if exact else np.float64
    return reference.astype(wanted, copy=False), sample.astype(wanted, copy=False)
