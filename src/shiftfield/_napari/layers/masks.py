"""A mask from a layer: the pixels of a Labels layer, or the insides of the shapes of a Shapes layer.

What a mask does to a search is the library's business; here a layer becomes weights of the sample's pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from magicgui.widgets import ComboBox
from magicgui.widgets.bases import Widget
from napari.layers import Image, Labels, Layer, Shapes
from numpy.typing import NDArray

from shiftfield._napari.form.pickers import LayerPicker, narrow
from shiftfield._napari.layers.drawn import vertices_in_px
from shiftfield._napari.layers.inputs import Pixels

NO_MASK = "no mask"
LEFT_OUT, TAKEN = "take no part", "alone take part"
BOTH, REFERENCE, SAMPLE = "both images", "the reference", "the sample"


@dataclass(frozen=True)
class Mask:
    """Which pixels are marked, what that means, and of which image; (H, W) or (K, H, W) px of the sample."""

    marked: Callable[[], NDArray[np.bool_]]
    meaning: str
    of: str
    name: str
    about: dict[str, Any]

    def weights(self) -> dict[str, Any]:
        """Return the arguments of `find_shift_field`: True for the pixels that take part."""
        marked = self.marked()
        part = marked if self.meaning == TAKEN else ~marked
        both = {"reference_weights": part, "sample_weights": part}
        if self.of == REFERENCE:
            del both["sample_weights"]
        if self.of == SAMPLE:
            del both["reference_weights"]
        return both


def mask_fields(candidates: Callable[[], Sequence[Layer]]) -> list[Widget]:
    """Return the fields in which a mask is chosen: the layer, what its pixels mean, whose they are."""
    return [
        LayerPicker(
            candidates,
            first=NO_MASK,
            name="mask",
            label="Mask",
            tooltip="A Labels layer whose labelled pixels, or a Shapes layer whose insides, are marked: "
            "dead pixels, a beam stop, the background. It must lie on the sample.",
        ),
        narrow(
            ComboBox(
                name="mask_means",
                label="Marked pixels",
                choices=[LEFT_OUT, TAKEN],
                tooltip="Whether marked pixels are left out of every window, or are the only ones used.",
            )
        ),
        narrow(
            ComboBox(
                name="mask_of",
                label="Mask is of",
                choices=[BOTH, REFERENCE, SAMPLE],
                tooltip="A detector's dead pixels are the same in both images; a mask of an object that "
                "moves belongs to one.",
            )
        ),
    ]


def mask_layers(layers: Sequence[Layer]) -> list[Layer]:
    """Return the layers that can be a mask; not the quality of a field, which is an answer."""
    return [
        layer
        for layer in layers
        if isinstance(layer, Shapes | Labels)
        and layer.ndim >= 2
        and "shiftfield" not in layer.metadata
    ]


def mask_of(chosen: Any, meaning: str, of: str, layer: Image, sample: Pixels) -> Mask | None:
    """Return the mask that the fields say, read in full before the run; None for none.

    Raises
    ------
    ValueError
        When the layer has another shape than the sample, or marks nothing.
    """
    if not isinstance(chosen, Labels | Shapes):
        return None
    make = _of_labels if isinstance(chosen, Labels) else _of_shapes
    marked, about = make(chosen, layer, sample)
    if not np.any(marked):
        raise ValueError(
            f"The mask {chosen.name!r} marks no pixel of {sample.name!r}; draw in it, or choose no mask."
        )
    about |= {"layer": chosen.name, "meaning": meaning, "of": of}
    return Mask(lambda: marked, meaning, of, chosen.name, about)


def _of_labels(
    labels: Labels, _: Image, sample: Pixels
) -> tuple[NDArray[np.bool_], dict[str, Any]]:
    data = labels.data[0] if labels.multiscale else labels.data
    sizes = {sample.shape, sample.shape[-2:]}
    if tuple(data.shape) not in sizes:
        allowed = " or ".join(" x ".join(map(str, size)) for size in sorted(sizes, key=len))
        given = " x ".join(map(str, data.shape))
        raise ValueError(
            f"The mask {labels.name!r} has {given} px; it must have {allowed}, as {sample.name!r}."
        )
    return np.array(data) != 0, {"kind": "labels", "multiscale": bool(labels.multiscale)}


def _of_shapes(
    shapes: Shapes, layer: Image, sample: Pixels
) -> tuple[NDArray[np.bool_], dict[str, Any]]:
    """Return the insides of shapes, which may lie, be scaled and turned in another way than the sample."""
    if len(shapes.data) == 0:
        raise ValueError(f"The mask {shapes.name!r} holds no shape; draw one, or choose no mask.")
    polygons = [vertices_in_px(shapes, vertices, layer, sample.index) for vertices in shapes.data]
    kinds = [str(kind) for kind in shapes.shape_type]
    return polygons_mask(polygons, kinds, sample.shape[-2:]), {
        "kind": "shapes",
        "polygons": [polygon.tolist() for polygon in polygons],
        "shape_type": kinds,
    }


def polygons_mask(
    polygons: Sequence[NDArray[np.float64]], kinds: Sequence[str], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Return the (H, W) pixels inside any of some shapes, whose vertices are (row, column) px."""
    drawn = Shapes(list(polygons), shape_type=list(kinds))
    inside: NDArray[np.bool_] = np.any(drawn.to_masks(shape), axis=0)
    return inside
