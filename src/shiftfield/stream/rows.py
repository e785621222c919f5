"""Rows of an input in the order of the image: what bands share is kept, so that nothing is read twice.

What is computed with them is decided elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield import machine
from shiftfield.inputs.frames import Frames
from shiftfield.sources.flat import free_space

_ROOM = 2  # of the free disk, one part for one input
_COPIES = 4  # of the rows of a band: in work, kept, what comes, and both joined
# of the allowed memory, one part for a whole input, for the chunks across an image
_HELD, _TALL = 6, 12


class Reader:
    """One input, read from its first row to its last."""

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        self._held: Any = None
        self._first = 0

    def stored(self, start: int, stop: int) -> Any:
        """Return rows [start, stop) as they are stored; `start` never goes back."""
        if self.frames.in_memory:
            return self.frames.stored(start, stop)
        kept: list[Any] = []
        if self._held is not None and self._first + self._held.shape[1] > start:
            kept = [self._held[:, start - self._first :]]
        end = start + sum(part.shape[1] for part in kept)
        if end < stop:
            kept.append(self.frames.stored(end, self.frames.end_of_chunk(stop)))
        self._held, self._first = (
            (np.concatenate(kept, axis=1) if len(kept) > 1 else kept[0]),
            start,
        )
        return self._held[:, : stop - start]


def bytes_of_a_row(frames: Frames, *, normalised: int) -> int:
    """Return what one row of a band costs while it is read, kept and in work.

    0 for views of what is in memory. `normalised` says how many times the band is normalised: each takes a sum
    over frames, held with two bands and while it is made.
    """
    stored = 0 if frames.in_memory else _COPIES * frames.itemsize * frames.shape[0]
    return frames.shape[2] * (stored + 3 * 8 * normalised)


def make_readable(
    inputs: tuple[Frames | None, Frames | None],
    memory: str | int | None,
    *,
    several_passes: tuple[bool, bool],
) -> None:
    """Make sure that no part of a file is read or decoded twice.

    What is read in several passes (said for each input) is held in memory where a part of `memory` is enough,
    else copied into a temporary file where there is room for it; so is what is stored in chunks too tall to keep.
    """
    allowed = machine.allowed_memory(memory)
    for frames, several in zip(inputs, several_passes, strict=True):
        if frames is None or frames.in_memory or frames.copied:
            continue
        chunk = frames.nbytes * frames.chunk_rows // frames.shape[1]
        if several and frames.nbytes <= allowed // _HELD:
            frames.hold()
        elif chunk > allowed // _TALL or (several and frames.nbytes < free_space() // _ROOM):
            frames.spool()
