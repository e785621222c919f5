"""The form of the dock "Inspect a field": what is shown where, with names and tips; what happens is its own."""

from __future__ import annotations

from collections.abc import Callable

from napari.viewer import Viewer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QLabel, QPushButton, QSlider, QTabWidget, QWidget

from shiftfield._napari.form.arranged import lay_out, row_of, text_lines
from shiftfield._napari.inspection.plots import HistogramPlot, ProfilePlot
from shiftfield._napari.layers.result_picker import ResultPicker
from shiftfield.field.quality_look import QUALITY_NAME


class InspectForm:
    """The widgets of the dock, top to bottom in `rows`: field, quantity, three tabs, a line of text."""

    def __init__(self, viewer: Viewer, changed: Callable[[], None]) -> None:
        self.picker = ResultPicker(viewer, changed)
        self.quantity = QComboBox()
        self.quantity.setToolTip("The quantity that histogram and profile show.")
        self.quantity.setAccessibleName("Quantity")
        self.histogram, self.profile = HistogramPlot(viewer), ProfilePlot(viewer)
        self.numbers = text_lines("Numbers", 6)
        self.numbers.setTextFormat(Qt.TextFormat.RichText)
        self.numbers.setToolTip(
            f"Squares have the colours of the layer {QUALITY_NAME!r}: of several reasons at a pixel it shows one."
        )
        self.save_histogram = _button("&Save as CSV", "Save the bins and their counts as a table.")
        self.draw = _button("&Draw a line", "Draw a line on the field; the profile follows it.")
        self.save_profile = _button("&Save as CSV", "Save the values along the line as a table.")
        self.compare = _button("&Compare", "Lay the sample onto the reference by the field.")
        self.blink = _button("Bl&ink", "Change between reference and warped sample, by a clock.")
        self.blink.setCheckable(True)
        self.mix = QSlider(Qt.Orientation.Horizontal)
        self.mix.setRange(0, 100)
        self.mix.setValue(50)
        self.mix.setToolTip("Left is the reference, right the sample laid onto it by the field.")
        self.mix.setAccessibleName("From the reference to the sample laid onto it")
        self.line = text_lines("Status", 3)
        self.tabs = QTabWidget()
        pages: list[tuple[str, list[QWidget]]] = [
            ("Histogram", [self.histogram, self.numbers, row_of(self.save_histogram)]),
            ("Profile", [self.profile, row_of(self.draw, self.save_profile)]),
            (
                "Compare",
                [
                    row_of(self.compare, self.blink),
                    row_of(QLabel("Reference"), self.mix, QLabel("Sample")),
                ],
            ),
        ]
        for name, rows in pages:
            page = QWidget()
            lay_out(page, rows)
            self.tabs.addTab(page, name)
        self.tabs.setAccessibleName("Histogram, profile, comparison")
        self.rows: list[QWidget] = [
            row_of(QLabel("Field"), self.picker), row_of(QLabel("Quantity"), self.quantity),
            self.tabs, self.line,
        ]  # fmt: skip
        self.enable_comparison(False)

    def enable_comparison(self, on: bool) -> None:
        """Let slider and Blink be used."""
        for widget in (self.mix, self.blink):
            widget.setEnabled(on)
        self.compare.setText("&Stop comparing" if on else "&Compare")


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
