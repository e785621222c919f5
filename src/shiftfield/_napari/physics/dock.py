"""The dock "Phase and strain": what a shift field of the viewer means, as new layers.

The numbers are the library's (`meanings`); here is the form, which shows only what the chosen quantity needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, SpinBox
from magicgui.widgets.bases import Widget
from napari.layers import Image, Layer
from napari.viewer import Viewer

from shiftfield import __version__
from shiftfield._napari.dock.dock import Dock, Task
from shiftfield._napari.form.pickers import LayerPicker, narrow
from shiftfield._napari.layers.found_fields import FieldPicker, FoundField, Snapshot
from shiftfield._napari.layers.inputs import (
    SLICES,
    Pixels,
    about,
    data_shape,
    input_of,
    is_picture,
    pixels,
    said,
)
from shiftfield._napari.layers.opening import add_layer_buttons
from shiftfield._napari.layers.placement import placement
from shiftfield._napari.layers.plain import plain
from shiftfield._napari.layers.results import named
from shiftfield._napari.physics.meanings import MEANINGS, Images, look, warped
from shiftfield._napari.physics.quantity import ENERGY, LENGTH, QuantityField, in_words

WARP = "warp"
CHOICES = {
    "Phase": "phase",
    "Strain": "strain",
    "Divergence": "divergence",
    "Vorticity": "vorticity",
    "Magnitude": "magnitude",
    "Sample on reference": WARP,
}
_PLANE = ("window", "coverage")
_NEEDS = {
    "phase": ("method", "pixel_size", "distance", "energy", "magnification", "plane", "weigh", "angles"),
    "strain": _PLANE,
    "divergence": _PLANE,
    "vorticity": _PLANE,
    "magnitude": (),
    WARP: ("sample", "order"),
}  # fmt: skip
_ALL = tuple(dict.fromkeys(name for names in _NEEDS.values() for name in names))


class PhysicsDock(Dock):
    """Phase, strain, divergence, vorticity, magnitude, or the sample laid onto the reference."""

    title = "Phase and strain"
    run_tip = "Make new layers of what the chosen shift field means."
    papers = (
        ("scs: Simchony, Chellappa, Shao, IEEE PAMI 12, 435 (1990)", "https://doi.org/10.1109/34.55103"),
        ("fc: Frankot, Chellappa, IEEE PAMI 10, 439 (1988)", "https://doi.org/10.1109/34.3909"),
        ("dct: Ghiglia, Romero, J. Opt. Soc. Am. A 11, 107 (1994)", "https://doi.org/10.1364/JOSAA.11.000107"),
    )  # fmt: skip

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        add_layer_buttons(self._viewer, self._field, self.sample)
        self.field.changed.connect(self._field_changed)
        for name in ("quantity", "method", "sample"):
            self[name].changed.connect(self._show_needed)
        self.restore()
        self._field_changed()

    # -- the form ------------------------------------------------------------------------------

    def _form(self) -> Sequence[Widget]:
        self._field = FieldPicker(
            self._viewer,
            name="field",
            label="Field",
            tooltip="The x shift and y shift of one search. Of a scan, the projection that is shown counts.",
        )
        quantity = ComboBox(
            name="quantity",
            label="Quantity",
            choices=list(CHOICES.items()),
            tooltip="What to make of the shifts.",
        )
        return [self._field, narrow(quantity), *_phase_form(), *_plane_form(), *self._warp_form()]

    def _warp_form(self) -> Sequence[Widget]:
        return [
            LayerPicker(
                self._samples,
                name="sample",
                label="Sample",
                tooltip="The image that is laid onto the reference; it must have the size of the field's sample.",
            ),
            SpinBox(
                name="order",
                label="Spline order",
                value=3,
                min=0,
                max=5,
                tooltip="Degree of the splines that interpolate the sample; 0 takes the nearest pixel.",
            ),
        ]

    def _samples(self) -> list[Layer]:
        """Return the images of the field's size, the sample of its search first."""
        try:
            field = self._field.chosen()
        except ValueError:
            return []
        fitting = [
            layer
            for layer in self._viewer.layers
            if is_picture(layer)
            and data_shape(layer)[-2:] == field.image_shape
            and "quantity" not in about(layer)
        ]
        return sorted(fitting, key=lambda layer: layer.name != self._named(field, "sample"))

    def _named(self, field: FoundField, side: str) -> str:
        return str(about(field.layers["x"]).get("input", {}).get(side, ""))

    def _field_changed(self, *_: Any) -> None:
        if self._gone:
            return
        self.sample.reset_choices()
        try:
            found = self._field.chosen().pixel_size()
        except ValueError:
            found = None
        if found is not None:
            self.pixel_size.offer(in_words(*found))
        self._show_needed()

    def _show_needed(self, *_: Any) -> None:
        """Show the fields that the chosen quantity needs."""
        needed = _NEEDS[self.quantity.value]
        for name in _ALL:
            self[name].visible = name in needed
        self.weigh.enabled = self.method.value == "least_squares"
        self._refresh_line()

    # -- a run ---------------------------------------------------------------------------------

    def _given(self, field: FoundField) -> dict[str, Any]:
        """Return the arguments of the library's function; a ValueError says what is wrong."""
        quantity = self.quantity.value
        if quantity == WARP:
            return {"order": self.order.value}
        if quantity == "phase":
            weigh = self.weigh.enabled and self.weigh.value
            if weigh and not {"uncertainty_x", "uncertainty_y"} <= field.layers.keys():
                raise ValueError(
                    "Weigh by uncertainty needs the layers of the uncertainty; run the search with "
                    "Uncertainty, or switch it off."
                )
            return {
                "pixel_size": self.pixel_size.number(),
                "distance": self.distance.number(),
                "energy": self.energy.number(),
                "method": self.method.value,
                "magnification": self.magnification.value,
                "plane": self.plane.value,
                "weights": "uncertainty" if weigh else None,
                "angles": self.angles.value,
            }
        return {name: self[name].value for name in _NEEDS[quantity]}

    def _warped(self, field: FoundField) -> Pixels:
        layer = self.sample.value
        if layer is None:
            height, width = field.image_shape
            raise ValueError(
                f"There is no sample: no image of {height} x {width} px is in the viewer."
            )
        return pixels(self._viewer, layer, SLICES)

    def _place(self, field: FoundField) -> dict[str, Any]:
        """Return where the results lie: on the field; a sample on its reference, where that is there."""
        if self.quantity.value != WARP:
            return placement(field.layers["x"], field.index(self._viewer))
        sample = self.sample.value
        name = self._named(field, "reference")
        below = named(self._viewer, name)
        fits = isinstance(below, Image) and data_shape(below)[-2:] == field.image_shape
        layer = below if fits else sample
        return placement(layer, pixels(self._viewer, layer, SLICES).index)

    def about(self) -> dict[str, Any]:
        """Return what the layers of a run would say of how they were made."""
        field = self._field.chosen()
        quantity = self.quantity.value
        made = about(field.layers["x"])
        found: dict[str, Any] = {
            "made_by": quantity,
            "version": __version__,
            "settings": self._given(field),
            "placement": plain(self._place(field)),
            "field": {
                "layers": {name: layer.name for name, layer in field.layers.items()},
                "index": list(field.index(self._viewer)),
                "settings": made["settings"],
                "image_shape": list(field.image_shape),
                "frames": made["frames"],
            },
            "input": {"field": field.name},
        }
        if quantity == WARP:
            found["input"] |= input_of("sample", self._warped(field))
        return found

    def _prepare(self) -> Task:
        field = self._field.chosen()
        made = self.about()
        snapshot = field.read(field.index(self._viewer))
        sample = self._warped(field) if made["made_by"] == WARP else None
        place = self._place(field)

        def show(images: Images) -> str:
            self._add(_layers(images, made, place))
            return f"Done: {', '.join(images)}."

        sentences = [*self._words(field)]
        if sample is not None:
            sentences += said(sample)
        return Task(_compute(snapshot, sample, made), show, tuple(sentences))

    def _words(self, field: FoundField) -> list[str]:
        """Return what a person must know of what is used."""
        index = field.index(self._viewer)
        return [f"Projection {index[0]} of the scan."] if index else []

    def _describe(self) -> str:
        try:
            field = self._field.chosen()
        except ValueError as error:
            return str(error)
        rows, columns = field.image_shape
        return " ".join((f"{field.name}: {rows} x {columns} px.", *self._words(field)))


