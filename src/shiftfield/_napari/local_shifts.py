"""The dock "Local shifts": a dense shift field of two images or frame stacks by correlation.

Only its form and its settings are here; the run is in `field_dock`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from magicgui.widgets.bases import Widget

from shiftfield._napari.field_dock import SIGN_TEXT, FieldDock
from shiftfield._napari.forms import fields
from shiftfield._napari.inputs import compared_shape
from shiftfield.settings import Settings


class LocalShifts(FieldDock):
    """Local shifts: x shift, y shift, score and motion vectors."""

    run_tip = f"Find the shift of every pixel of the sample. {SIGN_TEXT}"

    def _method_form(self) -> Sequence[Widget]:
        return fields(Settings, "window", "margin", "step", "search", "peak", "peak_size")

    def _enable(self, *_: Any) -> None:
        super()._enable()
        self.search.enabled = self._has_frames()

    def _has_frames(self) -> bool:
        """Whether the two are stacks; a single pair has no 1-D search."""
        reference = self._reference.value
        return reference is not None and len(compared_shape(reference, self._first_axis)) == 3

    def _refresh_line(self, *_: Any) -> None:
        super()._refresh_line()
        self._enable()

    def _settings(self) -> Settings:
        return Settings(
            window=self.window.value,
            margin=self.margin.value,
            step=self.step.value,
            search=self.search.value if self._has_frames() else "2d",
            peak=self.peak.value,
            peak_size=self.peak_size.value,
        )
