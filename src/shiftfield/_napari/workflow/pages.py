"""The pages of the dock "Workflow" that are no dock of their own: open files, draw a mask, save.

Each is a plain widget; what it makes it hands on by the layers of the viewer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image, Layer
from napari.utils.notifications import show_error, show_info
from napari.viewer import Viewer
from qtpy.QtWidgets import QFileDialog, QLabel, QPushButton, QVBoxLayout, QWidget

from shiftfield._napari.layers.found_fields import found_fields, pictures_of_fields
from shiftfield._napari.layers.inputs import about, data_shape, full_data, is_picture, is_result
from shiftfield._napari.layers.opening import ask_for_files, ask_for_folder, open_layers
from shiftfield._napari.layers.placement import placement
from shiftfield.whole import whole

_FIELD = "Shift field (*.h5 *.hdf5)"
_IN_NO_NAME = r'[\\/:*?"<>|]'  # of a file, on one system or another
Entry = tuple[str, str, Callable[[], None]]  # text, tooltip, what it does


class ButtonPage(QWidget):
    """A column of buttons and a line that says what there is."""

    def __init__(self, viewer: Viewer, entries: Sequence[Entry]) -> None:
        super().__init__()
        self.viewer = viewer
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for text, tip, act in entries:
            button = QPushButton(text)
            button.setToolTip(tip)
            button.setAccessibleDescription(tip)
            button.clicked.connect(lambda *_, act=act: act())
            layout.addWidget(button)
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.line.setAccessibleName("Status")
        layout.addWidget(self.line)
        layout.addStretch()

    def refuse(self, text: str) -> None:
        """Say why something is not done: at once, and here, where it stays."""
        self.line.setText(text)
        show_error(text)


class OpenPage(ButtonPage):
    """Opens files, a folder, or sample data."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(
            viewer,
            [
                (
                    "&Open files ...",
                    "Images; several become the frames of one stack.",
                    self.open_files,
                ),
                ("Open fol&der ...", "All images of a folder, as one stack.", self.open_folder),
                (
                    "Try the &cylinder flow",
                    "Two images of a flow.",
                    lambda: self.sample("cylinder_flow"),
                ),
                (
                    "Try the &tensile test",
                    "Four images of metal.",
                    lambda: self.sample("tensile_test"),
                ),
                (
                    "Try the &speckle scan",
                    "Two stacks of frames.",
                    lambda: self.sample("speckle_scan"),
                ),
            ],
        )

    def open_files(self) -> None:
        """Ask for files and open them."""
        self._open(ask_for_files(self, "Open images"))

    def open_folder(self) -> None:
        """Ask for a folder and open it."""
        self._open(ask_for_folder(self, "Open a folder of images"))

    def _open(self, addresses: Sequence[str]) -> None:
        self.line.clear()
        open_layers(self.viewer, addresses, self, self.refuse)

    def sample(self, key: str) -> None:
        """Open sample data."""
        self.line.clear()
        try:
            self.viewer.open_sample("shiftfield", key)
        except (OSError, ValueError, KeyError) as error:
            self.refuse(str(error))


class MaskPage(ButtonPage):
    """Makes the layer in which a person draws what takes no part."""

    def __init__(self, viewer: Viewer, chosen: Callable[[], Layer | None]) -> None:
        self._chosen = chosen
        super().__init__(
            viewer,
            [
                ("P&aint a mask", "A Labels layer on the sample, with the brush.", self.paint),
                ("&Draw a mask", "A Shapes layer on the sample, with polygons.", self.draw),
            ],
        )
        self.made: Layer | None = None

    def paint(self) -> None:
        """Add a Labels layer on the sample and take the brush."""
        layer = self._sample()
        if layer is not None:
            size = data_shape(layer)[-2:]
            self._keep(
                self.viewer.add_labels(np.zeros(size, np.uint8), name="mask", **_place(layer)),
                "paint",
            )

    def draw(self) -> None:
        """Add a Shapes layer on the sample and take the polygon."""
        layer = self._sample()
        if layer is not None:
            place = _place(layer)
            self._keep(self.viewer.add_shapes(None, ndim=2, name="mask", **place), "add_polygon")

    def _keep(self, layer: Any, mode: str) -> None:
        layer.mode = mode
        self.made = layer
        self.line.setText("Mark what takes no part, then go on. The next page takes this mask.")

    def _sample(self) -> Image | None:
        pictures = [layer for layer in self.viewer.layers if is_picture(layer)]
        pictures.sort(key=is_result, reverse=True)
        layer = self._chosen() or (pictures[-1] if pictures else None)
        if layer is None:
            self.refuse("There is no image to mask: open one first.")
        return layer if isinstance(layer, Image) else None


