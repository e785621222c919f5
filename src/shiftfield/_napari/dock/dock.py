"""What all docks that compute share: Run/Cancel button, progress bar, status line, messages.

A subclass says what to compute and what to show; the pixels are worked on in another thread.
"""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from magicgui.widgets import Container, PushButton
from magicgui.widgets.bases import Widget
from napari.layers import Image, Layer
from napari.utils.notifications import (
    ErrorNotification,
    notification_manager,
    show_error,
    show_warning,
)
from napari.viewer import Viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QProgressBar, QWidget

from shiftfield import Cancelled
from shiftfield._napari.dock.menu import DockMenu
from shiftfield._napari.form import errors
from shiftfield._napari.form.accessible import name_for_readers
from shiftfield._napari.form.arranged import row_of, text_lines
from shiftfield._napari.form.lifetime import Life, end_with
from shiftfield._napari.form.remembered import last_values, remember
from shiftfield._napari.form.rows import Rows
from shiftfield._napari.form.tabs import make_room
from shiftfield._napari.form.work import Compute, Work

_POLL_MS = 50
_PATIENCE_S = 0.5  # how long a cancelled computation may take to end before it is left alone
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """What one press of Run does: `compute` on the worker's thread, then `show` on the viewer's.

    `compute(progress, cancel)` holds arrays and settings only, no layer, no widget. `show(result)`
    adds layers and returns the text for the status line. `said` is appended to that text.
    """

    compute: Compute[Any]
    show: Callable[[Any], str]
    said: tuple[str, ...] = ()


