"""The dock "UMPA shifts": shift, transmission and dark field of two frame stacks.

Only its form and its settings are here; the run is in `field_dock`.
"""

from __future__ import annotations

from collections.abc import Sequence

from magicgui.widgets import CheckBox
from magicgui.widgets.bases import Widget

from shiftfield._napari.field_dock import SIGN_TEXT, FieldDock
from shiftfield._napari.forms import fields
from shiftfield.settings import Settings


class UmpaShifts(FieldDock):
    """UMPA: x shift, y shift, transmission, dark field and motion vectors."""

    run_tip = f"Find shift, transmission and dark field of every pixel of the sample. {SIGN_TEXT}"
    needs_frames = True

    def _method_form(self) -> Sequence[Widget]:
        dark = CheckBox(
            name="dark",
            text="Dark field",
            value=True,
            tooltip="Fit the loss of speckle contrast too; 1 is no scattering.",
        )
        return [*fields(Settings, "window", "margin", "weight", "step", "peak", "peak_size"), dark]

    def _settings(self) -> Settings:
        return Settings(
            method="umpa_dark" if self.dark.value else "umpa",
            window=self.window.value,
            margin=self.margin.value,
            weight=self.weight.value,
            step=self.step.value,
            peak=self.peak.value,
            peak_size=self.peak_size.value,
        )
