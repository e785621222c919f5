"""How many answers a second the live preview gives, and how late the viewer's frames are meanwhile.

`python -m benchmarks.live` (with a display, or under `xvfb-run`) turns a setting, or moves the view, every 30 ms,
as a turned wheel or a drag does, and looks at the viewer's event loop every 5 ms: what comes later had to wait.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ["NAPARI_CONFIG"] = ""  # napari's own defaults

import napari
import numpy as np
from qtpy.QtCore import QEventLoop, QTimer

from benchmarks.machine import machine
from shiftfield.synthetic import speckle

_LOOK_MS = 5
_CHANGE_MS = 30
_PAGE = Path(__file__).parents[1] / "docs" / "plugin.md"
_MARK, _END = "<!-- written by python -m benchmarks.live --write -->", "<!-- end -->"
_SAID = (
    "A setting (window 7 and 9 px in turn, margin 10 px, one frame), or the view, changed every 30 ms; the "
    "latest frame is the longest time that the window's events had to wait. Measured on {date}: {processor}, "
    "{cores} cores, with OpenGL in software under Xvfb, which takes a good part of them."
)


@dataclass(frozen=True)
class Live:
    """One run: answers a second, how late frames were (ms), how coarse the answers were (px)."""

    what: str
    side: int
    answers_per_second: float
    latest_frame_ms: float
    frames_later_than_50_ms: int
    median_step: float


def spin(seconds: float) -> None:
    """Let the viewer live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def measure(what: str, side: int, seconds: float) -> Live:
    """Change the window ("settings"), or move the view ("view"), and count what is shown meanwhile."""
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window.resize(1366, 768)
    viewer.add_image(speckle((side, side), seed=1), name="reference")
    viewer.add_image(speckle((side, side), seed=1, shift=(1.6, -2.3)), name="sample")
    dock: Any = viewer.window.add_plugin_dock_widget("shiftfield", "Local shifts")[1]
    spin(0.5)
    viewer.reset_view(margin=0)
    dock.live.value = True
    live = dock.live_preview
    for window in (9, 7):  # what is compiled once is not measured
        dock.window.value = window
        spin(0.1)
        while live.busy:
            spin(0.1)
    gaps: list[float] = []
    steps: list[int] = []
    state = {"turn": 0, "last": time.perf_counter()}

    def look() -> None:
        now = time.perf_counter()
        gaps.append(now - state["last"])
        state["last"] = now

    def change() -> None:
        state["turn"] += 1
        layer = next(x for x in viewer.layers if x.name.startswith("live"))
        steps.append(round(layer.scale[-1]))  # that of the sample is 1
        if what == "settings":
            dock.window.value = 9 if state["turn"] % 2 else 7  # 7 is there already
        else:
            camera = viewer.scene.camera
            depth, y, x = camera.center
            far = 4 if state["turn"] % 40 < 20 else -4
            camera.center = (depth, y + far, x + far)

    timers = []
    for pause, slot in ((_LOOK_MS, look), (_CHANGE_MS, change)):
        timer = QTimer()
        timer.setInterval(pause)
        timer.timeout.connect(slot)
        timer.start()
        timers.append(timer)
    before, began = live.answers, time.perf_counter()
    spin(seconds)
    rate = (live.answers - before) / (time.perf_counter() - began)
    for timer in timers:
        timer.stop()
    viewer.close()
    late = 1000 * np.array(gaps[1:])
    return Live(
        what,
        side,
        round(rate, 1),
        round(float(late.max()), 1),
        int(np.sum(late > 50)),
        float(np.median(steps)),
    )


def main() -> None:
    """Print a table and, with --json, the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="write the table into docs/plugin.md")
    given = parser.parse_args()
    found = [
        measure(what, side, given.seconds)
        for what, side in (("settings", 512), ("view", 512), ("settings", 2160))
    ]
    if given.json:
        print(
            json.dumps({"machine": machine(0.0), "live": [asdict(one) for one in found]}, indent=1)
        )
        return
    text = table(found)
    print(text)
    if given.write:
        before, _, rest = _PAGE.read_text(encoding="utf-8").partition(_MARK)
        _, end, after = rest.partition(_END)
        said = _SAID.format(**machine(0.0))
        _PAGE.write_text(f"{before}{_MARK}\n{said}\n\n{text}\n{end}{after}", encoding="utf-8")


def table(found: list[Live]) -> str:
    """Return the runs as a table of Markdown."""
    head = (
        "| change of | image | answers a second | latest frame | median step meanwhile |\n"
        "|---|---:|---:|---:|---:|"
    )
    rows = [
        f"| {one.what} | {one.side} x {one.side} px | {one.answers_per_second} | {one.latest_frame_ms} ms | "
        f"{one.median_step:g} px |"
        for one in found
    ]
    return "\n".join((head, *rows))


if __name__ == "__main__":
    main()
