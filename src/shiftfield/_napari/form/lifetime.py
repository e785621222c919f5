"""Knowing that a dock's window is gone, whichever dies first: the Python object or the Qt one.

Nothing here holds a widget or a layer, so nothing here keeps one alive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakMethod

from qtpy.QtCore import QObject

from shiftfield._napari.form.work import Work


@dataclass(eq=False)
class Life:
    """What outlives a dock: whether its window is gone, and what has to be given up then."""

    gone: bool = False
    work: Work[Any] | None = None
    at_end: list[WeakMethod[Callable[[], None]]] = field(default_factory=list)

    def end(self) -> None:
        """Give up the run; nobody is left to see its answer."""
        self.gone = True
        if self.work is not None:
            self.work.cancel()
        self.work = None
        while self.at_end:
            act = self.at_end.pop()()
            if act is not None:
                act()


# A slot that only Qt knows is garbage together with its widget; Python may then have taken it apart
# before Qt calls it (a segmentation fault in PyQt 6.11). Slots are kept here until they were called.
_slots: set[Callable[..., None]] = set()


def end_with(window: QObject, life: Life) -> None:
    """Call `life.end()` when Qt destroys `window`."""

    def destroyed(*_: Any) -> None:
        _slots.discard(destroyed)
        life.end()

    _slots.add(destroyed)
    window.destroyed.connect(destroyed)