def _phase_form() -> Sequence[Widget]:
    from shiftfield.physics.retrieval import METHODS

    return [
        narrow(
            ComboBox(
                name="method",
                label="Method",
                choices=METHODS,
                tooltip="How slopes become a phase: Poisson's equation (scs), Fourier (fc), cosine transform "
                "(dct), or least squares over the known pixels alone, for fields with many holes.",
            )
        ),
        QuantityField(
            LENGTH,
            name="pixel_size",
            label="Pixel size",
            value="",
            tooltip="Side of the detector's pixel, as seen by the camera's optics.",
        ),
        QuantityField(
            LENGTH,
            name="distance",
            label="Distance",
            example="2 m",
            value="",
            tooltip="Distance from the object to the detector.",
        ),
        QuantityField(
            ENERGY,
            name="energy",
            label="Energy",
            value="",
            tooltip="Energy of the photons, or their wavelength.",
        ),
        FloatSpinBox(
            name="magnification",
            label="Magnification",
            value=1.0,
            min=0.001,
            max=10000.0,
            step=0.1,
            tooltip="Magnification of the object on the detector in a cone beam; 1 in a parallel beam.",
        ),
        narrow(
            ComboBox(
                name="plane",
                label="Angles belong to",
                choices=[("detector pixels", "detector"), ("object", "object")],
                tooltip="The pixel that sees a ray, or the place where the ray crossed the object.",
            )
        ),
        CheckBox(
            name="weigh",
            text="Weigh by uncertainty",
            tooltip="Let well-known shifts count more (least_squares, and a search with Uncertainty).",
        ),
        CheckBox(
            name="angles",
            text="Refraction angles",
            tooltip="Add the angles by which rays are turned, too.",
        ),
    ]


