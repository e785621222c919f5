"""A column of form rows that scrolls when there is no room, and never asks for more than it needs.

Several docks then share the height of a laptop's screen; without it napari's window grows instead.
"""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtGui import QShowEvent, QWheelEvent
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFrame,
    QLabel,
    QLayout,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

_LEAST_HEIGHT = 100  # px: about three rows


class Rows(QScrollArea):
    """Takes the first `count` rows out of a layout and shows them in a column of its own."""

    def __init__(self, layout: QLayout, count: int) -> None:
        super().__init__()
        self._column = QWidget()
        inner = QVBoxLayout(self._column)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        for item in [layout.takeAt(0) for _ in range(count)]:
            if item is not None:
                inner.addWidget(item.widget())
        self._labels = [x for x in self._column.findChildren(QLabel) if x.text()]
        for field in self._column.findChildren(QWidget):
            if isinstance(field, QAbstractSpinBox | QComboBox):
                field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # a click or Tab, not the wheel
                field.installEventFilter(self)
        self.setWidget(self._column)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no stop for Tab: its fields are
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802
        """Align the fields; only now is the font of the labels known."""
        super().showEvent(event)
        self._align()

    def _align(self) -> None:
        labels = [row for row in self._labels if row.isVisibleTo(self._column)]
        width = max((label.sizeHint().width() for label in labels), default=0)
        for label in self._labels:
            label.setMinimumWidth(width)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size of all rows, without a scroll bar."""
        return self._column.sizeHint()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the full width, room for a scroll bar included, and the height of a few rows."""
        hint = self._column.minimumSizeHint()
        bar = self.verticalScrollBar()
        beside = bar.sizeHint().width() if bar is not None else 0
        return QSize(hint.width() + beside, min(hint.height(), _LEAST_HEIGHT))

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Ask for another height when a row was shown or hidden; scroll past fields not in use."""
        idle = isinstance(watched, QAbstractSpinBox | QComboBox) and not watched.hasFocus()
        if idle and isinstance(event, QWheelEvent):
            QApplication.sendEvent(self.verticalScrollBar(), event)
            return True
        asks = event is not None and event.type() == QEvent.Type.LayoutRequest
        if asks and watched is self._column:
            if self.isVisible():
                self._align()
            self.updateGeometry()
        return super().eventFilter(watched, event)
