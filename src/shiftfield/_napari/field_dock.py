"""What the docks for dense fields share: the fields for drawing, the search, the layers, the words.

The search is `shiftfield.find_shift_field`; the layers are `ShiftField.to_layers`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from threading import Event
from typing import Any

import numpy as np
from magicgui.widgets import CheckBox
from magicgui.widgets.bases import Widget
from napari.viewer import Viewer

from shiftfield import ShiftField
from shiftfield._napari.dock import Task
from shiftfield._napari.drawing import MOST_VECTORS, bottom_up, drawable
from shiftfield._napari.forms import fields
from shiftfield._napari.inputs import Pixels, said
from shiftfield._napari.pair import PairDock, input_metadata
from shiftfield.field.layers import LayerTuple
from shiftfield.settings import DisplaySettings, Settings

VECTOR_TEXT = "Vectors show the motion from reference to sample."
SIGN_TEXT = (
    "Shifts are the place of the match in the reference minus the place in the sample, px. "
    f"{VECTOR_TEXT}"
)


class FieldDock(PairDock):
    """A dock whose answer is a `ShiftField`."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.peak.changed.connect(self._enable)
        self._enable()

    def _search_form(self) -> Sequence[Widget]:
        score = CheckBox(
            name="score",
            text="Score layer",
            tooltip="Show how well the best match fits too; 1 is perfect.",
        )
        return [*self._method_form(), *fields(DisplaySettings, "spacing", "length"), score]

    @abstractmethod
    def _method_form(self) -> Sequence[Widget]:
        """Return the fields of the search."""

    @abstractmethod
    def _settings(self) -> Settings:
        """Return what the form says about the search."""

    def _enable(self, *_: Any) -> None:
        self.peak_size.enabled = self.peak.value == "poly_fit"

    def _prepare(self) -> Task:
        settings = self._settings()
        reference, sample = self._pixels()
        drawing = {
            "spacing": drawable(self.spacing.value, sample.shape[-2:]),
            "length": self.length.value,
            "score": self.score.value,
            "placement": self._place(self._sample.value, sample),
        }
        sentences = [VECTOR_TEXT, *said(reference, sample)]
        if drawing["spacing"] > self.spacing.value:
            sentences.append(
                f"They are {drawing['spacing']} px apart: more than {MOST_VECTORS:,} of them "
                "would stall the viewer."
            )

        def show(answer: tuple[list[LayerTuple], str]) -> str:
            self._add(answer[0])
            return answer[1]

        return Task(_search(reference, sample, settings, drawing), show, tuple(sentences))


def _search(
    reference: Pixels, sample: Pixels, settings: Settings, drawing: dict[str, Any]
) -> Callable[..., tuple[list[LayerTuple], str]]:
    def compute(
        progress: Callable[[int, int], None], cancel: Event
    ) -> tuple[list[LayerTuple], str]:
        from shiftfield import find_shift_field

        field = find_shift_field(
            reference.read(),
            sample.read(),
            **settings.as_dict(),
            progress=progress,
            cancel=cancel,
        )
        layers = bottom_up(field.to_layers(**drawing))
        text = _answer(field)
        if field.valid.any() and len(layers[-1][0]) == 0:
            text += f" No vector is drawn: a spacing of {drawing['spacing']} px is too large here."
        for _, arguments, _ in layers:
            arguments["metadata"]["shiftfield"]["input"] = input_metadata(reference, sample)
        return layers, text

    return compute


def _answer(field: ShiftField) -> str:
    known = field.valid
    text = f"Done in {field.seconds:.1f} s: {100 * known.mean():.1f} % of {known.size:,} pixels"
    if known.any():
        x, y = np.median(field.x[known]), np.median(field.y[known])
        # adding 0.0 turns -0.0 into 0.0
        text += f", median x {round(x, 2) + 0.0:+.2f}, y {round(y, 2) + 0.0:+.2f} px"
    return f"{text}."
