"""The form of the dock "Probe a pixel": what is shown where, with names and tips; what happens is `dock`'s."""

from __future__ import annotations

from collections.abc import Callable

from napari.viewer import Viewer
from qtpy.QtWidgets import QCheckBox, QLabel, QPushButton, QSpinBox, QWidget

from shiftfield._napari.form.arranged import row_of, text_lines
from shiftfield._napari.layers.result_picker import ResultPicker
from shiftfield._napari.probe.plots import ProbePlots


class ProbeForm:
    """The widgets of the dock, top to bottom in `rows`."""

    def __init__(self, viewer: Viewer, changed: Callable[[], None]) -> None:
        self.picker = ResultPicker(viewer, changed)
        self.frame = QSpinBox()
        self.frame.setToolTip("The frame whose window and search area are shown; all are compared.")
        self.frame.setAccessibleName("Frame")
        self.mouse = QCheckBox("&Click and drag probe")
        self.mouse.setToolTip(
            "While on, a press on the field probes instead of moving the picture."
        )
        self.mouse.setChecked(True)
        self.copy_button = QPushButton("Copy n&umbers")
        self.copy_button.setToolTip("Put the numbers on the clipboard, a line each.")
        self.copy_button.setEnabled(False)
        self.plots = ProbePlots(viewer)
        self.numbers = text_lines("Numbers", 2)
        self.sentence = text_lines("Why it is believed or not", 4)
        self._frames = row_of(QLabel("Frame"), self.frame)
        self.show_frames(1)
        self.rows: list[QWidget] = [
            row_of(QLabel("Field"), self.picker), self._frames, self.plots, self.numbers,
            self.sentence, row_of(self.mouse, self.copy_button),
        ]  # fmt: skip

    def show_frames(self, count: int) -> None:
        """Offer the frames, where there are several."""
        self.frame.setMaximum(count - 1)
        self._frames.setVisible(count > 1)
