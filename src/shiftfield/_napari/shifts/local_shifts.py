"""The dock "Local shifts": a dense shift field of two images or frame stacks by correlation.

Only its form and its method are here; the run is in `field_dock`.
"""

from __future__ import annotations

from typing import Any

from shiftfield._napari.layers.inputs import compared_shape
from shiftfield._napari.shifts.field_dock import SIGN_TEXT, FieldDock


class LocalShifts(FieldDock):
    """Local shifts: x shift, y shift, score and motion vectors."""

    title = "Local shifts"
    run_tip = f"Find the shift of every pixel of the sample. {SIGN_TEXT}"
    method_fields = ("window", "margin", "step", "search", "peak", "peak_size")
    quantities = ("x", "y", "score")

    def _enable(self, *_: Any) -> None:
        self.search.enabled = self._has_frames()
        super()._enable()

    def _searches_both_axes(self) -> bool:
        return not self.search.enabled or self.search.value == "2d"

    def _has_frames(self) -> bool:
        """Whether the two are stacks; a single pair has no 1-D search."""
        reference = self._reference.value
        return reference is not None and len(compared_shape(reference, self._first_axis)) == 3

    def _refresh_line(self, *_: Any) -> None:
        super()._refresh_line()
        self._enable()

    def _method(self) -> str:
        return "pearson"
