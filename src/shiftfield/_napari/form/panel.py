"""What docks without a Run button have in common: they end with their window, and let go of the viewer then.

Docks that run something and add layers are `dock.Dock`.
"""

from __future__ import annotations

from typing import ClassVar
from weakref import WeakMethod

from napari.viewer import Viewer
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QWidget

from shiftfield._napari.form.lifetime import Life, end_with
from shiftfield._napari.form.tabs import make_room


class Panel(QWidget):
    """A dock's contents; `native` is itself, as it is for a form of magicgui.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer whose layers are looked at.
    """

    title: ClassVar[str]

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        # napari hands out a proxy; layers must be the same objects that a script sees
        self.viewer: Viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.native = self
        self._life = Life()
        self._life.at_end.append(WeakMethod(self.leave))
        self._had_parent = False
        self.setAccessibleName(self.title)
        end_with(self, self._life)

    @property
    def gone(self) -> bool:
        """Whether the window is closed, so that nothing of it may be touched."""
        return self._life.gone

    def leave(self) -> None:
        """Let go of the viewer; Qt may have destroyed every widget."""

    def clear_up(self) -> None:
        """Take away what was added to the viewer; the viewer's window is still there."""

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Find room when the dock is opened; end when it is closed and this is taken out of it."""
        super().changeEvent(event)
        if event is None or event.type() != QEvent.Type.ParentChange or self.gone:
            return
        has_parent = self.parent() is not None
        if has_parent and not self._had_parent:
            QTimer.singleShot(0, self._settle)  # the dock is not yet in the window
        if self._had_parent and not has_parent:
            self.clear_up()
            self._life.end()
            self.deleteLater()
        self._had_parent = has_parent

    def _settle(self) -> None:
        if not self.gone:
            make_room(self)