class SavePage(ButtonPage):
    """Saves fields in our format, and images as TIFF files of plain numbers."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(
            viewer,
            [
                (
                    "&Save the field ...",
                    "The newest shift field, as a file that opens again.",
                    self.save_field,
                ),
                (
                    "Save &images ...",
                    "All images of the newest field, and what was made of it: one TIFF each.",
                    self.save_images,
                ),
            ],
        )

    def save_field(self) -> None:
        """Ask for a file and write the newest field to it, with all its quantities."""
        fields = [
            one
            for one in found_fields(list(self.viewer.layers))
            if "projections" not in about(one.layers["x"])
        ]
        if not fields:
            self.refuse(
                "There is no shift field to save; the fields of a scan are in its file already."
            )
            return
        path, _ = QFileDialog.getSaveFileName(self, "Save the field", "field.h5", _FIELD)
        if path:
            self._try(lambda: _write(path, fields[0].everything(list(self.viewer.layers))))

    def save_images(self) -> None:
        """Ask for a folder and write each image of the newest field, and what was made of it, to it.

        Of a scan, the projection that is shown counts.
        """
        images = self._images()
        if not images:
            self.refuse("There is no shift field to save images of: run a search, or open one.")
            return
        folder = QFileDialog.getExistingDirectory(self, "Save images to a folder")
        if folder:
            self._try(lambda: _tiffs(Path(folder), images))

    def _images(self) -> dict[str, Any]:
        """Return the numbers to save by the name of their file; those of a scan are not yet read."""
        layers = list(self.viewer.layers)
        fields = found_fields(layers)
        if not fields:
            return {layer.name: full_data(layer) for layer in pictures_of_fields(layers)}
        newest = fields[0]
        at = newest.index(self.viewer)
        which = "".join(f", projection {n}" for n in at)
        mine = [one for one in newest.everything(layers) if isinstance(one, Image)]
        return {
            f"{one.name}{which}": full_data(one)[at] if at else full_data(one) for one in mine
        } | {one.name: full_data(one) for one in newest.made_of_it(layers)}

    def _try(self, save: Callable[[], Sequence[str]]) -> None:
        try:
            saved = save()
        except (OSError, ValueError) as error:
            self.refuse(str(error))
            return
        text = f"Saved: {', '.join(Path(one).name for one in saved)}."
        self.line.setText(text)
        show_info(text)


def _place(layer: Layer) -> dict[str, Any]:
    place = placement(layer, (0,) * (layer.ndim - 2))
    return {name: value for name, value in place.items() if name != "shear" or np.any(value)}


def _write(path: str, layers: Sequence[Layer]) -> list[str]:
    from shiftfield._napari.files.writer import write_field

    return write_field(path, [layer.as_layer_data_tuple() for layer in layers])


def _tiffs(folder: Path, images: dict[str, Any]) -> list[str]:
    """Write each image as numbers (float32), none where one of the files exists; return their paths."""
    paths = [folder / f"{re.sub(_IN_NO_NAME, '-', name)}.tif" for name in images]
    for path in paths:
        if path.exists():
            raise FileExistsError(f"{path} exists; choose another folder, or remove it.")
    tifffile = import_module("tifffile")
    for path, data in zip(paths, images.values(), strict=True):
        with whole(path) as part:
            tifffile.imwrite(part, np.asarray(data, np.float32))
    return [str(path) for path in paths]
