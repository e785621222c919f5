"""Docks without a mouse or without eyes: names read aloud, the order of Tab, the letters of Alt, tips."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from clicking import LONG, long_pair
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QTabBar,
    QToolButton,
    QWidget,
)

from shiftfield._napari.dock.menu import help_text

DOCKS = [
    "Correlation map", "Locate peak", "Local shifts", "Global shift", "UMPA shifts", "Workflow", "Scan",
    "Phase and strain", "How was it made?", "Probe a pixel", "Inspect a field",
]  # fmt: skip
CONTROLS = (
    QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit, QSlider,
)  # fmt: skip


def pages(dock: Any) -> list[QWidget]:
    """Return the widgets of a dock that are seen at one time: itself, or each page of the workflow."""
    if not hasattr(dock, "show_step"):
        return [dock.native]
    for number in range(7):
        dock.show_step(number)
    return [dock._pages[number] for number in range(7)]


def controls(widget: QWidget) -> list[Any]:
    """Return what a person can use; not the parts that Qt makes a control of."""
    return [
        one
        for one in widget.findChildren(QWidget)
        if isinstance(one, CONTROLS)
        and not one.objectName().startswith("qt_")
        and not isinstance(one.parent(), QAbstractSpinBox | QComboBox | QTabBar)
    ]


@pytest.mark.parametrize("name", DOCKS)
def test_every_control_has_a_tip_and_is_called_what_is_written_on_it(
    name: str, open_in_window: Any
) -> None:
    dock = open_in_window(name)
    for page in pages(dock):
        for control in controls(page):
            text = control.text() if isinstance(control, QAbstractButton) else ""
            called = control.accessibleName()
            assert control.toolTip(), (text, called)
            assert called or text
            if called and text and not isinstance(control, QToolButton) and text != "Pause":
                assert called == text.replace("&", "")


@pytest.mark.parametrize("name", DOCKS)
def test_no_letter_of_alt_is_taken_twice(name: str, window: Any, open_in_window: Any) -> None:
    bar = window.window._qt_window.menuBar()
    menus = [action.text() for action in bar.actions()]
    dock = open_in_window(name)
    for page in pages(dock):
        if hasattr(dock, "show_step"):
            dock._stack.setCurrentWidget(page)
        shown = dock if hasattr(dock, "show_step") else page
        texts = [b.text() for b in shown.findChildren(QAbstractButton) if b.isVisibleTo(shown)]
        letters = Counter(
            text[text.index("&") + 1].lower() for text in (*menus, *texts) if "&" in text
        )
        assert max(letters.values()) == 1, letters


def test_tab_goes_from_top_to_bottom(open_dock: Any) -> None:
    dock = open_dock("Local shifts")
    met, widget = [], dock.native
    while len(met) < 6:
        widget = widget.nextInFocusChain()
        tabs = widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
        if tabs and dock.native.isAncestorOf(widget) and widget.accessibleName():
            met.append(widget.accessibleName())
    assert met == [
        "Reference", "Open files for Reference", "Sample", "Open files for Sample", "First axis is",
        "Window (px)",
    ]  # fmt: skip


def test_run_is_called_cancel_while_it_works(viewer: Any, open_dock: Any, qtbot: Any) -> None:
    images = long_pair()
    viewer.add_image(images.reference)
    viewer.add_image(images.sample)
    dock = open_dock("Local shifts")
    for field, value in LONG.items():
        dock[field].value = value
    button = dock.run_button.native
    assert button.accessibleName() == "Run"
    dock.run()
    assert button.accessibleName() == "Cancel"
    dock.cancel()
    qtbot.waitUntil(lambda: not dock.running)
    assert button.accessibleName() == "Run"


def test_the_help_calls_a_switch_what_is_written_on_it(open_dock: Any) -> None:
    text = help_text(open_dock("Local shifts"))
    for words in ("Live preview", "More settings", "Score layer"):
        assert f"<b>{words}</b>" in text


def test_labels_line_up_when_more_settings_are_shown(open_in_window: Any, qtbot: Any) -> None:
    dock = open_in_window("Scan")
    dock.more.value = True
    qtbot.waitUntil(dock.crop.native.isVisible)
    qtbot.wait(50)
    lefts = {dock[name].native.geometry().left() for name in ("window", "crop", "reference_axes")}
    assert len(lefts) == 1
