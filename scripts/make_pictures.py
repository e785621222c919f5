"""Draw the pictures of the documentation from the real viewer into docs/pictures.

Run it with a display, or as `xvfb-run -a -s "-screen 0 1366x768x24" python scripts/make_pictures.py`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["NAPARI_CONFIG"] = ""  # napari's own defaults, not those of whoever runs this

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from shiftfield import synthetic

SIZE = (1366, 768)
FOLDER = Path(__file__).parents[1] / "docs" / "pictures"


def main() -> None:
    """Draw all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("name", nargs="*", help=f"some of: {', '.join(PICTURES)}")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--theme", default="dark", choices=("dark", "light"))
    wanted = parser.parse_args()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    for name in wanted.name or PICTURES:
        viewer = napari.Viewer(show_welcome_screen=False)
        viewer.theme = wanted.theme
        viewer.window.resize(*SIZE)
        settle()
        PICTURES[name](viewer)
        settle(1.0)
        viewer.screenshot(str(wanted.folder / f"{name}.png"), canvas_only=False, flash=False)
        viewer.close()
        print(wanted.folder / f"{name}.png")


def settle(seconds: float = 0.3) -> None:
    """Let the window draw itself."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def dock(viewer: napari.Viewer, name: str, **fields: Any) -> Any:
    """Open a dock and fill in its form."""
    opened = viewer.window.add_plugin_dock_widget("shiftfield", name)[1]
    settle()
    for field, value in fields.items():
        opened[field].value = value
    return opened


def run(opened: Any) -> None:
    """Press Run and wait for the layers."""
    opened.run()
    opened.wait()
    settle()


def run_warm(opened: Any) -> None:
    """Run twice and keep the second answer, whose time holds no compilation."""
    opened.run()
    for layer in opened.wait():
        layer.name = "not kept"
    opened.run()
    opened.wait()
    viewer = napari.current_viewer()
    for layer in [layer for layer in viewer.layers if layer.name.startswith("not kept")]:
        viewer.layers.remove(layer)
    settle()


def the_viewer(viewer: napari.Viewer) -> None:
    """Show the vortex street: y shift over the images, motion as arrows."""
    viewer.open_sample("shiftfield", "cylinder_flow")
    run_warm(dock(viewer, "Local shifts", window=31, spacing=24, length=8))
    viewer.layers["x shift"].visible = False
    viewer.layers.selection.active = viewer.layers["y shift"]
    viewer.reset_view(margin=0.02)


def correlation_map(viewer: napari.Viewer) -> None:
    """Show a rectangle of the sample, its map at the world origin, and the dock."""
    viewer.open_sample("shiftfield", "cylinder_flow")
    rectangle = [[50, 80], [50, 300], [200, 300], [200, 80]]
    part = viewer.add_shapes(
        [rectangle], name="part of the sample", edge_color="#ff8000", edge_width=3,
        face_color="transparent",
    )  # fmt: skip
    opened = dock(viewer, "Correlation map", margin=30)
    opened.template.value = part
    run(opened)
    viewer.scene.camera.center = (90, 130)
    viewer.scene.camera.zoom = 1.8


def locate_peak(viewer: napari.Viewer) -> None:
    """Show the peak on its map."""
    viewer.open_sample("shiftfield", "cylinder_flow")
    run(dock(viewer, "Correlation map"))
    run(dock(viewer, "Locate peak"))
    viewer.layers[0].visible = viewer.layers[1].visible = False
    viewer.scene.camera.center = (0, 0)
    viewer.scene.camera.zoom = 25


def local_shifts(viewer: napari.Viewer) -> None:
    """Show the stretch of a specimen under load."""
    viewer.open_sample("shiftfield", "tensile_test")
    opened = dock(viewer, "Local shifts", window=31, margin=12, spacing=40, length=8, score=True)
    opened.sample.value = viewer.layers[2]
    run_warm(opened)
    viewer.reset_view(margin=0.02)


def global_shift(viewer: napari.Viewer) -> None:
    """Show the points of a global shift, and the sample moved by it."""
    viewer.open_sample("shiftfield", "cylinder_flow")
    run(dock(viewer, "Global shift", length=20, move=True))
    viewer.reset_view(margin=0.02)


def umpa_shifts(viewer: napari.Viewer) -> None:
    """Show what a simulated scan gives."""
    viewer.open_sample("shiftfield", "speckle_scan")
    run(dock(viewer, "UMPA shifts", window=9, spacing=10, length=3))
    viewer.reset_view(margin=0.02)


def checked_flow(viewer: napari.Viewer) -> None:
    """Search the cylinder flow with quality, and leave the field alone in the window."""
    viewer.open_sample("shiftfield", "cylinder_flow")
    opened = dock(viewer, "Local shifts", window=31, step=2, quality=True)
    run(opened)
    viewer.window.remove_dock_widget(opened.native)
    viewer.layers[-1].visible = False
    viewer.reset_view(margin=0.02)


def probe_a_pixel(viewer: napari.Viewer) -> None:
    """Probe a pixel of the wake, where another shift fits nearly as well."""
    checked_flow(viewer)
    opened = viewer.window.add_plugin_dock_widget("shiftfield", "Probe a pixel")[1]
    settle()
    opened.look_at(160, 826)


def inspect_a_field(viewer: napari.Viewer) -> None:
    """Show the histogram of the x shift."""
    checked_flow(viewer)
    viewer.window.add_plugin_dock_widget("shiftfield", "Inspect a field")


def phase_and_strain(viewer: napari.Viewer) -> None:
    """Show the strain of the specimen along its load."""
    viewer.open_sample("shiftfield", "tensile_test")
    search = dock(viewer, "Local shifts", window=31, margin=12, step=4, refine="icgn", quality=True)
    search.sample.value = viewer.layers[2]
    run(search)
    viewer.window.remove_dock_widget(search.native)
    opened = dock(viewer, "Phase and strain", quantity="strain", window=15)
    run(opened)
    for layer in viewer.layers:
        layer.visible = layer.name == "strain exx"
    viewer.reset_view(margin=0.02)


def scan(viewer: napari.Viewer) -> None:
    """Show a scan of four simulated projections, the slider on the third."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = [
            synthetic.speckle_scan((200, 260), frames=5, displacement=n, dark_field=0.6, seed=3)
            for n in (0.5, 1.0, 1.5, 2.0)
        ]
        np.save(folder / "flat.npy", made[0].reference)
        np.save(folder / "scan.npy", np.stack([one.sample for one in made]))
        opened = dock(
            viewer, "Scan", references=str(folder / "flat.npy"), samples=str(folder / "scan.npy"),
            out=str(folder / "fields.h5"), method="umpa_dark", window=9, margin=4,
        )  # fmt: skip
        run(opened)
        opened.out.value, opened.references.value, opened.samples.value = (
            "fields.h5", "flat.npy", "scan.npy",
        )  # fmt: skip
        viewer.dims.set_current_step(0, 2)
        viewer.reset_view(margin=0.02)
        settle(1.0)
        viewer.screenshot(str(folder / "once.png"), canvas_only=False, flash=False)  # all is read


def workflow(viewer: napari.Viewer) -> None:
    """Show the page on which shifts are found."""
    viewer.open_sample("shiftfield", "speckle_scan")
    opened = viewer.window.add_plugin_dock_widget("shiftfield", "Workflow")[1]
    settle()
    opened.show_step(3)
    settle()
    viewer.reset_view(margin=0.02)


def how_made(viewer: napari.Viewer) -> None:
    """Show what a layer says of itself."""
    checked_flow(viewer)
    viewer.window.add_plugin_dock_widget("shiftfield", "How was it made?")
    viewer.layers.selection.active = viewer.layers["x shift"]


PICTURES: dict[str, Callable[[napari.Viewer], None]] = {
    "viewer": the_viewer,
    "correlation-map": correlation_map,
    "locate-peak": locate_peak,
    "local-shifts": local_shifts,
    "global-shift": global_shift,
    "umpa-shifts": umpa_shifts,
    "probe-a-pixel": probe_a_pixel,
    "inspect-a-field": inspect_a_field,
    "phase-and-strain": phase_and_strain,
    "scan": scan,
    "workflow": workflow,
    "how-was-it-made": how_made,
}

if __name__ == "__main__":
    main()
