"""The dock "Correlation map": how well a part of the sample fits at each shift in the reference.

The map is `shiftfield.generate_correlation_map`; here the template is cut and the map laid out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from magicgui.widgets.bases import Widget
from napari.layers import Image, Layer, Shapes
from napari.viewer import Viewer
from numpy.typing import NDArray

from shiftfield import __version__
from shiftfield._napari.dock.dock import Task
from shiftfield._napari.dock.pair import PairDock, input_metadata, size_text
from shiftfield._napari.form.fields import fields
from shiftfield._napari.form.pickers import LayerPicker
from shiftfield._napari.layers.inputs import Pixels, said
from shiftfield._napari.layers.placement import placement, with_origin_at
from shiftfield._napari.layers.plain import plain
from shiftfield._napari.maps.template import Template, centre, rectangle
from shiftfield.settings import Settings

_CENTRE = "centre of the sample"


class CorrelationMap(PairDock):
    """A correlation map as an Image layer; zero shift lies at the world origin."""

    title = "Correlation map"
    run_tip = (
        "Correlate the template with the reference at every shift up to the margin. "
        "In the map, zero shift lies at the world origin."
    )

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.restore()

    def _search_form(self) -> Sequence[Widget]:
        template = LayerPicker(
            self._drawn,
            first=_CENTRE,
            name="template",
            label="Template",
            tooltip="What of the sample is searched: all but the margin, or the box around the "
            "selected shape (else the last one) of a Shapes layer.",
        )
        return [template, *fields(Settings, "margin")]

    def _drawn(self) -> list[Layer]:
        return [x for x in self._viewer.layers if isinstance(x, Shapes) and x.ndim >= 2]

    def about(self) -> dict[str, Any]:
        """Return what the map's layer would say of how it is made."""
        reference, sample = self._pixels()
        return self._about(reference, sample, *self._cut_and_place(sample))

    def _about(
        self, reference: Pixels, sample: Pixels, cut: Template, place: dict[str, Any]
    ) -> dict[str, Any]:
        return {
            "made_by": "generate_correlation_map",
            "quantity": "correlation map",
            "unit": "",
            "version": __version__,
            "zero": cut.zero,
            "template": [[part.start, part.stop] for part in cut.box],
            "area": [[part.start, part.stop] for part in cut.area],
            "settings": {"margin": int(self.margin.value)},
            "placement": plain(place),
            "input": input_metadata(reference, sample),
        }

    def _cut_and_place(self, sample: Pixels) -> tuple[Template, dict[str, Any]]:
        layer = self._sample.value
        cut = self._cut(layer, sample, int(self.margin.value))
        return cut, with_origin_at(placement(layer, sample.index), *cut.zero)

    def _prepare(self) -> Task:
        reference, sample = self._pixels()
        margin = int(self.margin.value)
        cut, place = self._cut_and_place(sample)
        metadata = self._about(reference, sample, cut, place)

        def show(scores: NDArray[np.float32]) -> str:
            look = {"name": "correlation map", "colormap": "viridis", "interpolation2d": "nearest"}
            self._add([(scores, {**look, **place, "metadata": {"shiftfield": metadata}}, "image")])
            return _answer(scores, cut, margin)

        return Task(_correlate(reference, sample, cut), show, said(reference, sample))

    def _cut(self, layer: Image, sample: Pixels, margin: int) -> Template:
        chosen: str | Layer = self.template.value
        if isinstance(chosen, Shapes):
            return rectangle(chosen, layer, sample, margin)
        return centre(sample.shape[-2:], margin)


def _correlate(reference: Pixels, sample: Pixels, cut: Template) -> Callable[..., Any]:
    def compute(*_: Any) -> NDArray[np.float32]:
        from shiftfield import generate_correlation_map

        area = np.asarray(reference.read()[..., cut.area[0], cut.area[1]])
        template = np.asarray(sample.read()[..., cut.box[0], cut.box[1]])
        scores = generate_correlation_map(area, template)
        if np.isnan(scores).all():
            raise ValueError("The map is empty: the images hold a NaN or inf.")
        if not scores.any():
            raise ValueError("The map is 0 everywhere: the template or the reference is constant.")
        return scores

    return compute


def _answer(scores: NDArray[np.float32], cut: Template, margin: int) -> str:
    row, column = np.unravel_index(np.nanargmax(scores), scores.shape)
    x, y = column - cut.zero[1], row - cut.zero[0]
    text = (
        f"Template {size_text(cut.size)}; highest score {scores[row, column]:.3f} "
        f"at x {x:+d}, y {y:+d} px. Zero shift lies at the world origin."
    )
    if min(scores.shape) <= 2 * margin:
        (top, left), (height, width) = cut.zero, scores.shape
        text += (
            f" The image ends there: only x {-left:+d} to {width - 1 - left:+d}, "
            f"y {-top:+d} to {height - 1 - top:+d} px were tried."
        )
    return text
