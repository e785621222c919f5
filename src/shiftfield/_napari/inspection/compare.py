"""Reference and sample, warped back by the field, on top of each other, one of them more or less there.

Where the field is right nothing moves from one to the other. The warping is `shiftfield.warp`.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import numpy as np
from napari.layers import Image
from napari.viewer import Viewer
from numpy.typing import NDArray

from shiftfield import Cancelled, ShiftField
from shiftfield._napari.layers.inputs import PREVIEW, current_index, data_shape
from shiftfield._napari.layers.placement import placement
from shiftfield._napari.layers.results import Result, images_of, named

NAMES = ("reference, to compare", "sample, laid onto the reference")
Pair = tuple[NDArray[Any], NDArray[Any]]


def warped(viewer: Viewer, result: Result) -> Callable[[Event], Pair]:
    """Return what makes the reference and the warped sample, of the frame shown; a ValueError says why not.

    What is returned is for a worker's thread.
    """
    if "x" not in result.layers or "y" not in result.layers:
        raise ValueError("Both shift layers of the field are needed to warp the sample.")
    result.check()
    inputs = images_of(viewer, result)
    x, y = (np.asarray(result.layers[name].data, np.float32) for name in ("x", "y"))
    quality = result.layers.get("quality")
    valid = np.isfinite(x) & np.isfinite(y)
    if quality is not None:
        valid &= np.asarray(quality.data) == 0
    field = ShiftField(
        x=x, y=y, valid=valid, score=np.full_like(x, np.nan), settings=result.settings,
        image_shape=tuple(result.about["image_shape"]), frames=result.about["frames"],
    )  # fmt: skip
    frame = _frame(viewer, inputs[1].name, len(inputs[1].shape))

    def compute(cancel: Event) -> Pair:
        from shiftfield import warp

        images = []
        for used in inputs:
            pixels = used.read()
            images.append(np.asarray(pixels if pixels.ndim == 2 else pixels[frame]))
            if cancel.is_set():
                raise Cancelled
        back = warp(images[1], field, order=1)
        # dark where no shift is valid: transparent, the reference would shine through as a perfect match
        lowest = np.nanmin(back) if np.isfinite(back).any() else 0
        return images[0], np.where(np.isfinite(back), back, lowest)

    return compute


def _frame(viewer: Viewer, name: str, ndim: int) -> int:
    """Return the frame of a layer that the viewer shows."""
    layer = named(viewer, name)
    if layer is None or ndim == 2:
        return 0
    return current_index(viewer, layer, len(data_shape(layer)) - 2)[-1]


class Compared:
    """The two layers, and how much of the sample is seen."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._layers: tuple[Image, ...] = ()
        self._mixed = 0.5

    @property
    def shown(self) -> bool:
        """Whether both layers are in the viewer."""
        return bool(self._layers) and all(x in self._viewer.layers for x in self._layers)

    def show(self, pair: Pair, result: Result) -> None:
        """Add both layers on top, where the reference lies and as it looks."""
        self.remove()
        about = result.about["input"]
        reference, sample = (named(self._viewer, about[side]) for side in ("reference", "sample"))
        if not isinstance(reference, Image) or not isinstance(sample, Image):
            raise ValueError("An image of this search was taken away.")
        place = placement(reference, tuple(about.get("reference_index") or ()))
        active = self._viewer.layers.selection.active
        made = []
        for data, name, like in zip(pair, NAMES, (reference, sample), strict=True):
            look = {"colormap": "gray", "interpolation2d": "nearest"}
            if not like.rgb:
                look |= {"colormap": like.colormap, "contrast_limits": like.contrast_limits}
            made.append(Image(data, name=name, metadata={PREVIEW: True}, **look, **place))
        for layer in made:
            self._viewer.add_layer(layer)
        self._viewer.layers.selection.active = active
        self._layers = tuple(made)
        self.mix(self._mixed)

    def mix(self, part: float) -> None:
        """Show the sample with a part of 1, 0 to 1; the rest is the reference."""
        self._mixed = part
        if self.shown:
            self._layers[1].opacity = part

    def remove(self) -> None:
        """Take both layers away."""
        for layer in self._layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._layers = ()
