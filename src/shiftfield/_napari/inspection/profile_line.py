"""The line that a person draws in the viewer, and the values of a layer along it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image, Shapes
from napari.viewer import Viewer

from shiftfield._napari.inspection.numbers import Float, along_line
from shiftfield._napari.layers.drawn import vertices_in_px
from shiftfield._napari.layers.inputs import PREVIEW, symbol
from shiftfield._napari.layers.placement import placement, plane_matrix

NAME = "profile line"


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Lengths from the line's start in the layer's units, and values there."""

    lengths: Float
    values: Float
    unit: str


class ProfileLine:
    """A Shapes layer in which the last line counts; `changed` is called when it does."""

    def __init__(self, viewer: Viewer, changed: Callable[[], None]) -> None:
        self._viewer, self._changed = viewer, changed
        self._layer: Shapes | None = None

    @property
    def layer(self) -> Shapes | None:
        """The layer, if it is in the viewer."""
        here = self._layer is not None and self._layer in self._viewer.layers
        return self._layer if here else None

    def draw(self, on: Image) -> None:
        """Let a line be drawn that lies on a layer; the layer of lines becomes the active one."""
        if self.layer is None:
            place = placement(on)
            size = float(np.hypot(*on.data.shape))
            self._layer = Shapes(
                ndim=2, name=NAME, edge_color="#ff4fa3", edge_width=max(size / 300, 0.3),
                metadata={PREVIEW: True, "shiftfield": {}}, **place,
            )  # fmt: skip
            self._layer.events.data.connect(self._edited)
            self._viewer.add_layer(self._layer)
        layer = self.layer
        assert layer is not None
        self._viewer.layers.selection.active = layer
        layer.mode = "add_line"

    def profile(self, on: Image) -> Profile | None:
        """Return the values of a layer along the last line; None where there is none."""
        layer = self.layer
        if layer is None or not len(layer.data):
            return None
        ends = vertices_in_px(layer, layer.data[-1], on, ())[[0, -1]]
        part, values = along_line(np.asarray(on.data), *ends)
        matrix = plane_matrix(on)[:2, :2]
        length = float(np.hypot(*(matrix @ (ends[1] - ends[0]))))
        unit = str(on.units[-1])
        return Profile(part * length, values, "px" if unit == "pixel" else symbol(on.units[-1]))

    def remove(self) -> None:
        """Take the layer away."""
        if self.layer is not None:
            self._viewer.layers.remove(self._layer)
        self.leave()

    def leave(self) -> None:
        """Let go of the layer."""
        if self._layer is not None:
            self._layer.events.data.disconnect(self._edited)
        self._layer = None

    def _edited(self, *_: Any) -> None:
        layer = self.layer
        if layer is not None and layer.mode == "add_line" and len(layer.data) > 1:
            layer.selected_data = set(range(len(layer.data) - 1))
        self._changed()
