"""Products of reference and sample at a run of shifts along a row, summed over frames."""

from __future__ import annotations

from typing import Any

from shiftfield.engine.kernels.lanes import WIDTH, load, store
from shiftfield.engine.kernels.options import part


@part
def products(
    reference: Any, r: int, apart_r: int, sample: Any, s: int, apart_s: int, frames: int,
    count: int, size: int, out: Any, start: int,
) -> None:  # fmt: skip
    """out[start + g * size + x] = sum over k of reference[k, r + g + x] * sample[k, s + x], g < count.

    Four shifts at a time share what they load of the sample. Frame k lies at k * apart.
    """
    for x in range(0, size, WIDTH):
        g = 0
        while g + 4 <= count:
            here, there, to = s + x, r + g + x, start + g * size + x
            pixels = load(sample, here)
            a = load(reference, there) * pixels
            b = load(reference, there + 1) * pixels
            c = load(reference, there + 2) * pixels
            d = load(reference, there + 3) * pixels
            for _ in range(1, frames):
                here += apart_s
                there += apart_r
                pixels = load(sample, here)
                a += load(reference, there) * pixels
                b += load(reference, there + 1) * pixels
                c += load(reference, there + 2) * pixels
                d += load(reference, there + 3) * pixels
            store(out, to, a)
            store(out, to + size, b)
            store(out, to + 2 * size, c)
            store(out, to + 3 * size, d)
            g += 4
        while g < count:
            here, there = s + x, r + g + x
            a = load(reference, there) * load(sample, here)
            for _ in range(1, frames):
                here += apart_s
                there += apart_r
                a += load(reference, there) * load(sample, here)
            store(out, start + g * size + x, a)
            g += 1
