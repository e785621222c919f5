"""Search a small image with kernels built for a sanitizer: `python sanitized.py address|thread [folder]`.

Run by `test_sanitizers` in a process of its own, with the sanitizer's library loaded first.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from emulated import CUDA, Emulated

from shiftfield.engine import Block, Search, Stop, Tile
from shiftfield.engine.gpu.worker import Worker
from shiftfield.stream.plan import window_weights

SEARCHES = {
    "pearson": Search("pearson", 2, (window_weights(5, None),) * 2, (2, 2), "diff", 3),
    "umpa": Search("umpa", 2, (window_weights(3, "hamming"),) * 2, (1, 2), "poly_fit", 3),
    "umpa_dark": Search("umpa_dark", 2, (window_weights(3, None),) * 2, (1, 1), "diff", 3, reference_mean=1.0),
    "along y": Search("pearson", 2, (window_weights(5, None), np.ones(1)), (3, 0), "diff", 3),
}  # fmt: skip


def main(sanitizer: str, folder: Path) -> None:
    """Run each search once; a hot pixel and one that is no number take the rarer ways."""
    rng = np.random.default_rng(5)
    images = rng.random((2, 2, 24, 20)).astype(np.float32) + 1
    for name, search in SEARCHES.items():
        images[0, 0, 12, 10] = np.nan if name == "umpa" else 1e7 if name == "along y" else 1
        device = Emulated(flags=(f"-fsanitize={sanitizer}",), folder=folder)
        worker = Worker(device, search, "float32", "float32", Stop())
        (ey, ex), (my, mx), (_, _, height, width) = search.edge, search.margin, images.shape
        reference, sample = images[0], images[1, :, my : height - my, mx : width - mx]
        block = Block(reference, sample, reference, sample)
        out = worker.finish(worker.begin(Tile(ey, height - ey, ex, width - ex), block))
        worker.close()
        print(name, int(np.isfinite(out.x).sum()), "answers")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else CUDA)
