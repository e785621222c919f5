"""What a layer gives to a search: which pixels, of which slice, and what a person is told about it.

Pixels are only named here and read later, on the worker's thread; lazy arrays stay lazy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from napari.layers import Image, Layer
from napari.viewer import Viewer

from shiftfield._napari.layers.placement import world_matrix

FRAMES, SLICES = "frames", "slices"
PREVIEW = "shiftfield preview"  # in the metadata of a layer that goes when its dock goes
ADDRESS = "shiftfield address"  # in the metadata of a layer: what `open_images` opened for it
STACKED = "shiftfield files"  # in the metadata of a layer: the files that became its frames
FIRST_AXIS = {
    FRAMES: "frames (all)",
    SLICES: "slices (current)",
}
GREY_WEIGHTS = (0.2125, 0.7154, 0.0721)
GREY_TEXT = "RGB is turned to grey: 0.2125 R + 0.7154 G + 0.0721 B."
_SERIES = ("t", "time", "z", "c", "channel", "slice", "plane", "depth", "load", "step")


@dataclass(frozen=True)
class Pixels:
    """The pixels of one layer that a search uses.

    Attributes
    ----------
    name : str
        Name of the layer.
    data : array
        The whole data of the layer (level 0 of a multiscale layer).
    index : tuple of int
        Index along the leading axes.
    grey : bool
        Whether colours have to be turned to grey.
    shape : tuple of int
        (K, H, W) or (H, W) of what `read` returns.
    place : str
        The current slice in words, such as "t = 3 (of 0 to 9)"; empty without leading axes.
    origin : dict
        Where the layer came from: its file and reader, or its sample; empty where it was made by a script.
    multiscale : bool
        Whether `data` is level 0 of several.
    """

    name: str
    data: Any
    index: tuple[int, ...]
    grey: bool
    shape: tuple[int, ...]
    place: str
    origin: dict[str, Any] = field(default_factory=dict)
    multiscale: bool = False

    def part(self, rows: slice, columns: slice) -> Pixels:
        """Return some rows and columns, px; they are not read."""
        size = rows.stop - rows.start, columns.stop - columns.start
        data = self.data[(*self.index, ..., rows, columns, *[slice(None)] * self.grey)]
        return replace(self, data=data, index=(), shape=(*self.shape[:-2], *size))

    def read(self) -> Any:
        """Return the pixels, still lazy when the layer is; grey is float32."""
        data = self.data[self.index] if self.index else self.data
        if not self.grey:
            return data
        red, green, blue = (np.float32(weight) for weight in GREY_WEIGHTS)
        return red * data[..., 0] + green * data[..., 1] + blue * data[..., 2]

    def array(self) -> np.ndarray[Any, Any]:
        """Return the pixels in memory."""
        return np.asarray(self.read())


def pixels(viewer: Viewer, layer: Image, first_axis: str) -> Pixels:
    """Return what a search uses of `layer`: its frames, or the slice that the viewer shows."""
    shape = data_shape(layer)
    before = len(shape) - (3 if first_axis == FRAMES and len(shape) > 2 else 2)
    index = current_index(viewer, layer, before)
    places = [
        f"{axis_name(layer, axis)} = {place} (of 0 to {shape[axis] - 1})"
        for axis, place in enumerate(index)
    ]
    return Pixels(
        name=layer.name,
        data=full_data(layer),
        index=index,
        grey=bool(layer.rgb),
        shape=shape[before:],
        place=", ".join(places),
        origin=origin(layer),
        multiscale=bool(layer.multiscale),
    )


def input_of(side: str, used: Pixels) -> dict[str, Any]:
    """Return what the metadata of a result says about one input, all that a script needs to cut it again."""
    return {
        side: used.name,
        f"{side}_index": list(used.index),
        f"{side}_multiscale": used.multiscale,
        f"{side}_origin": used.origin,
        f"{side}_grey": used.grey,
        f"{side}_shape": [int(n) for n in used.data.shape],
    }


def remember(layer: Layer, key: str, opened: Any) -> None:
    """Write into the metadata of a layer what was opened for it: `ADDRESS` or `STACKED`."""
    layer.metadata[key] = {"opened": opened, "of": _mark(layer)}


def _remembered(layer: Layer, key: str) -> Any:
    """Return what was opened for a layer; None for another's pixels: of a frame or a projection, or put in later.

    napari copies metadata to the layers that it makes of one.
    """
    told = layer.metadata.get(key)
    return told["opened"] if isinstance(told, dict) and told.get("of") == _mark(layer) else None


def _mark(layer: Layer) -> str:
    """Return what tells the array of a layer from others: its name in dask, else its shape."""
    data = full_data(layer)
    return str(getattr(data, "name", data.shape))


def origin(layer: Layer) -> dict[str, Any]:
    """Return where a layer came from, as plain values; "path" is a list where files were stacked."""
    source = layer.source
    if files := _remembered(layer, STACKED):
        return {"path": list(files), "plugin": source.reader_plugin}
    if address := _remembered(layer, ADDRESS):
        return {"address": str(address)}
    if source.sample is not None:
        return {"sample": list(source.sample)}
    if source.path is not None:
        return {"path": str(source.path), "plugin": source.reader_plugin}
    return {}


def said(*inputs: Pixels) -> tuple[str, ...]:
    """Return the sentences that tell a person what is used of the layers, nothing twice."""
    places = {used.place for used in inputs}
    if len(places) == 1 < len(inputs):
        sentences = [f"Current slice of both: {place}." for place in places if place]
    else:
        sentences = [f"Current slice of {x.name}: {x.place}." for x in inputs if x.place]
    if any(used.grey for used in inputs):
        sentences.append(GREY_TEXT)
    return tuple(sentences)


def is_picture(layer: Layer) -> bool:
    """Whether a layer is an image of real numbers with two axes or more, and no live preview."""
    if not isinstance(layer, Image) or layer.ndim < 2 or PREVIEW in layer.metadata:
        return False
    return np.dtype(layer.dtype).kind in "buif"


def is_result(layer: Layer) -> bool:
    """Whether a layer is what we have found, or what a search of sample data must find; seldom an input."""
    sample = layer.source.sample or ("", "")
    known = sample[0] == "shiftfield" and layer.name.startswith("known ")
    return known or "quantity" in about(layer)  # a moved sample has none


def about(layer: Layer) -> dict[str, Any]:
    """Return what a layer says of how it was made; empty where it is not ours."""
    found = layer.metadata.get("shiftfield")
    return found if isinstance(found, dict) else {}


def compared_shape(layer: Image, first_axis: str) -> tuple[int, ...]:
    """Return the (K, H, W) or (H, W) that a search would use of `layer`."""
    return data_shape(layer)[-3 if first_axis == FRAMES else -2 :]


def data_shape(layer: Image) -> tuple[int, ...]:
    """Return the shape of a layer's data without colours, level 0 of a multiscale layer."""
    shape = tuple(int(n) for n in full_data(layer).shape)
    return shape[:-1] if layer.rgb else shape