class Dock(Container[Any]):
    """A form with a Run/Cancel button, a progress bar and a status line.

    From a script: set the fields (`dock.window.value = 9`), call `run()`, then `wait()`, which
    keeps the window alive and returns the layers that were added.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer whose layers are offered and which gets the results.
    """

    title: ClassVar[str]
    run_tip: ClassVar[str]
    papers: ClassVar[tuple[tuple[str, str], ...]] = ()  # (text, address), for the help

    def __init__(self, napari_viewer: Viewer) -> None:
        # napari hands out a proxy; layers must be the same objects that a script sees
        self._viewer: Viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self._life = Life()
        self._task: Task | None = None
        self._error: BaseException | None = None
        self._added: list[Layer] = []
        self._started = self._cancelled = 0.0
        self._had_parent = False
        self._idle = ""
        button = PushButton(name="run_button", text="Run", tooltip=self.run_tip)
        super().__init__(widgets=[*self._form(), button])
        self._menu = DockMenu(self)
        self._build()
        self._connect()
        self.reset_choices()

    # -- what a subclass says ------------------------------------------------------------------

    @abstractmethod
    def _form(self) -> Sequence[Widget]:
        """Return the fields, top to bottom; `_viewer` is set already."""

    @abstractmethod
    def _prepare(self) -> Task:
        """Read the form; a ValueError says in one sentence what is missing or wrong."""

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """Return what the metadata of the layers would say of how they are made, as plain values."""

    @abstractmethod
    def _describe(self) -> str:
        """Return what a run would use, for the status line before it."""

    @property
    def _gone(self) -> bool:
        """Whether the window of the form is destroyed, so that nothing of it may be touched."""
        return self._life.gone

    @property
    def _work(self) -> Work[Any] | None:
        return self._life.work

    # -- for scripts and the button ------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether a computation goes on."""
        return self._work is not None

    @property
    def status(self) -> str:
        """The text of the status line."""
        return "" if self._gone else str(self._line.text())

    def run(self) -> None:
        """Start with what the form says; returns at once. An error is shown, not raised."""
        if self.running:
            return
        self._error, self._added = None, []
        if self._gone:
            self._task = None
            self._error = RuntimeError("The dock is closed; open it again.")
            return
        try:
            self._task = self._prepare()
        except Exception as error:
            self.fail(error)
            return
        remember(type(self).__name__, self._menu.values())
        self._life.work = Work(self._task.compute)
        self._started = time.monotonic()
        self._call_button("Cancel")
        self._bar.setRange(0, 0)
        self._bar.setVisible(True)
        self.say("Running ...")
        self._timer.start()

    def cancel(self) -> None:
        """Stop the computation; nothing is added to the viewer."""
        if self._work is None or self._work.cancelled:
            return
        self._work.cancel()
        self._cancelled = time.monotonic()
        if not self._gone:
            self.say("Cancelling ...")

    def wait(self, timeout: float = 600.0) -> list[Layer]:
        """Keep the window alive until the run is over; return the layers it added.

        Parameters
        ----------
        timeout : float
            Longest time to wait, s; then a TimeoutError is raised and the run goes on.

        Raises
        ------
        Exception
            What stopped the run, `shiftfield.Cancelled` included.
        """
        end = time.monotonic() + timeout
        while self.running:
            if time.monotonic() > end:
                raise TimeoutError(f"The run is not over after {timeout:g} s.")
            QApplication.processEvents()
            time.sleep(0.005)
        if self._gone and self._task is not None:
            raise Cancelled("The dock was closed before the run was over.")
        if self._error is not None:
            raise self._error
        return list(self._added)

    def restore(self) -> None:
        """Give the fields the values they had when this dock last ran."""
        self._menu.fill(last_values(type(self).__name__, self._menu.values()))

    def reset_choices(self, *_: Any) -> None:
        """Offer the layers that fit now, in all pickers."""
        if self._gone:
            return
        super().reset_choices()
        self._refresh_line()

    # -- building ------------------------------------------------------------------------------

    def _build(self) -> None:
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(8)
        self._bar.setVisible(False)
        self._line = text_lines("Status", 4)
        self._bar.setAccessibleName("Progress")
        name_for_readers(self)
        layout = self.native.layout()
        layout.insertWidget(0, Rows(layout, len(self) - 1))
        run = layout.takeAt(layout.count() - 1).widget()
        layout.addWidget(row_of(run, *self._beside_run(), self._menu.button()))
        layout.addWidget(self._bar)
        layout.addWidget(self._line)
        layout.setSpacing(4)
        self._timer = QTimer(self.native)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)

    def _beside_run(self) -> Sequence[QWidget]:
        """Return what stands between Run and the menu."""
        return ()

    def _connect(self) -> None:
        layers = self._viewer.layers.events
        for event in (layers.inserted, layers.removed, layers.reordered, layers.renamed):
            event.connect(self.reset_choices)
        layers.inserted.connect(self._watch)
        self._viewer.dims.events.connect(self._refresh_line)
        for layer in self._viewer.layers:
            self._watch_layer(layer)
        self.run_button.changed.connect(self._press)
        self.native_parent_changed.connect(self._moved)
        end_with(self.native, self._life)

    def _watch(self, event: Any) -> None:
        self._watch_layer(event.value)

    def _watch_layer(self, layer: Layer) -> None:
        if isinstance(layer, Image):
            layer.events.data.connect(self.reset_choices)

    # -- a run ---------------------------------------------------------------------------------

    def _press(self, *_: Any) -> None:
        if self.running:
            self.cancel()
        else:
            self.run()

    def _moved(self, *_: Any) -> None:
        """Find room when the dock is opened; give up when it is closed and the form is taken out."""
        if self._gone:
            return
        has_parent = self.native.parent() is not None
        if has_parent and not self._had_parent:
            QTimer.singleShot(0, self._settle)  # the dock is not yet in the window
        if self._had_parent and not has_parent:
            self._life.end()
            # now, in this thread: Python's garbage collector might do it in the worker's
            self.native.deleteLater()
        self._had_parent = has_parent

    def _settle(self) -> None:
        if not self._gone:
            make_room(self.native)

    def _poll(self) -> None:
        work = self._work
        if work is None:
            self._timer.stop()
        elif work.finished:
            self._finish(work)
        elif work.cancelled:
            if time.monotonic() - self._cancelled > _PATIENCE_S:
                self._stop(Cancelled("The run was cancelled."))
        elif work.total:
            self._bar.setRange(0, work.total)
            self._bar.setValue(work.done)
            self.say(f"Running ... {100 * work.done // work.total} %{self._time_left(work)}")

    def _time_left(self, work: Work[Any]) -> str:
        spent = time.monotonic() - self._started
        if work.done == 0 or spent < 2:
            return ""
        return f", about {spent * (work.total - work.done) / work.done:.0f} s left"

    def _finish(self, work: Work[Any]) -> None:
        if work.cancelled or isinstance(work.error, Cancelled):
            self._stop(Cancelled("The run was cancelled."))
        elif work.error is not None:
            self._stop(work.error)
        else:
            self._deliver(work)

    def _deliver(self, work: Work[Any]) -> None:
        task = self._task
        assert task is not None
        try:
            text = task.show(work.result)
        except Exception as error:
            self._stop(error)
            return
        self._stop(None)
        self.say(" ".join((text, *task.said, *work.notices)))
        for notice in work.notices:
            show_warning(notice)

    def _call_button(self, text: str) -> None:
        self.run_button.text = text
        self.run_button.native.setAccessibleName(text)

    def _stop(self, error: BaseException | None) -> None:
        """Return to rest; say what went wrong, if anything did."""
        self._life.work = self._task = None
        self._timer.stop()
        self._bar.setVisible(False)
        self._call_button("Run")
        if isinstance(error, Cancelled):
            self._error = error
            self.say("Cancelled; no layer was added.")
        elif error is not None:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Show an error in the status line and in the viewer."""
        self._error = error
        text = errors.words(error)
        self.say(f"Error: {text}")
        if errors.expected(error):
            show_error(text)
        else:
            _log.error("A run of %s failed.", type(self).__name__, exc_info=error)
            notification_manager.dispatch(ErrorNotification(error))

    def _add(self, layers: Sequence[tuple[Any, dict[str, Any], str]]) -> list[Layer]:
        """Add layer tuples to the viewer, the last one on top; return the layers."""
        made = [Layer.create(data, arguments, kind) for data, arguments, kind in layers]
        for layer in made:
            self._viewer.add_layer(layer)
        self._added.extend(made)
        return made

    # -- the status line -----------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Show a text in the status line."""
        self._line.setText(text)
        self._line.setToolTip(text)

    def _refresh_line(self, *_: Any) -> None:
        """Say what a run would use, when that has changed; leave the answer of a run alone."""
        if self._gone:
            return
        idle = self._describe()
        if idle != self._idle:
            self._idle = idle
            if not self.running:
                self.say(idle)
