"""Room in the window: a dock that would be squeezed below the others becomes a tab of one of ours.

Only where docks lie is decided here; without it five of them make napari's window outgrow the screen.
"""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from shiftfield._napari.form.rows import Rows


def make_room(form: QWidget) -> None:
    """Put the dock that holds `form` behind or before another of ours if the column is full."""
    frame = _frame(form)
    window = None if frame is None else frame.parent()
    if frame is None or not isinstance(window, QMainWindow) or frame.isFloating():
        return
    area = window.dockWidgetArea(frame)
    others = [
        other
        for other in window.findChildren(QDockWidget)
        if other is not frame
        and window.dockWidgetArea(other) == area
        and not other.isFloating()
        and (not other.isHidden() or window.tabifiedDockWidgets(other))
    ]
    ours = [other for other in others if other.findChild(Rows) is not None]
    if ours and _height(window, [*others, frame]) > window.height():
        window.tabifyDockWidget(ours[-1], frame)
        frame.show()
        frame.raise_()


def _frame(form: QWidget) -> QDockWidget | None:
    above = form.parent()
    while above is not None and not isinstance(above, QDockWidget):
        above = above.parent()
    return above


def _height(window: QMainWindow, frames: Sequence[QDockWidget]) -> int:
    """Return the height that docks below each other ask for, px; tabs share the tallest's."""
    height, counted = 0, set[QDockWidget]()
    for frame in frames:
        if frame not in counted:
            together = [frame, *window.tabifiedDockWidgets(frame)]
            counted.update(together)
            height += max(dock.sizeHint().height() for dock in together)
    return height
