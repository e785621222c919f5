"""Widgets side by side and below each other, and lines of text: the layout of all docks."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget


def lay_out(panel: QWidget, rows: Sequence[QWidget]) -> None:
    """Put widgets into a panel, with what room is left below them."""
    layout = QVBoxLayout(panel)
    layout.setContentsMargins(4, 4, 4, 4)
    layout.setSpacing(4)
    for row in rows:
        layout.addWidget(row)
    layout.addStretch(1)


def row_of(first: QWidget, *others: QWidget) -> QWidget:
    """Return widgets side by side; the first is as wide as can be, or the others where it is a label."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    label = isinstance(first, QLabel)
    layout.addWidget(first, 0 if label else 1)
    for other in others:
        layout.addWidget(other, 1 if label else 0)
    return row


def text_lines(name: str, rows: int) -> QLabel:
    """Return a text of a few rows that can be selected; `name` is for screen readers."""
    text = QLabel()
    text.setAccessibleName(name)
    text.setWordWrap(True)
    text.setTextFormat(Qt.TextFormat.PlainText)
    text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    text.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    text.setMinimumHeight(rows * text.fontMetrics().height())
    return text