def full_data(layer: Image) -> Any:
    """Return the data of a layer, level 0 of a multiscale one."""
    return layer.data[0] if layer.multiscale else layer.data


def looks_like_series(layer: Image) -> bool:
    """Whether the axis before the last two is labelled as time, depth or the like."""
    return layer.ndim > 2 and layer.axis_labels[-3].strip().lower() in _SERIES


def axis_name(layer: Layer, axis: int) -> str:
    """Return an axis as a person knows it: its label, or "axis -3" for napari's own numbering."""
    label = str(layer.axis_labels[axis])
    return f"axis {label}" if label.lstrip("-").isdigit() else label


def current_index(viewer: Viewer, layer: Layer, count: int) -> tuple[int, ...]:
    """Return the index along the first `count` axes of `layer` that the viewer shows now."""
    if count == 0:
        return ()
    point = in_units_of(layer, viewer.dims.point, viewer)
    back = np.linalg.inv(world_matrix(layer))
    # like napari, which leaves out what rotation and shear mix into the leading axes
    place = back[:count, :count] @ point[:count] + back[:count, -1]
    shape = data_shape(layer) if isinstance(layer, Image) else layer.data.shape
    return tuple(int(np.clip(np.round(place[a]), 0, shape[a] - 1)) for a in range(count))


def in_units_of(layer: Layer, point: Sequence[float], viewer: Viewer) -> list[float]:
    """Return a world point of the viewer, last axes of `layer`, in that layer's own units."""
    own = [float(value) for value in point][-layer.ndim :]
    own = [0.0] * (layer.ndim - len(own)) + own
    units = viewer.layers.units
    if units is None or len(units) < layer.ndim:
        return own
    return [
        value * unit_ratio(unit, wanted)
        for value, unit, wanted in zip(own, units[-layer.ndim :], layer.units, strict=True)
    ]


def is_pixel(unit: Any) -> bool:
    """Whether a unit of pint is a pixel, whose side nobody knows; pint takes "px" for 1/96 of an inch."""
    return "pixel" in str(unit)


def symbol(unit: Any) -> str:
    """Return a unit of pint as it is written, such as "mm" or "µm"; pint's own micro changes with its version."""
    return f"{unit:~}".replace("\N{GREEK SMALL LETTER MU}", "\N{MICRO SIGN}")


def unit_ratio(unit: Any, wanted: Any) -> float:
    """Return how many `wanted` one `unit` is; 1 where they cannot be compared."""
    if unit == wanted or not unit.is_compatible_with(wanted):
        return 1.0
    return float((1 * unit).to(wanted).magnitude)
