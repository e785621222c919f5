"""The window of the demo: the cylinder flow, its shifts and its vectors in one napari viewer.

Run as a process of its own by `shiftfield.demo`, which decides whether there is a display.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import napari
from napari.layers import Layer
from qtpy.QtWidgets import QApplication

from shiftfield import samples
from shiftfield.field import ShiftField

_SPACING = 24
_LENGTH = 9


def open_viewer(field: ShiftField) -> napari.Viewer:
    """Return a shown viewer with both frames, the shifts and the vectors of the cylinder flow.

    The y shift over the sample is what can be seen at first: it shows the vortices.
    """
    viewer = napari.Viewer(title="shiftfield: flow behind a cylinder")
    for name, frame in zip(("reference", "sample"), samples.cylinder_flow(), strict=True):
        viewer.add_image(frame, name=name, colormap="gray", contrast_limits=(0, 160))
    for layer in field.to_layers(spacing=_SPACING, length=_LENGTH):
        viewer.add_layer(Layer.create(*layer))
    for name in ("reference", "x shift", "score"):
        viewer.layers[name].visible = False
    viewer.layers["y shift"].opacity = 0.6
    viewer.layers["y shift"].colorbar.visible = True
    viewer.layers[-1].edge_width = 3.5
    words = viewer.canvas.overlays["text"]
    words.text = f"Colour: y shift, px. Vectors: motion, drawn {_LENGTH} times as long."
    words.visible = True
    viewer.layers.selection.active = viewer.layers["y shift"]
    return viewer


def main(arguments: Sequence[str] | None = None) -> None:
    """Show a saved field until the window is closed, or draw the window into a file."""
    parser = argparse.ArgumentParser(prog="python -m shiftfield._napari.files.demo_viewer")
    parser.add_argument("field", type=Path, help="a field that ShiftField.save wrote")
    parser.add_argument("--screenshot", type=Path, help="draw the window here and end")
    wanted = parser.parse_args(arguments)
    # "could not determine DPI", on a display without xrandr: nothing a user can or need do about.
    logging.getLogger("vispy").addFilter(lambda record: "DPI" not in record.getMessage())
    viewer = open_viewer(ShiftField.load(wanted.field))
    if wanted.screenshot is None:
        napari.run()
        return
    viewer.window.resize(1366, 768)
    QApplication.processEvents()
    viewer.reset_view()
    QApplication.processEvents()
    viewer.screenshot(str(wanted.screenshot), canvas_only=False, flash=False)
    viewer.close()


if __name__ == "__main__":
    main()
