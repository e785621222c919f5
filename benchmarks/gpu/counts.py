"""Operations and bytes of a search on a device, counted from the loops of `search.cu` and the tiles of a layout.

Of `search_best` alone, and held to its time: how many shifts `search_kept` tries again depends on the images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shiftfield.engine.base import Search
from shiftfield.engine.gpu.layout import Layout

_REAL = 4.0  # bytes


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of the whole image: instructions of one lane, multiply-adds among them, bytes.

    `memory_bytes` are what must be read of the scaled frames once, `cache_bytes` what the lanes load.
    """

    instructions: float
    multiply_adds: float
    cache_bytes: float
    memory_bytes: float


def count(layout: Layout, height: int, width: int) -> Counts:
    """Count a (turned) search of an image of `height` x `width` px.

    For each row of a tile that enters, each frame and each lane, `RUN` shifts of `COLUMNS` columns are
    multiplied and added; without weights the row that leaves is taken off again. For each row of answers and each
    shift come, of a column: the sum across (box: prefix and suffix sums and what other lanes have of theirs;
    weighted: WIDE multiply-adds), the score, and the comparison.
    """
    search, v = layout.search, layout.variant
    tall, wide = search.window
    ny, nx = search.shifts
    shifts = ny * -(-nx // v.run) * v.run
    entering, leaving, answers = rows(layout, height, width)
    lanes = float(v.span * shifts)
    passes = entering + (leaving if v.ring == 0 else 0)
    products = passes * lanes * search.frames
    loads = passes * lanes * search.frames * (2 * v.columns + v.run) / (v.columns * v.run)
    scores = float(answers * lanes)
    if v.ring:
        down, across, other = scores * tall, scores * wide, scores * wide / v.columns
        loads += entering * lanes + scores * tall
    else:
        down, across, other = 0.0, 0.0, scores * (3 + 1 + (1 + 1 + v.columns) / v.columns)
    score = scores * {"pearson": 2, "umpa_dark": 3, "umpa": 5}[search.method]
    images = scores * (2 * (4 + v.run) + 4) / (4 * v.run)
    multiply_adds = products + down + across + score
    return Counts(
        multiply_adds + other + 3 * scores + (loads + images) / 4,
        multiply_adds,
        (loads + images) * _REAL,
        frames_bytes(layout.search, height, width),
    )


def rows(layout: Layout, height: int, width: int) -> tuple[int, int, int]:
    """Return rows that enter, that leave, and that have answers, over all tiles."""
    search = layout.search
    (ey, ex), tall = search.edge, search.window[0]
    table = layout.table(height - 2 * ey, width - 2 * ex, ey, ex)
    heights = table[:, 2].astype(np.int64)
    return int((heights + tall - 1).sum()), int((heights - 1).sum()), int(heights.sum())


def frames_bytes(search: Search, height: int, width: int) -> float:
    """Return the bytes of reference and sample in float32, read once."""
    return 2.0 * search.frames * height * width * _REAL
