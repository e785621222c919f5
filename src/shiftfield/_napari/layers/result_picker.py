"""A combo box of the searches whose layers are in the viewer, with the active layer's first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.viewer import Viewer
from qtpy.QtWidgets import QComboBox

from shiftfield._napari.layers.results import Result, current, results

_ACTIVE = "active layer's"


class ResultPicker(QComboBox):
    """Offers the active layer's search (else the last one) and each search by name.

    `changed` is called when `result` is another one than before, or has other layers.
    """

    def __init__(self, viewer: Viewer, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed: Callable[[], None] = lambda: None  # not before all of the dock is there
        self._viewer = viewer
        self._offered: list[Result] = []
        self._chosen: Result | None = None
        self.result: Result | None = None
        self.setAccessibleName("Field")
        self.setToolTip(
            "The search that is looked at: that of the active layer, or always the same."
        )
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self._events = (
            viewer.layers.events.inserted,
            viewer.layers.events.removed,
            viewer.layers.events.renamed,
            viewer.layers.selection.events.active,
        )
        for event in self._events:
            event.connect(self.refresh)
        self.activated.connect(self._choose)
        self.refresh()
        self._changed = changed

    def refresh(self, *_: Any) -> None:
        """Offer what is there now; keep what was chosen as long as it is there."""
        self._offered = results(self._viewer)
        if self._chosen is not None and not any(one.same(self._chosen) for one in self._offered):
            self._chosen = None
        texts = [_ACTIVE, *(one.label for one in self._offered)]
        if texts != [self.itemText(n) for n in range(self.count())]:
            self.clear()
            self.addItems(texts)
        at = [
            n for n, one in enumerate(self._offered, 1) if self._chosen and one.same(self._chosen)
        ]
        self.setCurrentIndex(at[0] if at else 0)
        self._settle()

    def leave(self) -> None:
        """Let go of the viewer."""
        for event in self._events:
            event.disconnect(self.refresh)

    def _choose(self, index: int) -> None:
        self._chosen = self._offered[index - 1] if index > 0 else None
        self._settle()

    def _settle(self) -> None:
        before, now = self.result, current(self._viewer, self._chosen)
        self.result = now
        if _layers(before) != _layers(now):
            self._changed()


def _layers(result: Result | None) -> list[int]:
    return [] if result is None else [id(layer) for layer in result.layers.values()]
