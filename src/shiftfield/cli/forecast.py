"""What a search would do and about how long it would take, from its plan and a search of a small part."""

from __future__ import annotations

from math import prod
from time import perf_counter
from typing import Any

import numpy as np

from shiftfield.dense.plans import axes_of, check_room, plan_of, search_of
from shiftfield.inputs.frames import Frames
from shiftfield.machine import available_cores
from shiftfield.search.one_call import find_shift_field
from shiftfield.settings import Settings

_PACKED = 1.5e8  # bytes a second that one core compresses and writes
_PROBE = 256, 512  # px (rows, columns) of the middle of the images that a time is estimated from


def foreseen(reference: Frames, sample: Frames, settings: Settings) -> dict[str, Any]:
    """Return the plan of each search, what will be read, and about how long it takes."""
    check_room(reference.size, settings)
    frames = reference.shape[0]
    plans = [
        plan_of(settings, search_of(settings, frames, axis), (reference, sample))
        for axis in axes_of(settings, frames)
    ]
    seconds, packing = estimate(reference, sample, settings)
    passes = 2 if settings.method == "umpa_dark" else 1  # the mean of the reference
    return {
        "plan": [str(plan) for plan in plans],
        "read_bytes": passes * reference.nbytes + sample.nbytes,
        "band_bytes": max(plan.band_bytes for plan in plans),
        "answer_bytes": 4 * plans[0].search.known * prod(plans[0].output_shape),
        "seconds": seconds,
        "packing_seconds": packing,
    }


def estimate(reference: Frames, sample: Frames, settings: Settings) -> tuple[float, float]:
    """Return about how many seconds the search will take, and packing its answer on all cores.

    From a search of a part of the images.
    """
    height, width = reference.size
    least = settings.window + 2 * settings.margin
    rows, columns = (min(n, m + least) for n, m in zip((height, width), _PROBE, strict=True))
    top, left = (height - rows) // 2, (width - columns) // 2
    ref, sam = (
        np.ascontiguousarray(frames.rows(top, top + rows)[..., left : left + columns])
        for frames in (reference, sample)
    )
    for _ in range(2):  # the first compiles
        began = perf_counter()
        field = find_shift_field(ref, sam, **settings.as_dict())
        searched = perf_counter()
    stored = sum(image.nbytes for image in field.quantities().values())
    inner = [(n - least + 1) * (m - least + 1) for n, m in ((height, width), (rows, columns))]
    share = max(inner[0], 1) / max(inner[1], 1)
    cores = settings.ncore or available_cores()
    return share * (searched - began), share * stored / _PACKED / cores


def in_words(found: dict[str, Any]) -> str:
    """Return a forecast for people."""
    words = (
        f"reads {found['read_bytes'] / 1e6:.1f} MB, holds about {found['band_bytes'] / 1e6:.1f} MB of input "
        f"at a time and {found['answer_bytes'] / 1e6:.1f} MB of answer, takes about {found['seconds']:.1f} s"
    )
    return "\n".join([*found["plan"], words])
