"""Buttons that open a menu, the clipboard, and the dialogs for files of settings.

What an entry of a menu does is said elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from qtpy.QtWidgets import QApplication, QFileDialog, QMenu, QToolButton, QWidget

TOML = "Settings (*.toml)"
Entry = tuple[str, str, Callable[[], None]]  # text, tooltip, what it does; ("", "", ...) is a line


def menu_button(text: str, tip: str, name: str, entries: Sequence[Entry]) -> QToolButton:
    """Return a button that opens a menu of entries; `name` is for screen readers."""
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setAccessibleName(name)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
    menu = QMenu(button)
    menu.setToolTipsVisible(True)
    for text, tip, act in entries:
        if not text:
            menu.addSeparator()
            continue
        action = menu.addAction(text)
        assert action is not None
        action.setToolTip(tip)
        action.triggered.connect(lambda *_, act=act: act())
    button.setMenu(menu)
    return button


def copy(text: str) -> None:
    """Put a text on the clipboard."""
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    clipboard.setText(text)


def ask_where_to_save(parent: QWidget, name: str) -> Path | None:
    """Ask for a file to write settings to; None when the person gives up."""
    chosen, _ = QFileDialog.getSaveFileName(parent, "Save settings", name, TOML)
    if not chosen:
        return None
    path = Path(chosen)
    return path if path.suffix else path.with_suffix(".toml")


def ask_what_to_load(parent: QWidget) -> Path | None:
    """Ask for a file of settings; None when the person gives up."""
    chosen, _ = QFileDialog.getOpenFileName(parent, "Load settings", "", TOML)
    return Path(chosen) if chosen else None
