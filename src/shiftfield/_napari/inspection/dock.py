"""The dock "Inspect a field": histogram, line profile, and the reference against the sample warped back.

Numbers are made in `numbers`, the comparison in `comparison`; layers of its own go when the dock goes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image
from napari.utils.notifications import show_error
from napari.viewer import Viewer
from qtpy.QtCore import QTimer
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QFileDialog

from shiftfield import Cancelled
from shiftfield._napari.form import errors
from shiftfield._napari.form.arranged import lay_out
from shiftfield._napari.form.panel import Panel
from shiftfield._napari.inspection.comparison import Comparison
from shiftfield._napari.inspection.form import InspectForm
from shiftfield._napari.inspection.numbers import Histogram, histogram_of, write_csv
from shiftfield._napari.inspection.profile_line import Profile, ProfileLine
from shiftfield._napari.layers.watched import Watched
from shiftfield.field.layers import IN_PX, NAMES
from shiftfield.field.quality_look import colour, named
from shiftfield.live.latest import Latest, Request
from shiftfield.quality import Quality

_POLL_MS = 20
_CSV = "Table (*.csv)"


class InspectField(Panel):
    """A field's values as a histogram and along a line, and what it makes of the sample.

    From a script: `show_quantity`, `draw_line`, `save_histogram`, `save_profile`, `start_comparing`.
    """

    title = "Inspect a field"

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.counted: Histogram | None = None
        self.profiled: Profile | None = None
        self._wanted = "x"  # the quantity, kept while layers come and go
        self._counts: Latest[Histogram] = Latest()
        self._line = ProfileLine(self.viewer, self._follow)
        self._watched = Watched(self._look_again)
        self.form = InspectForm(self.viewer, self._result_changed)
        lay_out(self, self.form.rows)
        self._comparison = Comparison(self.viewer, self.form, self, self._say, self._fail)
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._take)
        self._connect()
        self._result_changed()

    # -- for scripts ---------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether an answer is outstanding."""
        return self._counts.busy or self._comparison.busy

    @property
    def blinking(self) -> bool:
        """Whether the comparison blinks."""
        return self._comparison.blinking

    @property
    def layer(self) -> Image | None:
        """The layer of the chosen quantity."""
        result = self.form.picker.result
        layer = None if result is None else result.layers.get(str(self.form.quantity.currentData()))
        return layer if isinstance(layer, Image) and layer.ndim == 2 else None

    def show_quantity(self, name: str) -> None:
        """Look at another quantity of the field, such as "x" or "score"."""
        self._wanted = name
        self.form.quantity.setCurrentIndex(self.form.quantity.findData(name))

    def draw_line(self, *_: Any) -> None:
        """Let a line be drawn on the field."""
        if self.layer is None:
            self._fail(ValueError("There is no field in the viewer; run a search first."))
        else:
            self._line.draw(self.layer)
            self._say("Press on the field, drag, and release; the line can be moved and edited.")

    def save_histogram(self, path: Path) -> None:
        """Save the bins and the pixels in each as a table."""
        if self.counted is None:
            raise ValueError("There is no histogram to save; there is no field in the viewer.")
        edges = self.counted.edges
        name = self._name()
        names = f"{name} from", f"{name} to", "pixels"
        write_csv(path, names, (edges[:-1], edges[1:], self.counted.counts))
        self._say(f"Saved {path}.")

    def save_profile(self, path: Path) -> None:
        """Save lengths along the line and values as a table."""
        if self.profiled is None:
            raise ValueError("There is no profile to save; draw a line on the field first.")
        names = f"length ({self.profiled.unit})", self._name()
        write_csv(path, names, (self.profiled.lengths, self.profiled.values))
        self._say(f"Saved {path}.")

    def start_comparing(self) -> None:
        """Warp the sample back, and show it over the reference when that is done."""
        self._comparison.start(self.form.picker.result)
        self._timer.start()

    def stop_comparing(self) -> None:
        """Take the comparison away."""
        self._comparison.stop()

    # -- what happens ----------------------------------------------------------------------------

    def _name(self) -> str:
        """Return the quantity that is looked at, with its unit."""
        quantity = self.form.quantity
        unit = " (px)" if quantity.currentData() in IN_PX else ""
        return f"{quantity.currentText()}{unit}"

    def _connect(self) -> None:
        form = self.form
        form.quantity.currentIndexChanged.connect(self._quantity_changed)
        form.quantity.activated.connect(lambda *_: self.show_quantity(form.quantity.currentData()))
        form.draw.clicked.connect(self.draw_line)
        form.save_histogram.clicked.connect(lambda *_: self._save("histogram", self.save_histogram))
        form.save_profile.clicked.connect(lambda *_: self._save("profile", self.save_profile))
        form.compare.clicked.connect(self._press_compare)
        self.viewer.events.theme.connect(self._themed)
        self.viewer.layers.events.removed.connect(self._removed)

    def _result_changed(self) -> None:
        """Offer the quantities of the field that is looked at now."""
        result, box = self.form.picker.result, self.form.quantity
        box.blockSignals(True)
        box.clear()
        for name in [] if result is None else [n for n in NAMES if n in result.layers]:
            box.addItem(NAMES[name], name)
        box.setCurrentIndex(max(box.findData(self._wanted), 0))
        box.blockSignals(False)
        self._quantity_changed()

    def _quantity_changed(self, *_: Any) -> None:
        result = self.form.picker.result
        self._watched.these([] if result is None else result.layers.values())
        self._look_again()

    def _look_again(self) -> None:
        try:
            if self.form.picker.result is not None:
                self.form.picker.result.check()
        except ValueError as error:
            self._counts.stop()
            self._show_counted(None)
            self._fail(error)
        else:
            self._count()
        self._follow()

    def _removed(self, event: Any) -> None:
        if self.gone:
            return
        if event.value is self._line.layer or self._line.layer is None:
            self._follow()
        self._comparison.look()
        result = self.form.picker.result
        if result is not None and result.holds(event.value):
            self._result_changed()

    def _count(self) -> None:
        layer, result = self.layer, self.form.picker.result
        if layer is None or result is None:
            self._counts.stop()
            self._show_counted(None)
            self._say("There is no field in the viewer; run Local shifts or UMPA shifts first.")
            return
        values, shift = np.asarray(layer.data), result.layers.get("x", layer)
        known, quality = np.asarray(shift.data), result.layers.get("quality")
        bits = None if quality is None else np.asarray(quality.data)
        self._counts.ask(Request(lambda _: histogram_of(values, np.isfinite(known), bits)))
        self._timer.start()

    def _follow(self) -> None:
        """Draw the values along the line as it is now."""
        if self.gone:
            return
        layer = self.layer
        self.profiled = None if layer is None else self._line.profile(layer)
        nothing = np.array([])
        if self.profiled is None:
            self.form.profile.show_profile(nothing, nothing, "px", self._name())
        else:
            p = self.profiled
            self.form.profile.show_profile(p.lengths, p.values, p.unit, self._name())

    def _take(self) -> None:
        counted = self._counts.answer()
        if counted is not None and counted.error is not None:
            self._fail(counted.error)
        elif counted is not None:
            self._show_counted(counted.result)
        self._comparison.take()
        if not self.busy:
            self._timer.stop()

    def _show_counted(self, found: Histogram | None) -> None:
        self.counted = found
        self.form.histogram.show_histogram(found, self._name())
        self.form.numbers.setText("" if found is None else self._words(found))

    def _words(self, found: Histogram) -> str:
        unit = " px" if self.form.quantity.currentData() in IN_PX else ""
        lines = [
            f"median {found.median:.4g}{unit},  spread {found.spread:.3g}{unit}",
            f"valid {100 * found.valid:.1f} % of the pixels",
            ", ".join(_reason(bit, share) for bit, share in found.reasons.items()),
        ]
        if found.beside:
            lines.append(f"{found.beside:,} valid pixels lie outside the range shown")
        return "<br>".join(line for line in lines if line)

    def _press_compare(self, *_: Any) -> None:
        if self._comparison.shown:
            self.stop_comparing()
        else:
            self.start_comparing()

    def _save(self, name: str, save: Any) -> None:
        """Ask for a file and save there; what goes wrong is shown."""
        chosen, _ = QFileDialog.getSaveFileName(self, "Save as CSV", f"{name}.csv", _CSV)
        if not chosen:
            return
        path = Path(chosen)
        try:
            save(path if path.suffix else path.with_suffix(".csv"))
        except (OSError, ValueError) as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, Cancelled):
            return
        text = errors.words(error)
        show_error(text)
        self._say(text)

    def _say(self, text: str) -> None:
        self.form.line.setText(text)
        self.form.line.setToolTip(text)

    @property
    def said(self) -> str:
        """The text of the status line."""
        return str(self.form.line.text())

    def _themed(self, *_: Any) -> None:
        if not self.gone:
            self.form.histogram.paint()
            self.form.profile.paint()

    def clear_up(self) -> None:
        """Take the layers of the dock away, and stop the clock."""
        self._timer.stop()
        self.stop_comparing()
        self._line.remove()

    def leave(self) -> None:
        """Let go of the viewer and of all layers."""
        self._counts.stop()
        self._comparison.leave()
        self._watched.none()
        self._line.leave()
        self.form.picker.leave()
        self.viewer.events.theme.disconnect(self._themed)
        self.viewer.layers.events.removed.disconnect(self._removed)


def _reason(bit: Quality, share: float) -> str:
    """Return a reason as HTML: a square in its colour, its name, and the share of pixels it speaks against."""
    square = QColor.fromRgbF(*colour(bit)[:3]).name()
    words = f"{named(bit)} {100 * share:.1f} %".replace(" ", "&nbsp;")
    return f'<span style="color:{square}">\u25a0</span>&nbsp;{words}'
