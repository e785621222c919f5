"""The dock "Probe a pixel": click or drag on a field, and see what the search saw there.

The search of the one pixel is `shiftfield.probe`'s; drawing and words have files of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.utils.notifications import show_error
from napari.viewer import Viewer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QKeyEvent

from shiftfield import Cancelled
from shiftfield import Probe as Probed
from shiftfield._napari.form import errors
from shiftfield._napari.form.arranged import lay_out
from shiftfield._napari.form.panel import Panel
from shiftfield._napari.form.tools import copy
from shiftfield._napari.layers.results import Result, named
from shiftfield._napari.layers.watched import Watched
from shiftfield._napari.probe import words as probe_words
from shiftfield._napari.probe.form import ProbeForm
from shiftfield._napari.probe.marker import Marker
from shiftfield._napari.probe.mouse import ProbeMouse
from shiftfield._napari.probe.source import Source
from shiftfield.live.latest import Latest, Request

_POLL_MS = 8
_PATIENCE_S = 0.1  # how long a probe may run on when a newer one is asked for
_ARROWS = {
    Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1),
}  # fmt: skip
_FAR = 10  # px that an arrow with Shift moves
_HOW = (
    "Click a pixel of the field in the viewer, or drag over it. After a click the arrow keys move the pixel, "
    "with Shift by ten."
)


class Probe(Panel):
    """What a search sees at one pixel: window, search area, scores, fit, numbers, and why it is believed or not.

    From a script: `look_at(row, column)`, then `wait()`.
    """

    title = "Probe a pixel"

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.probed: Probed | None = None
        self._source: Source | None = None
        self._pixel: tuple[int, int] | None = None
        self._latest: Latest[Probed] = Latest()
        self._marker = Marker(self.viewer)
        self._mouse = ProbeMouse(self.viewer, self._pointed)
        self._watched = Watched(self._again)
        self.form = ProbeForm(self.viewer, self._result_changed)
        self.picker = self.form.picker
        lay_out(self, self.form.rows)
        self.form.frame.valueChanged.connect(self._draw)
        self.form.mouse.toggled.connect(self._switch_mouse)
        self.form.copy_button.clicked.connect(self._copy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._take)
        self.viewer.events.theme.connect(self._themed)
        self.viewer.layers.events.removed.connect(self._removed)
        self._mouse.start()
        self._say(_HOW)

    # -- for scripts ---------------------------------------------------------------------------

    @property
    def pixel(self) -> tuple[int, int] | None:
        """The pixel (row, column) of the sample that was asked for last."""
        return self._pixel

    @property
    def busy(self) -> bool:
        """Whether an answer is outstanding."""
        return self._latest.busy

    @property
    def said(self) -> str:
        """What the dock says of the pixel: whether it is believed, or what is wrong."""
        return str(self.form.sentence.text())

    def look_at(self, row: int, column: int) -> None:
        """Probe a pixel of the sample, moved to the nearest one that the search has looked at."""
        result = self.picker.result
        if result is None:
            self._say("There is no field in the viewer; run Local shifts or UMPA shifts first.")
            return
        try:
            result.check()
            source = self._of(result)
        except ValueError as error:
            self._fail(error)
            return
        self._pixel = result.nearest(row, column)
        row, column = self._pixel
        start = source.start(row, column)
        self._latest.ask(
            Request(lambda cancel: source.at(row, column, start, cancel), patience=_PATIENCE_S)
        )
        if (
            not self._timer.isActive()
        ):  # to start it anew would put the answer off, as long as one drags
            self._timer.start()

    # -- what happens ----------------------------------------------------------------------------

    def _pointed(self, position: Any) -> bool:
        """Probe the pixel under the mouse; return whether there is one."""
        result = self.picker.result
        if result is None:
            return False
        pixel = result.pixel_at(position, self.viewer)
        if pixel is None:
            return False
        self.look_at(*pixel)
        self.setFocus()
        return True

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Move the pixel with the arrow keys."""
        move = None if event is None else _ARROWS.get(Qt.Key(event.key()))
        result = self.picker.result
        if event is None or move is None or self._pixel is None or result is None:
            super().keyPressEvent(event)
            return
        far = _FAR if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        step = result.settings.step * far
        self.look_at(self._pixel[0] + move[0] * step, self._pixel[1] + move[1] * step)

    def _of(self, result: Result) -> Source:
        if self._source is None or not self._source.result.same(result):
            self._source = Source(self.viewer, result)
            used = (named(self.viewer, name) for name in self._source.names)
            self._watched.these(one for one in used if one is not None)
        return self._source

    def _removed(self, event: Any) -> None:
        if event.value in self._watched:
            self._again()

    def _result_changed(self) -> None:
        if self.picker.result is None:
            self._forget("The field is no longer in the viewer.")
        else:
            self._again()

    def _again(self) -> None:
        """Probe the same pixel, whatever has changed."""
        self._source = None
        self._watched.none()
        if not self.gone and self._pixel is not None:
            self.look_at(*self._pixel)

    def _take(self) -> None:
        request = self._latest.answer()
        if request is not None and request.error is None:
            self._show(request.result)
        elif request is not None and not isinstance(request.error, Cancelled | None):
            self._fail(request.error)
        if not self._latest.busy:
            self._timer.stop()

    def _show(self, probed: Probed | None) -> None:
        source = self._source
        if probed is None or source is None:
            return
        self.probed = probed
        s, start = source.settings, source.start(probed.row, probed.column)
        # not before: one picture of the window is drawn for both
        self._marker.show(
            probed.row, probed.column, s.window, s.margin, start, source.result.place()
        )
        self.form.show_frames(len(probed.window))
        self._draw()
        self.form.copy_button.setEnabled(True)
        self.form.numbers.setText(probe_words.lines(probed))
        result, at = source.result, (probed.row, probed.column)
        bits = result.value("quality", *at)
        told = result.value("x", *at), result.value("y", *at)
        text = probe_words.verdict(probed, None if np.isnan(bits) else int(bits), told)
        if source.settings.start is not None:
            text += " Its search is shown around the shift that was found, its start."
        self._say(text)

    def _draw(self, *_: Any) -> None:
        self.form.plots.show_probe(self.probed, self.form.frame.value())

    def _fail(self, error: BaseException) -> None:
        """Say what is wrong, once in the viewer too."""
        text = errors.words(error)
        if self.said != text:
            show_error(text)
        self._forget(text)

    def _forget(self, text: str) -> None:
        """Show no pixel, and say why."""
        self._latest.stop()
        self._source, self.probed = None, None
        self._watched.none()
        self._marker.remove()
        self.form.plots.show_probe(None)
        self.form.numbers.setText("")
        self.form.copy_button.setEnabled(False)
        self._say(text)

    def _say(self, text: str) -> None:
        self.form.sentence.setText(text)
        self.form.sentence.setToolTip(text)
        self.form.plots.setAccessibleDescription(text)

    def _copy(self) -> None:
        if self.probed is not None:
            copy(f"{probe_words.table(self.probed)}\nverdict\t{self.said}")

    def _switch_mouse(self, on: bool) -> None:
        if on:
            self._mouse.start()
        else:
            self._mouse.stop()

    def _themed(self, *_: Any) -> None:
        if not self.gone:
            self.form.plots.paint()

    def clear_up(self) -> None:
        """Take the mark out of the viewer."""
        self._timer.stop()
        self._marker.remove()

    def leave(self) -> None:
        """Let go of the mouse and of all layers."""
        self._latest.stop()
        self._mouse.stop()
        self._watched.none()
        self.picker.leave()
        self.viewer.events.theme.disconnect(self._themed)
        self.viewer.layers.events.removed.disconnect(self._removed)
