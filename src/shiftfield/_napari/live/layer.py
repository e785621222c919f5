"""The one layer that shows a live preview: made when needed, changed in place, taken away at the end.

What it shows is computed elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image
from napari.viewer import Viewer

from shiftfield import ShiftField
from shiftfield._napari.form.preferences import preferences
from shiftfield._napari.layers.inputs import PREVIEW
from shiftfield._napari.layers.placement import of_part
from shiftfield.field.layers import NAMES, look, metadata

_STEADY = 0.7  # colours are kept while the new limits are at least this part of the old ones


class LiveLayer:
    """An Image layer "live: x shift" on top of the others."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._layer: Image | None = None
        self._quantity = ""

    def show(
        self,
        field: ShiftField,
        quantity: str,
        place: dict[str, Any],
        origin: tuple[int, int],
        about: dict[str, Any],
    ) -> None:
        """Show a quantity of a field whose first pixel is `origin` (row, column) px of the sample.

        `place` is where the sample lies, `about` what else the layer says of how it was made.
        """
        found = getattr(field, quantity)
        if found is None or found.size == 0:
            self.hide()
            return
        data = np.where(field.valid, found, np.float32(np.nan))
        drawn = look(quantity, data)
        if quantity in ("x", "y"):
            drawn["colormap"] = preferences().shift_colormap
        place = of_part(place, *origin, field.settings.step)
        said = metadata(field, quantity)
        said["shiftfield"] |= about | {"origin": origin}
        said[PREVIEW] = True
        if self._layer is None or self._layer not in self._viewer.layers:
            self._make(data, quantity, drawn, place)
        assert self._layer is not None
        self._change(self._layer, data, quantity, drawn, place)
        self._layer.metadata = said

    def hide(self) -> None:
        """Show nothing; there is no answer for what is asked now."""
        if self._layer is not None and self._layer in self._viewer.layers:
            self._layer.visible = False

    def remove(self) -> None:
        """Take the layer away."""
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None

    def _make(
        self,
        data: np.ndarray[Any, Any],
        quantity: str,
        drawn: dict[str, Any],
        place: dict[str, Any],
    ) -> None:
        active = self._viewer.layers.selection.active
        self._layer = Image(
            data, name=f"live: {NAMES[quantity]}", metadata={PREVIEW: True},
            interpolation2d="nearest", **drawn, **place,
        )  # fmt: skip
        self._quantity = quantity
        self._viewer.add_layer(self._layer)
        self._viewer.layers.selection.active = active

    def _change(
        self,
        layer: Image,
        data: np.ndarray[Any, Any],
        quantity: str,
        drawn: dict[str, Any],
        place: dict[str, Any],
    ) -> None:
        if layer.data.shape != data.shape:
            layer.data = data
            fresh = True
        else:  # a new array costs napari much more than new numbers in the old one
            layer.data[...] = data
            fresh = False
        for name in ("scale", "translate", "rotate", "shear", "affine"):
            if not np.array_equal(np.asarray(getattr(layer, name)), np.asarray(place[name])):
                setattr(layer, name, place[name])
                fresh = True
        if quantity != self._quantity:
            self._quantity = quantity
            layer.name = f"live: {NAMES[quantity]}"
            layer.colormap = drawn["colormap"]
            layer.contrast_limits = drawn["contrast_limits"]
        elif not _near(layer.contrast_limits, drawn["contrast_limits"]):
            layer.contrast_limits = drawn["contrast_limits"]
        if not layer.visible:
            layer.visible = fresh = True
        if not fresh:
            layer.refresh(thumbnail=False, highlight=False, extent=False)


def _near(old: Any, new: Any) -> bool:
    """Whether colours may stay as they are: a picture whose colours jump cannot be compared with the last."""
    before, now = old[1] - old[0], new[1] - new[0]
    apart = max(abs(old[0] - new[0]), abs(old[1] - new[1]))
    return bool(_STEADY <= now / before <= 1 / _STEADY and apart <= (1 - _STEADY) * before)
