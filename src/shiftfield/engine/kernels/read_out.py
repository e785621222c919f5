"""What the loops over shifts left for each pixel, turned into what the sub-pixel fit reads."""

from __future__ import annotations

from typing import Any

from shiftfield.engine.kernels.options import kernel
from shiftfield.engine.kernels.scores import PEARSON, UMPA_DARK, umpa, umpa_dark


@kernel
def read_out(
    method: int, ref: Any, sam: Any, factor: Any, best: Any, index: Any, around: Any, none: Any,
    pitch: int, rows: tuple[int, int, int], columns: tuple[int, int, int], ny: int, nx: int,
    scores: Any, top: Any, places: Any, inner: Any, known: Any,
) -> None:  # fmt: skip
    """For every wanted pixel: the scores around its best shift, that score, and where all this lies.

    Parameters
    ----------
    ref, sam, best, index, around : as `track.try_shifts` left them. none : 1 where no answer is possible.
    factor : what makes scores of what the loops compare, by pixel of the tile.
    rows, columns : (first, step, count) of the wanted pixels; m = count * count of them.
    scores : (cy, cx, m), written; NaN where the reference has no texture. top : (m,), written.
    places : (5, m), written: best shift along y and x, the same within the neighbourhood, pixel in the tile.
    inner : (2, m), written: whether the best shift lies off the first and last one, along y and x.
    known : (m,), written: whether there is an answer.
    """
    cy, cx = around.shape[1], around.shape[2]
    share, j = 1 / nx, 0
    for a in range(rows[2]):
        for b in range(columns[2]):
            i = (rows[0] + a * rows[1]) * pitch + columns[0] + b * columns[1]
            s = max(index[i], 0)
            py = int((s + 0.5) * share)
            px = s - py * nx
            y0, x0 = min(max(py - cy // 2, 0), ny - cy), min(max(px - cx // 2, 0), nx - cx)
            places[0, j], places[1, j], places[2, j], places[3, j] = py, px, py - y0, px - x0
            places[4, j] = i
            inner[0, j], inner[1, j] = 0 < py < ny - 1, 0 < px < nx - 1
            known[j] = index[i] >= 0 and none[i] == 0
            top[j] = best[i] * factor[i]
            for v in range(cy):
                for u in range(cx):
                    score = around[i, v, u]
                    if method != PEARSON:
                        to = i + (y0 + v) * pitch + x0 + u
                        if method == UMPA_DARK:
                            score = umpa_dark(score, ref[1, to])
                        else:
                            score = umpa(
                                score, ref[1, to], ref[2, to], ref[3, to], sam[1, i], sam[2, i]
                            )
                    scores[v, u, j] = score * factor[i]
            j += 1
