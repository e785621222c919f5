"""Buttons beside a field that open files: as a layer that a picker then chooses, or as addresses in a line.

The dialogs are Qt's, the readers napari's and the library's; errors are shown, never raised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from magicgui.widgets import LineEdit
from magicgui.widgets.bases import ValueWidget
from napari.layers import Layer
from napari.utils.notifications import show_error, show_warning
from napari.viewer import Viewer
from qtpy.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from shiftfield._napari.form.pickers import LayerPicker
from shiftfield._napari.layers.inputs import STACKED
from shiftfield.scans.store import KINDS
from shiftfield.sources import open_images

BETWEEN = " | "  # addresses in one line
Act = Callable[
    [QWidget, str], None
]  # what an entry of a button's menu does, of the button and a title
_FIELDS = f"Shift fields (*{' *'.join(KINDS)})"


class AddressLine(LineEdit):
    """A line for the addresses of files, " | " between them."""

    def addresses(self) -> list[str]:
        """Return the addresses, without the spaces around them."""
        return [one.strip() for one in str(self.value or "").split("|") if one.strip()]

    def put(self, addresses: Sequence[str]) -> None:
        """Write addresses into the line."""
        self.value = BETWEEN.join(addresses)


def ask_for_files(parent: QWidget, title: str) -> list[str]:
    """Ask for files; nothing when the person gives up."""
    chosen, _ = QFileDialog.getOpenFileNames(parent, title)
    return sorted(chosen)


def ask_for_folder(parent: QWidget, title: str) -> list[str]:
    """Ask for a folder of images, or a Zarr store."""
    chosen = QFileDialog.getExistingDirectory(parent, title)
    return [chosen] if chosen else []


def ask_where_to_write(parent: QWidget, title: str) -> list[str]:
    """Ask for the name of a file of fields; one that exists may be chosen, it is gone on with."""
    chosen, _ = QFileDialog.getSaveFileName(
        parent, title, "fields.h5", _FIELDS, options=QFileDialog.Option.DontConfirmOverwrite
    )
    return [chosen if Path(chosen).suffix else f"{chosen}.h5"] if chosen else []


def add_address_buttons(field: AddressLine) -> None:
    """Put a button beside a line, whose menu asks for files or a folder."""
    _beside(
        field,
        [
            ("Open files ...", lambda parent, title: field.put(ask_for_files(parent, title))),
            ("Open folder ...", lambda parent, title: field.put(ask_for_folder(parent, title))),
        ],
    )


def add_write_button(field: AddressLine) -> None:
    """Put a button beside a line, which asks for the file to write."""
    _beside(field, [("Choose ...", lambda p, title: field.put(ask_where_to_write(p, title)))])


def add_layer_buttons(viewer: Viewer, *pickers: LayerPicker) -> None:
    """Put a button beside each picker of layers; what it opens becomes a layer, and is chosen."""
    for picker in pickers:
        _beside(
            picker,
            [
                ("Open files ...", _opens(viewer, picker, ask_for_files)),
                ("Open folder ...", _opens(viewer, picker, ask_for_folder)),
            ],
        )


def _opens(viewer: Viewer, picker: LayerPicker, ask: Callable[[QWidget, str], list[str]]) -> Act:
    def act(parent: QWidget, title: str) -> None:
        added = open_layers(viewer, ask(parent, title))
        fitting = [layer for layer in added if layer in picker.choices]
        if fitting:
            picker.value = fitting[0]
        elif added:
            show_warning(
                f"{added[0].name!r} was opened, but it does not fit {picker.label}: {picker.tooltip}"
            )

    return act


def open_layers(viewer: Viewer, addresses: Sequence[str]) -> list[Layer]:
    """Open files, several as the frames of one stack; return the layers, none where it could not be done."""
    if not addresses:
        return []
    try:
        if Path(addresses[0]).suffix.lower() in KINDS:
            return _each(viewer, addresses)
        several = len(addresses) > 1
        added = list(viewer.open(list(addresses), stack=several, plugin=None))
    except Exception:
        # readers of other plugins raise what they like
        try:
            return _each(viewer, addresses)
        except (OSError, ValueError, ImportError) as ours:
            show_error(f"{', '.join(Path(one).name for one in addresses)} cannot be opened: {ours}")
            return []
    for layer in added if several else []:
        layer.metadata[STACKED] = list(addresses)  # napari keeps the name of the first only
    return added


def _each(viewer: Viewer, addresses: Sequence[str]) -> list[Layer]:
    """Open each address as the library does: a field, a scan, or images that are read when they are looked at."""
    from shiftfield._napari.files.reader import get_reader

    added: list[Layer] = []
    for address in addresses:
        if get_reader(address) is not None:
            added += viewer.open(address, plugin="shiftfield")
            continue
        images = import_module("dask.array").from_array(open_images(address), name=False)
        name = Path(address.partition("::")[0]).stem
        added.append(viewer.add_image(images, name=name))
    return added


def _beside(field: ValueWidget[Any], entries: Sequence[tuple[str, Act]]) -> None:
    row = field.native.parentWidget()
    if isinstance(field, LayerPicker):
        field.native.setMinimumContentsLength(8)  # leave room for the button
    button = QToolButton(row)
    QWidget.setTabOrder(field.native, button)  # else it comes after all that was made before it
    button.setText("\u2026")
    button.setToolTip(
        f"{field.label}: {' / '.join(text.rstrip(' .') for text, _ in entries).lower()}"
    )
    button.setAccessibleName(f"Open files for {field.label}")
    menu = QMenu(button)
    for text, act in entries:
        action = menu.addAction(text)
        assert action is not None
        action.triggered.connect(lambda *_, act=act: act(button, str(field.label)))
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
    row.layout().addWidget(button)
