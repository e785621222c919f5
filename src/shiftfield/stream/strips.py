"""Strips of rows that several workers share: each is answered once, whoever is first.

A worker that finds nothing new takes what another has in work, so that nobody waits for the slowest; a worker
that fails gives back what it took.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from shiftfield.engine import Stop, Tile
from shiftfield.stream.bands import Band


@dataclass(eq=False, slots=True)
class Strip:
    """Output rows of a band; `takers` have it in work, `done` when one of them has answered."""

    band: Band
    tile: Tile
    takers: set[str] = field(default_factory=set)
    stop: Stop = field(default_factory=Stop)
    done: bool = False


class Strips:
    """The strips that are not done, in the order of the image; for any number of threads."""

    def __init__(self) -> None:
        self._open: list[Strip] = []
        self._more = True
        self._changed = threading.Condition()
        self.done = 0

    def add(self, band: Band, tiles: Sequence[Tile]) -> None:
        """Offer the strips of one more band."""
        with self._changed:
            self._open += [Strip(band, tile) for tile in tiles]
            self._changed.notify_all()

    def close(self) -> None:
        """Say that no more bands will come."""
        with self._changed:
            self._more = False
            self._changed.notify_all()

    def call_off(self) -> None:
        """Make all workers stop soon; nothing more is handed out."""
        with self._changed:
            for strip in self._open:
                strip.stop.set()
            self._open.clear()
            self._more = False
            self._changed.notify_all()

    def left(self) -> int:
        """Return how many strips are not done."""
        with self._changed:
            return len(self._open)

    def bands(self) -> int:
        """Return how many bands have strips that are not done."""
        with self._changed:
            return len({id(strip.band) for strip in self._open})

    def take(self, who: str, most: int, *, last: bool = False, wait: bool = True) -> list[Strip]:
        """Return up to `most` neighbouring strips of one band for `who`; none when nothing is left for it.

        From the first ones on, or one from the end (`last`). With `wait` until there is something or all is done.
        """
        with self._changed:
            while True:
                found = self._free(most, last=last) or self._others(who)
                if found:
                    for strip in found:
                        strip.takers.add(who)
                    return found
                if not wait or not (self._more or self._waiting_for_others(who)):
                    return []
                self._changed.wait()

    def _free(self, most: int, *, last: bool) -> list[Strip]:
        free = [strip for strip in self._open if not strip.takers]
        if not free or last:
            return free[-1:]
        found = free[:1]
        for strip in free[1:most]:
            if strip.band is not found[0].band or strip.tile.y0 != found[-1].tile.y1:
                break
            found.append(strip)
        return found

    def _others(self, who: str) -> list[Strip]:
        """One strip that only others have in work: the last, which they come to last."""
        if self._more:
            return []
        return [
            strip for strip in self._open if who not in strip.takers and len(strip.takers) == 1
        ][-1:]

    def _waiting_for_others(self, who: str) -> bool:
        """Whether a strip may yet be given back by another worker."""
        return any(who not in strip.takers for strip in self._open)

    def give_back(self, who: str, strips: Sequence[Strip] | None = None) -> None:
        """Leave some strips, or all that `who` has in work, to others."""
        with self._changed:
            for strip in self._open if strips is None else strips:
                strip.takers.discard(who)
            self._changed.notify_all()

    def finish(self, strip: Strip) -> bool:
        """Say that a strip is answered; return whether this is the first answer, which counts."""
        with self._changed:
            first = not strip.done
            if first:
                strip.done = True
                strip.stop.set()
                if strip in self._open:
                    self._open.remove(strip)
                    self.done += 1
            self._changed.notify_all()
            return first
