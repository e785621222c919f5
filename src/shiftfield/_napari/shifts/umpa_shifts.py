"""The dock "UMPA shifts": shift, transmission and dark field of two frame stacks.

Only its form and its method are here; the run is in `field_dock`.
"""

from __future__ import annotations

from collections.abc import Sequence

from magicgui.widgets import CheckBox
from magicgui.widgets.bases import Widget

from shiftfield._napari.shifts.field_dock import SIGN_TEXT, FieldDock


class UmpaShifts(FieldDock):
    """UMPA: x shift, y shift, transmission, dark field and motion vectors."""

    title = "UMPA shifts"
    run_tip = f"Find shift, transmission and dark field of every pixel of the sample. {SIGN_TEXT}"
    needs_frames = True
    method_fields = ("window", "margin", "weight", "step", "peak", "peak_size")
    quantities = ("x", "y", "transmission", "dark_field", "score")

    def _method_form(self) -> Sequence[Widget]:
        dark = CheckBox(
            name="dark",
            text="Dark field",
            value=True,
            tooltip="Fit the loss of speckle contrast too; 1 is no scattering.",
        )
        return [*super()._method_form(), dark]

    def _method(self) -> str:
        return "umpa_dark" if self.dark.value else "umpa"