def _plane_form() -> Sequence[Widget]:
    from shiftfield.physics.derivatives import COVERAGE, WINDOW

    return [
        SpinBox(
            name="window",
            label="Window (px)",
            value=WINDOW,
            min=3,
            max=1001,
            step=2,
            tooltip="Side of the window over which a plane is fitted to the shifts.",
        ),
        FloatSpinBox(
            name="coverage",
            label="Coverage",
            value=COVERAGE,
            min=0.0,
            max=1.0,
            step=0.05,
            tooltip="Least part of the window whose shifts must be known.",
        ),
    ]


def _compute(
    snapshot: Snapshot, sample: Pixels | None, made: dict[str, Any]
) -> Callable[[Callable[[int, int], None], Event], Images]:
    def compute(progress: Callable[[int, int], None], _: Event) -> Images:
        field = snapshot.field()
        progress(0, 0)
        if sample is not None:
            return warped(field, sample.array(), made["settings"])
        return MEANINGS[made["made_by"]](field, made["settings"])

    return compute


def _layers(
    images: Images, made: dict[str, Any], place: dict[str, Any]
) -> list[tuple[Any, dict[str, Any], str]]:
    """Return layer tuples, the first image on top and the only one that is seen at first."""
    layers = []
    for name, (data, unit) in reversed(images.items()):
        metadata = {"shiftfield": made | {"quantity": name, "unit": unit}}
        shown = name == next(iter(images))
        arguments = {
            "name": name,
            "metadata": metadata,
            "visible": shown,
            **look(name, data),
            **place,
        }
        layers.append((data, arguments, "image"))
    return layers
