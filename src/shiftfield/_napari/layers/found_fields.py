"""The shift fields that a viewer holds: the layers of one search, found by their metadata, and a picker for them.

A field is read from the layers as they are when it is asked for; no layer is made or changed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image, Layer
from napari.viewer import Viewer
from numpy.typing import NDArray

from shiftfield import ShiftField
from shiftfield._napari.form.pickers import LayerPicker
from shiftfield._napari.layers.inputs import PREVIEW, about, current_index, full_data, is_pixel
from shiftfield._napari.layers.placement import plane_matrix
from shiftfield.settings import Settings

_ONE_SEARCH = (
    "version",
    "frames",
    "settings",
    "image_shape",
    "seconds",
    "input",
    "projections",
    "out",
)
_WANTED = ("x", "y", "uncertainty_x", "uncertainty_y")


@dataclass(frozen=True)
class FoundField:
    """The layers of one search, by quantity; both shifts are among them."""

    layers: dict[str, Image]

    @property
    def name(self) -> str:
        """What a person chooses it by."""
        x, y = self.layers["x"].name, self.layers["y"].name
        sample = about(self.layers["x"]).get("input", {}).get("sample")
        return f"{x}, {y}" + (f" ({sample})" if sample else "")

    @property
    def image_shape(self) -> tuple[int, int]:
        """(H, W) of the sample, px."""
        height, width = about(self.layers["x"])["image_shape"]
        return int(height), int(width)

    @property
    def settings(self) -> Settings:
        """What the search was asked for."""
        return Settings(**about(self.layers["x"])["settings"])

    def everything(self, layers: Sequence[Layer]) -> list[Layer]:
        """Return all layers of the search among some, score and quality too; one of each quantity."""
        mine = _made(self.layers["x"])
        kept: dict[str, Layer] = {}
        for layer in layers:
            quantity = str(about(layer).get("quantity"))
            if layer in self.layers.values() or (
                quantity not in self.layers and _made(layer) == mine
            ):
                kept.setdefault(quantity, layer)
        return list(kept.values())

    def made_of_it(self, layers: Sequence[Layer]) -> list[Image]:
        """Return the images among some layers that were made of these shifts: phase, strain and the like."""
        made = about(self.layers["x"])
        fields = (one.layers["x"] for one in found_fields(layers))
        others = {x.name for x in fields if x is not self.layers["x"]}
        return [
            layer
            for layer in pictures_of_fields(layers)
            if (field := about(layer)["field"])["settings"] == made["settings"]
            and tuple(field["image_shape"]) == self.image_shape
            and field["frames"] == made["frames"]
            and field["layers"]["x"] not in others  # its own may have another name now
        ]

    def index(self, viewer: Viewer) -> tuple[int, ...]:
        """Return the projection of a scan that the viewer shows; nothing for a single field."""
        x = self.layers["x"]
        return current_index(viewer, x, x.ndim - 2)

    def pixel_size(self) -> tuple[float, Any] | None:
        """Return the side of a pixel of the sample and its unit, as the layers say; None where they do not."""
        x = self.layers["x"]
        row, column = x.units[-2:]
        if row != column or is_pixel(row) or not row.is_compatible_with("m"):
            return None
        sides = np.linalg.norm(plane_matrix(x)[:2, :2], axis=0) / self.settings.step
        return (float(sides[0]), row) if np.isclose(*sides) else None

    def read(self, index: tuple[int, ...]) -> Snapshot:
        """Return the numbers as they are now; those of a scan stay in its file until they are wanted."""
        arrays = {name: full_data(layer) for name, layer in self.layers.items()}
        shape = tuple(-(-n // self.settings.step) for n in self.image_shape)
        for name, data in arrays.items():
            if tuple(data.shape[-2:]) != shape:
                raise ValueError(
                    f"{self.layers[name].name!r} has {data.shape[-2]} x {data.shape[-1]} pixels; the search gave "
                    f"it {shape[0]} x {shape[1]}."
                )
        here = {
            name: np.array(data[index]) if isinstance(data, np.ndarray) else data[index]
            for name, data in arrays.items()
        }
        made = about(self.layers["x"])
        return Snapshot(
            here, self.settings, self.image_shape, int(made["frames"]), str(made["version"])
        )


@dataclass(frozen=True)
class Snapshot:
    """The numbers of one field, apart from any layer."""

    arrays: dict[str, Any]
    settings: Settings
    image_shape: tuple[int, int]
    frames: int
    version: str

    def field(self) -> ShiftField:
        """Return it as a `ShiftField`; shifts that a layer does not show are not valid."""
        arrays: dict[str, Any] = {
            name: np.asarray(data, np.float32) for name, data in self.arrays.items()
        }
        valid: NDArray[np.bool_] = np.isfinite(arrays["x"]) & np.isfinite(arrays["y"])
        if not valid.any():
            raise ValueError("The field has no known shift; there is nothing to work on.")
        unknown = np.full(valid.shape, np.nan, np.float32)
        return ShiftField(
            **arrays, valid=valid, score=unknown, settings=self.settings, image_shape=self.image_shape,
            frames=self.frames, version=self.version,
        )  # fmt: skip


def found_fields(layers: Sequence[Layer]) -> list[FoundField]:
    """Return the fields among some layers, the newest first."""
    searches: list[tuple[dict[str, Any], list[dict[str, Image]]]] = []
    for layer in layers:
        said = about(layer)
        quantity = said.get("quantity")
        if quantity not in _WANTED or not isinstance(layer, Image) or PREVIEW in layer.metadata:
            continue
        if not {"settings", "image_shape", "frames", "version"} <= said.keys():
            continue
        _put(searches, _made(layer), str(quantity), layer)
    fields = [
        FoundField(one) for _, several in searches for one in several if {"x", "y"} <= one.keys()
    ]
    order = {id(layer): number for number, layer in enumerate(layers)}
    return sorted(fields, key=lambda field: -order[id(field.layers["x"])])


def pictures_of_fields(layers: Sequence[Layer]) -> list[Image]:
    """Return the images among some layers that were made of a field."""
    return [
        layer
        for layer in layers
        if isinstance(layer, Image) and {"field", "quantity"} <= about(layer).keys()
    ]


def _made(layer: Layer) -> dict[str, Any]:
    """Return what all layers of one search say alike."""
    said = about(layer)
    return {name: said.get(name) for name in _ONE_SEARCH}


def _put(searches: Any, made: dict[str, Any], quantity: str, layer: Image) -> None:
    """Put a layer to those of its search; of one that was opened twice, to the first it is missing in."""
    several = next((several for known, several in searches if known == made), None)
    if several is None:
        several = []
        searches.append((made, several))
    one = next((one for one in several if quantity not in one), None)
    if one is None:
        one = {}
        several.append(one)
    one[quantity] = layer


class FieldPicker(LayerPicker):
    """A combo box with one entry for each field of a viewer; its value is the layer of the x shift."""

    def __init__(self, viewer: Viewer, **kwargs: Any) -> None:
        self._viewer = viewer
        super().__init__(lambda: [one.layers["x"] for one in self.fields()], **kwargs)

    def fields(self) -> list[FoundField]:
        """Return all fields of the viewer."""
        return found_fields(list(self._viewer.layers))

    def chosen(self) -> FoundField:
        """Return the chosen field; a ValueError where there is none."""
        for field in self.fields():
            if field.layers["x"] is self.value:
                return field
        raise ValueError(
            "There is no shift field: run Local shifts or UMPA shifts, or open a saved field, first."
        )

    def _named(self, _: Any) -> list[tuple[str, Any]]:
        return [(field.name, field.layers["x"]) for field in self.fields()]
