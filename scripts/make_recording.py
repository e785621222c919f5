"""Record the live preview and the probe as a short moving picture, docs/pictures/live.webp, from the real viewer.

Run it with a display, or as `xvfb-run -a -s "-screen 0 1366x768x24" python scripts/make_recording.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["NAPARI_CONFIG"] = ""  # napari's own defaults

import napari
from PIL import Image
from qtpy.QtCore import QEventLoop, QTimer

SIZE = (1366, 768)
DRAWN = (960, 540)
PATH = Path(__file__).parents[1] / "docs" / "pictures" / "live.webp"
PAUSE = 0.35  # s between frames


def spin(seconds: float) -> None:
    """Let the viewer live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def script(viewer: napari.Viewer, dock: Any) -> Iterator[None]:
    """Do what a person does; a frame is taken at each step."""
    dock.live.value = True
    while dock.live_preview.busy:
        yield
    dock.live_shows.value = "y"
    for window in (7, 9, 11, 13, 15, 19, 23, 27, 31):
        dock.window.value = window
        yield
    for _ in range(3):
        yield
    for _ in range(8):
        viewer.scene.camera.zoom *= 1.15
        yield
    for _ in range(6):
        depth, y, x = viewer.scene.camera.center
        viewer.scene.camera.center = (depth, y, x - 25)
        yield
    for _ in range(4):
        yield


def main() -> None:
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window.resize(*SIZE)
    viewer.open_sample("shiftfield", "cylinder_flow")
    dock = viewer.window.add_plugin_dock_widget("shiftfield", "Local shifts")[1]
    dock.margin.value = 5
    spin(1)
    viewer.reset_view(margin=0.02)
    frames = []
    for _ in script(viewer, dock):
        spin(PAUSE)
        shot = Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)).convert("RGB")
        frames.append(shot.resize(DRAWN, Image.Resampling.LANCZOS))
    viewer.close()
    first, *others = frames
    first.save(
        PATH, save_all=True, append_images=others, duration=round(1000 * PAUSE), loop=0, quality=60, method=4,
    )  # fmt: skip
    print(PATH, f"{PATH.stat().st_size / 1e6:.2f} MB, {len(frames)} frames")


if __name__ == "__main__":
    main()
