"""The dock "Locate peak": the sub-pixel peak of a map as a Points layer.

The peak is `shiftfield.locate_peak`; here its place is marked and described.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from magicgui.widgets.bases import Widget
from napari.layers import Image, Layer
from napari.viewer import Viewer

from shiftfield import __version__
from shiftfield._napari.dock.dock import Dock, Task
from shiftfield._napari.dock.pair import size_text
from shiftfield._napari.form.fields import fields
from shiftfield._napari.form.pickers import LayerPicker
from shiftfield._napari.layers.inputs import (
    SLICES,
    Pixels,
    about,
    input_of,
    is_picture,
    pixels,
    said,
)
from shiftfield._napari.layers.placement import placement
from shiftfield._napari.layers.plain import plain
from shiftfield.settings import PeakSettings

_MAP = "correlation map"
_COLOUR = "#e06000"  # to be read on black, on white and on the dark end of a map


class LocatePeak(Dock):
    """The peak of a map: a point with its place, its value and, where known, the shift."""

    title = "Locate peak"
    run_tip = "Mark the peak of the map to a fraction of a px."

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        for layer in self._viewer.layers:
            self._choose_new_map(layer)
        self._viewer.layers.events.inserted.connect(self._layer_came)
        self._map.changed.connect(self._refresh_line)
        self.method.changed.connect(self._enable)
        self.restore()
        self._enable()

    def _form(self) -> Sequence[Widget]:
        self._map = LayerPicker(
            self._maps,
            name="map",
            label="Map",
            tooltip="The image whose peak is wanted, such as a correlation map.",
        )
        return [self._map, *fields(PeakSettings, "extremum", "method", "dim", "size")]

    def _enable(self, *_: Any) -> None:
        self.size.enabled = self.method.value == "poly_fit"

    def _maps(self) -> list[Layer]:
        return [x for x in self._viewer.layers if is_picture(x) and not x.rgb]

    def _layer_came(self, event: Any) -> None:
        self._choose_new_map(event.value)

    def _choose_new_map(self, layer: Layer) -> None:
        """Choose a correlation map that has just been made."""
        if not self._gone and _is_map(layer) and layer in self._map.choices:
            self._map.value = layer

    def _chosen(self) -> Image:
        if self._map.value is None:
            raise ValueError("There is no map: the viewer has no image of one channel to choose.")
        return self._map.value

    def _describe(self) -> str:
        if self._map.value is None:
            return "Open or make a map first."
        used = pixels(self._viewer, self._map.value, SLICES)
        return " ".join((f"{size_text(used.shape)}.", *said(used)))

    def about(self) -> dict[str, Any]:
        """Return what the peak's layer would say of how it is made."""
        layer = self._chosen()
        used = pixels(self._viewer, layer, SLICES)
        return self._about(used, placement(layer, used.index), self._settings())

    def _about(self, used: Pixels, place: dict[str, Any], settings: PeakSettings) -> dict[str, Any]:
        return {
            "made_by": "locate_peak",
            "quantity": "peak",
            "unit": "px",
            "version": __version__,
            "settings": settings.as_dict(),
            "placement": plain(place),
            "input": input_of("map", used),
        }

    def _settings(self) -> PeakSettings:
        return PeakSettings(
            method=self.method.value,
            dim=self.dim.value,
            size=self.size.value,
            extremum=self.extremum.value,
        )

    def _prepare(self) -> Task:
        layer = self._chosen()
        used = pixels(self._viewer, layer, SLICES)
        place = placement(layer, used.index)
        zero = layer.metadata["shiftfield"]["zero"] if _is_map(layer) else None
        settings = self._settings()
        metadata = self._about(used, place, settings)

        def show(found: tuple[float, float, float]) -> str:
            features, text = _description(*found, zero)
            look = {"name": f"peak of {used.name}", **_look(features, used.shape)}
            data = np.array([[found[0], found[1]]])
            self._add([(data, {**look, **place, "metadata": {"shiftfield": metadata}}, "points")])
            return text

        return Task(_locate(used.read, settings), show, said(used))


def _is_map(layer: Layer) -> bool:
    return about(layer).get("quantity") == _MAP


def _locate(read: Callable[[], Any], settings: PeakSettings) -> Callable[..., Any]:
    def compute(*_: Any) -> tuple[float, float, float]:
        from shiftfield import locate_peak

        scores = np.asarray(read())
        highest = settings.extremum == "maximum"
        column, row = locate_peak(
            scores,
            method=settings.method,
            dim=int(settings.dim),
            size=settings.size,
            max_peak=highest,
        )
        if np.isnan(row) or np.isnan(column):
            raise ValueError("The map is constant or holds no number, so it has no peak.")
        return row, column, float(np.nanmax(scores) if highest else np.nanmin(scores))

    return compute


def _description(
    row: float, column: float, value: float, zero: tuple[int, int] | None
) -> tuple[dict[str, list[float]], str]:
    """Return the features of the point and the sentence for the status line."""
    features = {"row_px": [row], "column_px": [column], "value": [value]}
    text = f"Peak at row {row:.3f}, column {column:.3f} px; value {value:.4g}"
    if zero is not None:
        x, y = column - zero[1], row - zero[0]
        features |= {"x_shift_px": [x], "y_shift_px": [y]}
        text += f"; shift x {x:+.3f}, y {y:+.3f} px"
    return features, f"{text}."


def _look(features: dict[str, list[float]], shape: tuple[int, ...]) -> dict[str, Any]:
    size = max(max(shape) / 20, 1.0)
    known_shift = "x_shift_px" in features
    label = (
        "x {x_shift_px:+.2f}, y {y_shift_px:+.2f} px\n{value:.3g}"
        if known_shift
        else "row {row_px:.2f}, column {column_px:.2f}\n{value:.3g}"
    )
    return {
        "features": features,
        "text": {
            "string": label,
            "size": 12,
            "color": _COLOUR,
            "anchor": "upper_left",
            "translation": (-1.2 * size, size),
        },
        "symbol": "cross",
        "size": size,
        "face_color": _COLOUR,
        "border_color": "white",
        "border_width": 0.05,
    }
