"""Buttons beside a field that open files: as a layer that a picker then chooses, or as addresses in a line.

The dialogs are Qt's, the readers napari's and the library's; errors are shown, never raised.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from magicgui.widgets import LineEdit
from magicgui.widgets.bases import ValueWidget
from napari.layers import Layer
from napari.utils.notifications import show_error, show_warning
from napari.viewer import Viewer
from qtpy.QtWidgets import QFileDialog, QInputDialog, QWidget

from shiftfield._napari.form.pickers import LayerPicker
from shiftfield._napari.form.tools import menu_button
from shiftfield._napari.layers.inputs import ADDRESS, STACKED, remember
from shiftfield.scans.store import KINDS
from shiftfield.sources import names_in, open_images
from shiftfield.sources.kinds import HDF5
from shiftfield.sources.on_demand import open_on_demand
from shiftfield.sources.series import files_of

BETWEEN = " | "  # addresses in one line
# what an entry of a button's menu does, of the button and a title
Act = Callable[[QWidget, str], None]
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
    """Ask for files, in the order of the numbers in their names; nothing when the person gives up."""
    chosen, _ = QFileDialog.getOpenFileNames(parent, title)
    try:
        place = {str(path): n for n, path in enumerate(files_of(Path(chosen[0]).parent))}
    except (IndexError, OSError, ValueError):  # nothing chosen, or no images
        place = {}
    return sorted(chosen, key=lambda one: (place.get(str(Path(one)), len(place)), one))


def ask_for_folder(parent: QWidget, title: str) -> list[str]:
    """Ask for a folder of images, or a Zarr store."""
    chosen = QFileDialog.getExistingDirectory(parent, title)
    return [chosen] if chosen else []


def ask_for_dataset(parent: QWidget | None, name: str, names: Sequence[str]) -> str:
    """Ask which dataset of a file is meant; nothing when the person gives up."""
    text = f"{name} has several datasets; open which?"
    chosen, accepted = QInputDialog.getItem(parent, "Open a dataset", text, names, 0, False)
    return chosen if accepted else ""


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
        added = open_layers(viewer, ask(parent, title), parent)
        fitting = [layer for layer in added if layer in picker.choices]
        if fitting:
            picker.value = fitting[0]
        elif added:
            show_warning(
                f"{added[0].name!r} was opened, but it does not fit {picker.label}: {picker.tooltip}"
            )

    return act


def open_layers(
    viewer: Viewer,
    addresses: Sequence[str],
    parent: QWidget | None = None,
    refuse: Callable[[str], Any] = show_error,
) -> list[Layer]:
    """Open files, several as the frames of one stack; return the layers, none where `refuse` was told why."""
    if not addresses:
        return []
    if different := _not_alike(addresses):
        refuse(different)
        return []
    if Path(addresses[0]).suffix.lower() not in KINDS:
        with contextlib.suppress(Exception):  # readers of other plugins raise what they like
            return _by_readers(viewer, addresses)
    try:
        return _each(viewer, addresses, parent)
    except Exception as error:  # of a decoder or a reader, about a file
        refuse(_why_not(addresses, error))
        return []


def _not_alike(addresses: Sequence[str]) -> str:
    """Return why files cannot be the frames of one stack, if the library can read them; else nothing."""
    if len(addresses) < 2 or any(Path(one).suffix.lower() in (*KINDS, *HDF5) for one in addresses):
        return ""
    shapes = {}
    for address in addresses:
        with contextlib.suppress(Exception):  # a decoder's, or a kind that another plugin reads
            shapes[address] = tuple(open_images(address).shape)
    (first, shape), *others = shapes.items() or [("", ())]
    for name, other in others:
        if other != shape:
            return (
                f"{Path(name).name} has shape {other} and {Path(first).name} {shape}; the frames of a stack "
                "must be alike."
            )
    return ""


def _by_readers(viewer: Viewer, addresses: Sequence[str]) -> list[Layer]:
    """Open files as napari does, several as one stack that has the name of their folder."""
    if len(addresses) == 1:
        return list(viewer.open(list(addresses), plugin=None))
    name = Path(addresses[0]).parent.name or "frames"
    added = list(viewer.open(list(addresses), stack=True, plugin=None, name=name))
    for layer in added:
        remember(layer, STACKED, list(addresses))  # napari keeps the name of the first only
    return added


def _why_not(addresses: Sequence[str], error: Exception) -> str:
    """Return one sentence about files that cannot be opened."""
    words = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
    return f"{', '.join(Path(one).name for one in addresses)} cannot be opened: {words}."


def _each(viewer: Viewer, addresses: Sequence[str], parent: QWidget | None) -> list[Layer]:
    """Open each address as the library does: a field, a scan, or images that are read when they are looked at."""
    from shiftfield._napari.files.reader import get_reader

    added: list[Layer] = []
    for address in addresses:
        if get_reader(address) is not None:
            added += viewer.open(address, plugin="shiftfield")
            continue
        place, inside = _which(address, parent)
        if inside is not None:
            whole = f"{place}::{inside}" if inside else str(place)
            name = place.name if place.is_dir() and place.suffix != ".zarr" else place.stem
            images = open_on_demand(whole)
            added.append(viewer.add_image(images, name=f"{name} {inside}".strip()))
            remember(added[-1], ADDRESS, whole)
    return added


def _which(address: str, parent: QWidget | None) -> tuple[Path, str | None]:
    """Return the file and the dataset of it that is meant, "" for its only one; None where nobody says which."""
    path, _, inside = address.partition("::")
    place = Path(path)
    names = [] if inside else names_in(place)
    if len(names) < 2:
        return place, inside
    return place, ask_for_dataset(parent, place.name, names) or None


def _beside(field: ValueWidget[Any], entries: Sequence[tuple[str, Act]]) -> None:
    row = field.native.parentWidget()
    if isinstance(field, LayerPicker):
        field.native.setMinimumContentsLength(8)  # leave room for the button
    what = " / ".join(text.rstrip(" .") for text, _ in entries).lower()
    button = menu_button(
        "\u2026",
        f"{field.label}: {what}",
        f"Open files for {field.label}",
        [(text, "", partial(act, row, str(field.label))) for text, act in entries],
    )
    row.layout().addWidget(button)
    QWidget.setTabOrder(field.native, button)  # else it comes after all that was made before it
