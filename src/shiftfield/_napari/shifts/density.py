"""Vectors of a field that stay about as far apart on the screen while a person zooms.

The vectors are those of `field.layers.vectors`: only of valid pixels, from the reference to the sample.
"""

from __future__ import annotations

import math
import weakref
from typing import Any

import numpy as np
from napari.layers import Vectors
from napari.viewer import Viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from shiftfield import ShiftField
from shiftfield.field.layers import drawable, vectors

_PAUSE_MS = 150  # after the last turn of the wheel
_FINEST = 1  # px


def follow_zoom(viewer: Viewer, layer: Vectors, field: ShiftField, spacing: int) -> None:
    """Draw the vectors of `field` anew when the zoom has changed by 2, until the layer is taken away.

    `spacing`, px, is how far apart they are at the zoom of now.
    """
    if QApplication.instance() is not None:
        _Density(viewer, layer, field, spacing)


class _Density:
    """Kept alive by the viewer's camera; holds the layer weakly."""

    def __init__(self, viewer: Viewer, layer: Vectors, field: ShiftField, spacing: int) -> None:
        self._camera = viewer.scene.camera
        self._layer = weakref.ref(layer)
        self._layers = weakref.ref(viewer.layers)
        self._field = field
        self._spacing = self._drawn = spacing
        self._zoom = self._camera.zoom
        self._width = layer.edge_width / spacing
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._draw)
        # a plain function, which the event holds on to, as it does not to a method
        self._slot = lambda *_: self._changed()
        self._camera.events.zoom.connect(self._slot)
        layer.events.visible.connect(self._slot)

    def _changed(self) -> None:
        layer, layers = self._layer(), self._layers()
        if layer is None or layers is None or layer not in layers:
            self._camera.events.zoom.disconnect(self._slot)
            self._timer.stop()
            return
        if self._wanted() != self._drawn:
            self._timer.start()

    def _wanted(self) -> int:
        """Return the spacing, px, that is about as far on the screen as at first; halves and doubles of it."""
        octaves = round(math.log2(self._camera.zoom / self._zoom))
        wanted = max(_FINEST, round(self._spacing / 2.0**octaves))
        return drawable(wanted, self._field.image_shape)

    def _draw(self) -> None:
        layer, wanted = self._layer(), self._wanted()
        # napari does not look at the new vectors of a hidden layer, but at its colours
        if layer is None or wanted == self._drawn or not layer.visible:
            return
        data, shift = vectors(self._field, wanted)
        if len(data) == 0:
            return
        self._drawn = wanted
        size = np.hypot(shift[:, 0], shift[:, 1])
        features: dict[str, Any] = {
            "length_px": size, "x_shift_px": shift[:, 0], "y_shift_px": shift[:, 1],
        }  # fmt: skip
        limits = layer.edge_contrast_limits
        layer.data = data
        layer.features = features
        layer.edge_color = "length_px"
        layer.edge_contrast_limits = limits
        layer.edge_width = self._width * wanted
