"""The searches whose layers are in the viewer: which layers belong together, what they were made of.

Only metadata is read here; pixels are read later, on a worker's thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from napari.viewer import Viewer
from numpy.typing import NDArray

from shiftfield import Settings, Thresholds
from shiftfield._napari.layers.inputs import (
    PREVIEW,
    Pixels,
    about,
    data_shape,
    full_data,
    in_units_of,
    is_picture,
)
from shiftfield._napari.layers.masks import Mask, polygons_mask
from shiftfield._napari.layers.placement import of_part, placement, plane_matrix

_SAME = ("version", "frames", "settings", "image_shape", "seconds", "input", "thresholds", "origin")


@dataclass(frozen=True)
class Result:
    """The layers of one search, by quantity, and what their metadata says of it."""

    about: dict[str, Any]
    layers: dict[str, Layer]

    @property
    def settings(self) -> Settings:
        """What was asked for."""
        return Settings(**self.about["settings"])

    @property
    def thresholds(self) -> Thresholds:
        """What a pixel had to pass."""
        return Thresholds(**self.about.get("thresholds") or {})

    @property
    def origin(self) -> tuple[int, int]:
        """The sample's pixel (row, column) that the first element of the layers belongs to."""
        row, column = self.about.get("origin") or (0, 0)
        return int(row), int(column)

    @property
    def on(self) -> Layer:
        """A layer that lies as all of them do."""
        return next(iter(self.layers.values()))

    @property
    def label(self) -> str:
        """A name for a list: the layer's, and the search."""
        s = self.settings
        return f"{self.on.name} ({s.method}, window {s.window}, margin {s.margin})"

    def holds(self, layer: Layer | None) -> bool:
        """Whether a layer is one of these."""
        return any(layer is mine for mine in self.layers.values())

    def check(self) -> None:
        """Raise a ValueError that names a layer whose data no longer have the shape of the search."""
        step = self.settings.step
        height, width = self.about["image_shape"]
        whole = -(-height // step), -(-width // step)
        wanted = tuple(self.on.data.shape) if self.about.get("origin") else whole
        for layer in self.layers.values():
            if tuple(layer.data.shape) != wanted:
                there, was = (" x ".join(map(str, shape)) for shape in (layer.data.shape, wanted))
                raise ValueError(
                    f"{layer.name!r} has changed since its search: it has {there} pixels, and had {was}."
                )

    def same(self, other: Result) -> bool:
        """Whether both are of one search."""
        return _key(self.on, self.about) == _key(other.on, other.about)

    def place(self) -> dict[str, Any]:
        """Return where the pixels of the sample lie that was searched, as napari's transform arguments."""
        step, (row, column) = self.settings.step, self.origin
        lies = of_part(placement(self.on), -row / step, -column / step)
        return lies | {"scale": np.asarray(lies["scale"]) / step}

    def nearest(self, row: float, column: float) -> tuple[int, int]:
        """Return the pixel of the sample nearest to a place (row, column) that the search has looked at."""
        step, (top, left) = self.settings.step, self.origin
        height, width = self.on.data.shape[-2:]
        i = min(max(round((row - top) / step), 0), height - 1)
        j = min(max(round((column - left) / step), 0), width - 1)
        return top + i * step, left + j * step

    def pixel_at(self, position: Sequence[float], viewer: Viewer) -> tuple[int, int] | None:
        """Return the searched pixel of the sample that lies at a world place of the viewer, if one does."""
        world = in_units_of(self.on, position, viewer)
        ahead = np.linalg.solve(plane_matrix(self.on), np.array([*world[-2:], 1.0]))
        i, j = round(float(ahead[0])), round(float(ahead[1]))
        height, width = self.on.data.shape[-2:]
        if not (0 <= i < height and 0 <= j < width):
            return None
        step, (top, left) = self.settings.step, self.origin
        return top + i * step, left + j * step

    def value(self, quantity: str, row: int, column: int) -> float:
        """Return what a layer says of a pixel of the sample; NaN where it says nothing."""
        layer = self.layers.get(quantity)
        if layer is None:
            return np.nan
        step, (top, left) = self.settings.step, self.origin
        i, j = (row - top) // step, (column - left) // step
        height, width = layer.data.shape
        return float(layer.data[i, j]) if 0 <= i < height and 0 <= j < width else np.nan


def results(viewer: Viewer) -> list[Result]:
    """Return the searches whose layers are in the viewer, in the order of their first layers."""
    found: dict[str, Result] = {}
    for layer in viewer.layers:
        said = about(layer)
        if not isinstance(layer, Image | Labels) or not _is_field(said) or layer.ndim != 2:
            continue
        key = _key(layer, said)
        found.setdefault(key, Result(said, {})).layers[said["quantity"]] = layer
    return list(found.values())


def current(viewer: Viewer, chosen: Result | None) -> Result | None:
    """Return the search that was chosen, if it is there; else the active layer's, else the last."""
    offered = results(viewer)
    if chosen is not None:
        return next((one for one in offered if one.same(chosen)), None)
    active = viewer.layers.selection.active
    return next((one for one in offered if one.holds(active)), offered[-1] if offered else None)


def images_of(viewer: Viewer, result: Result) -> tuple[Pixels, Pixels]:
    """Return the reference and the sample that a search was made of; a ValueError says why they are unknown."""
    reference, sample = (_pixels(viewer, result.about, side) for side in ("reference", "sample"))
    return reference, sample


def weights_of(viewer: Viewer, result: Result) -> tuple[Any, Any]:
    """Return the weights of reference and sample that a mask made, if there was one."""
    mask = result.about.get("mask")
    if not mask:
        return None, None
    marked = _marked(viewer, mask, result.about["image_shape"])
    found = Mask(lambda: marked, mask["meaning"], mask["of"], mask["layer"], mask).weights()
    return found.get("reference_weights"), found.get("sample_weights")


def _marked(viewer: Viewer, mask: dict[str, Any], shape: tuple[int, int]) -> NDArray[np.bool_]:
    if mask["kind"] == "shapes":
        polygons = [np.asarray(one) for one in mask["polygons"]]
        return polygons_mask(polygons, mask["shape_type"], tuple(shape))
    layer = named(viewer, mask["layer"])
    if not isinstance(layer, Labels):
        raise ValueError(f"The mask {mask['layer']!r} of this search is no longer in the viewer.")
    data = np.asarray(layer.data[0] if layer.multiscale else layer.data)
    marked: NDArray[np.bool_] = np.not_equal(data, 0)
    return marked


def named(viewer: Viewer, name: str) -> Layer | None:
    """Return the layer of that name, if it is there."""
    return next((layer for layer in viewer.layers if layer.name == name), None)


def _is_field(said: dict[str, Any]) -> bool:
    wanted = {"quantity", "settings", "image_shape", "frames"}
    return "projections" not in said and wanted <= said.keys()


def _key(layer: Layer, said: dict[str, Any]) -> str:
    if layer.metadata.get(PREVIEW):
        return f"preview {id(layer)}"
    return repr([said.get(name) for name in _SAME])


def _pixels(viewer: Viewer, said: dict[str, Any], side: str) -> Pixels:
    given = said.get("input")
    if not given:
        raise ValueError(
            "This field does not say which layers it was made of; run the search in the viewer."
        )
    name = given[side]
    layer = named(viewer, name)
    if layer is None or not is_picture(layer):
        raise ValueError(f"The {side} of this search, the image {name!r}, is not in the viewer.")
    index = tuple(given.get(f"{side}_index") or ())
    shape = data_shape(layer)
    frames, (height, width) = said["frames"], said["image_shape"]
    wanted = (frames, height, width)
    inside = len(index) < len(shape) and all(0 <= i < n for i, n in zip(index, shape, strict=False))
    found = shape[len(index) :]
    if not inside or (1,) * (3 - len(found)) + found != wanted:
        raise ValueError(
            f"{name!r} has changed since this search: its shape is {shape}, and {frames} frame(s) of "
            f"{height} x {width} px were searched."
        )
    return Pixels(name, full_data(layer), index, bool(layer.rgb), found, "")
