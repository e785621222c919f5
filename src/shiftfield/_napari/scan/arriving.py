"""The layers of a scan that is being made: added when a first projection is there, and drawn anew as more come.

Files are looked at on a thread of their own, so that a slow disk stops no window.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import numpy as np
from napari.layers import Layer
from napari.viewer import Viewer

from shiftfield import Scan
from shiftfield._napari.files.scan_layers import scan_layers
from shiftfield._napari.form.work import Work
from shiftfield.field.layers import LayerTuple

Adjust = Callable[[list[LayerTuple]], list[LayerTuple]]


class Arriving:
    """Follows one file.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the layers go.
    out : str
        The file.
    adjust : callable
        Gives the layer tuples their place and what else they need.
    """

    def __init__(self, viewer: Viewer, out: str, adjust: Adjust) -> None:
        self._viewer, self._out, self._adjust = viewer, out, adjust
        self._look: Work[Any] | None = None
        self.layers: list[Layer] = []
        self.done = self.total = 0

    def poll(self) -> None:
        """Show what has come since the last look, and look again; returns at once."""
        look = self._look
        if look is not None and not look.finished:
            return
        if look is not None and look.result is not None:
            self._show(*look.result)
        self._look = Work(_looked(self._out, wanted=not self.layers))

    def show_all(self, layers: list[LayerTuple], done: int, total: int) -> None:
        """Show the end of a run: the layers with limits that suit all projections."""
        if not self.layers:
            self._show(done, total, layers)
            return
        self.done, self.total = done, total
        for _, arguments, _ in self._adjust(layers):
            for layer in self.layers:
                if layer in self._viewer.layers and _same(layer, arguments):
                    layer.contrast_limits = arguments["contrast_limits"]
        self._draw()

    def leave(self) -> None:
        """Give up a look that goes on."""
        if self._look is not None:
            self._look.cancel()
        self._look = None

    def _show(self, done: int, total: int, layers: list[LayerTuple] | None) -> None:
        news = done != self.done
        self.done, self.total = done, total
        if layers and not self.layers:
            self.layers = [Layer.create(*one) for one in self._adjust(layers)]
            for layer in self.layers:
                self._viewer.add_layer(layer)
        elif news:
            self._draw()

    def _draw(self) -> None:
        for layer in self.layers:
            if layer in self._viewer.layers and layer.visible:
                layer.refresh()


def _same(layer: Layer, arguments: dict[str, Any]) -> bool:
    mine, theirs = (
        one["shiftfield"]["quantity"] for one in (layer.metadata, arguments["metadata"])
    )
    return bool(mine == theirs)


def _looked(out: str, *, wanted: bool) -> Callable[[Callable[[int, int], None], Event], Any]:
    def look(_: Callable[[int, int], None], cancel: Event) -> Any:
        try:
            finished = Scan(out).done
            count = int(np.count_nonzero(finished))
            new = wanted and count > 0 and not cancel.is_set()
            return count, len(finished), scan_layers(out)[0] if new else None
        except (OSError, ValueError, KeyError):
            return None  # it is being replaced; the next look sees it

    return look
