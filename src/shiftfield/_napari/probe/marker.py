"""The mark of a probed pixel in the canvas: its window and the part of the reference that is searched.

It is a Shapes layer that goes when the dock goes; what is probed is decided elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Shapes
from napari.viewer import Viewer
from numpy.typing import NDArray

from shiftfield._napari.layers.inputs import PREVIEW
from shiftfield._napari.layers.placement import of_part

NAME = "probed pixel"
_COLOURS = ["#ff4fa3", "#ff4fa3", "#ffd23f"]
_WIDTH = 2  # of a line on the screen, px


class Marker:
    """Three rectangles: pixel, window, search area."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._layer: Shapes | None = None
        self._place: dict[str, Any] = {}
        self._what: tuple[Any, ...] = ()

    @property
    def layer(self) -> Shapes | None:
        """The layer, if it is in the viewer."""
        here = self._layer is not None and self._layer in self._viewer.layers
        return self._layer if here else None

    def show(
        self,
        row: int,
        column: int,
        window: int,
        margin: int,
        start: tuple[int, int],
        place: dict[str, Any],
    ) -> None:
        """Mark a pixel of what lies at `place`; its search is centred on `start`, px, (x, y)."""
        what = (window, margin, start)
        lies = of_part(place, row, column)
        layer = self.layer
        if layer is not None and (what != self._what or not _same(self._place, place)):
            self.remove()
            layer = None
        width = _WIDTH / (self._viewer.scene.camera.zoom * float(np.min(np.abs(place["scale"]))))
        if layer is None:
            self._what, self._place = what, place
            self._make(_boxes(*what), lies, width)
            return
        if not np.allclose(layer.edge_width, width):
            layer.edge_width = [width] * len(layer.data)
        # moved, not drawn anew: that would take 20 ms
        layer.translate = lies["translate"]

    def remove(self) -> None:
        """Take the mark away."""
        if self.layer is not None:
            self._viewer.layers.remove(self._layer)
        self._layer = None

    def _make(self, boxes: list[NDArray[np.float64]], place: dict[str, Any], width: float) -> None:
        active = self._viewer.layers.selection.active
        self._layer = Shapes(
            boxes, shape_type="rectangle", name=NAME, face_color="transparent", edge_color=_COLOURS,
            edge_width=width, metadata={PREVIEW: True, "shiftfield": {}}, **place,
        )  # fmt: skip
        self._layer.editable = False
        self._viewer.add_layer(self._layer)
        if active is not None:
            self._viewer.layers.selection.active = active


def _boxes(window: int, margin: int, start: tuple[int, int]) -> list[NDArray[np.float64]]:
    """Return pixel, window and search area, (row, column) px from the pixel."""
    x, y = start
    corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
    half = window / 2
    return [0.5 * corners, half * corners, np.array([y, x]) + (half + margin) * corners]


def _same(place: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(
        np.array_equal(np.asarray(place[name]), np.asarray(other[name]))
        for name in ("scale", "translate", "rotate", "shear", "affine")
    ) and list(map(str, place["units"])) == list(map(str, other["units"]))
