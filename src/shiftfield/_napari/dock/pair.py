"""The fields in which a person chooses a reference and a sample that fit each other.

It decides what is offered and says what will be used; the search itself is chosen by the docks.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from magicgui.widgets import ComboBox
from magicgui.widgets.bases import Widget
from napari.layers import Image, Layer
from napari.viewer import Viewer

from shiftfield._napari.dock.dock import Dock
from shiftfield._napari.form.pickers import LayerPicker, narrow
from shiftfield._napari.layers.inputs import (
    FIRST_AXIS,
    FRAMES,
    GREY_TEXT,
    SLICES,
    Pixels,
    compared_shape,
    input_of,
    is_picture,
    is_result,
    looks_like_series,
    pixels,
    said,
)
from shiftfield._napari.layers.opening import add_layer_buttons
from shiftfield._napari.layers.placement import placement


class PairDock(Dock):
    """A dock that compares a reference with a sample.

    Attributes
    ----------
    needs_frames : bool
        Whether only frame stacks fit; then there is no choice of what the first axis is.
    """

    needs_frames: ClassVar[bool] = False

    def __init__(self, napari_viewer: Viewer) -> None:
        self._axis_chosen = False
        super().__init__(napari_viewer)
        add_layer_buttons(self._viewer, self._reference, self._sample)
        self._reference.changed.connect(self._reference_changed)
        self._axis.changed.connect(self._axis_changed)
        self._sample.changed.connect(self._refresh_line)
        self._reference_changed()

    def _form(self) -> Sequence[Widget]:
        self._axis = ComboBox(
            name="first_axis",
            label="First axis is",
            choices=[(text, value) for value, text in FIRST_AXIS.items()],
            tooltip="What the axis before the last two means: frames that are all compared together "
            "(diffuser positions), or slices such as time, of which the current one is used.",
            visible=False,
        )
        narrow(self._axis)
        kind = "frame stack" if self.needs_frames else "image or frame stack"
        self._reference = LayerPicker(
            self._references,
            last=is_result,
            name="reference",
            label="Reference",
            tooltip=f"The {kind} in which the sample is searched. {GREY_TEXT}",
        )
        self._sample = LayerPicker(
            self._samples,
            last=is_result,
            name="sample",
            label="Sample",
            tooltip=f"The {kind} whose shifts are wanted; its shape must be the reference's.",
        )
        return [self._reference, self._sample, self._axis, *self._search_form()]

    @abstractmethod
    def _search_form(self) -> Sequence[Widget]:
        """Return the fields below the two pickers."""

    @property
    def _first_axis(self) -> str:
        return FRAMES if self.needs_frames else str(self._axis.value)

    def _references(self) -> list[Layer]:
        least = 3 if self.needs_frames else 2
        return [x for x in self._viewer.layers if is_picture(x) and x.ndim >= least]

    def _samples(self) -> list[Layer]:
        reference = self._reference.value
        if reference is None:
            return []
        shape = compared_shape(reference, self._first_axis)
        return [
            layer
            for layer in self._references()
            if layer is not reference and compared_shape(layer, self._first_axis) == shape
        ]

    def _reference_changed(self, *_: Any) -> None:
        reference = self._reference.value
        if reference is not None and not self._axis_chosen and not self.needs_frames:
            with self._axis.changed.blocked():
                self._axis.value = SLICES if looks_like_series(reference) else FRAMES
        self._sample.reset_choices()
        self._refresh_line()

    def _axis_changed(self, *_: Any) -> None:
        self._axis_chosen = True
        self._sample.reset_choices()
        self._refresh_line()

    def reset_choices(self, *_: Any) -> None:
        """Offer the layers that fit now; show the question about the first axis if it matters."""
        if self._gone:
            return
        super().reset_choices()
        self._show_axis()

    def _show_axis(self) -> None:
        self._axis.visible = self._axis_matters()

    def _axis_matters(self) -> bool:
        return not self.needs_frames and any(x.ndim > 2 for x in self._references())

    def _chosen(self) -> tuple[Image, Image]:
        """Return the reference and the sample; a ValueError says which is missing."""
        reference, sample = self._reference.value, self._sample.value
        kind = "frame stack (three axes or more)" if self.needs_frames else "image"
        if reference is None:
            raise ValueError(f"There is no reference: the viewer has no {kind} to choose.")
        if sample is None:
            shape = " x ".join(map(str, compared_shape(reference, self._first_axis)))
            raise ValueError(
                f"There is no sample: no other layer has the shape {shape} of {reference.name!r}."
            )
        return reference, sample

    def _pixels(self) -> tuple[Pixels, Pixels]:
        reference, sample = self._chosen()
        axis = self._first_axis
        return pixels(self._viewer, reference, axis), pixels(self._viewer, sample, axis)

    def _place(self, sample: Image, used: Pixels) -> dict[str, Any]:
        """Return where results for `sample` lie."""
        return placement(sample, used.index)

    def _describe(self) -> str:
        try:
            reference, sample = self._pixels()
        except ValueError as error:
            return str(error)
        return " ".join((f"{size_text(sample.shape)}.", *said(reference, sample)))


def size_text(shape: tuple[int, ...]) -> str:
    """Return "5 frames of 512 x 512 px" for (5, 512, 512)."""
    plane = f"{shape[-2]} x {shape[-1]} px"
    return f"{shape[0]} frames of {plane}" if len(shape) == 3 else plane


def input_metadata(reference: Pixels, sample: Pixels) -> dict[str, Any]:
    """Return what the metadata of a result says about its input."""
    return input_of("reference", reference) | input_of("sample", sample)
