"""Room in the window: a dock that would be squeezed below the others becomes a tab of one of ours.

Only where docks lie is decided here; without it five of them make napari's window outgrow the screen.
"""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

_OURS = "shiftfield"  # a property of the frames of our docks
_TAB_BAR = 25  # px


def make_room(form: QWidget) -> None:
    """Put the dock that holds `form` behind or before another of ours if the column is full."""
    frame = _frame(form)
    window = None if frame is None else frame.parent()
    if frame is None or not isinstance(window, QMainWindow) or frame.isFloating():
        return
    frame.setProperty(_OURS, True)
    area = window.dockWidgetArea(frame)
    others = [
        other
        for other in window.findChildren(QDockWidget)
        if other is not frame
        and window.dockWidgetArea(other) == area
        and not other.isFloating()
        and (not other.isHidden() or window.tabifiedDockWidgets(other))
    ]
    ours = [other for other in others if other.property(_OURS)]
    for other in reversed(ours):
        if _height(window, [*others, frame]) <= _room(window):
            break
        if other not in window.tabifiedDockWidgets(frame):
            window.tabifyDockWidget(other, frame)
    else:
        if _height(window, [*others, frame]) > _room(window):  # beside no one of them
            for other in ours:
                window.tabifyDockWidget(frame, other)
    frame.show()
    frame.raise_()


def _frame(form: QWidget) -> QDockWidget | None:
    above = form.parent()
    while above is not None and not isinstance(above, QDockWidget):
        above = above.parent()
    return above


def _room(window: QMainWindow) -> int:
    """Return the height between the bars of the window, px."""
    bars = (window.menuBar(), window.statusBar())
    return int(window.height() - sum(bar.height() for bar in bars if bar is not None))


def _height(window: QMainWindow, frames: Sequence[QDockWidget]) -> int:
    """Return the height that docks below each other ask for, px; tabs share the tallest's."""
    height, counted = 0, set[QDockWidget]()
    for frame in frames:
        if frame not in counted:
            together = [frame, *window.tabifiedDockWidgets(frame)]
            counted.update(together)
            height += max(dock.sizeHint().height() for dock in together)
            height += _TAB_BAR if len(together) > 1 else 0
    return height
