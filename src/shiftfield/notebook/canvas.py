"""The picture of a viewer in a cell: frames out, mouse in. It knows nothing of layers and slices."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from jupyter_rfb import RemoteFrameBuffer
from numpy.typing import NDArray

from shiftfield.notebook.threads import in_qt

_TURN = 1.15  # zoom of one notch of the wheel, which is 100 in the browser's units
_NOTCH = 100.0


class Canvas(RemoteFrameBuffer):
    """A frame buffer whose frames are the canvas of a napari viewer.

    Parameters
    ----------
    viewer : napari.Viewer
        With a window.
    width, height : int
        Most it takes of the cell, px; its proportions are those of the viewer's own canvas.
    """

    def __init__(self, viewer: Any, width: int, height: int) -> None:
        self._viewer: Any = None
        self._frame: NDArray[np.uint8] | None = None
        self._asked = True  # until there is a viewer
        super().__init__(css_width=f"{width}px", css_height=f"{height}px", resizable=False)
        self._most = width, height
        self._scale = 1.0  # px of the canvas in one of the cell
        self._viewer = viewer
        self._asked = False
        self._size = width, height
        self._held: tuple[float, float] | None = None

    def get_frame(self) -> NDArray[np.uint8] | None:
        """Return what the viewer shows, `(H, W, 4)`; None when its window is gone.

        Widgets' messages come on another thread, which may not touch a window: there it is the last frame.
        """
        if threading.current_thread() is threading.main_thread():
            self._take()
        return self._frame if self._viewer is not None else None

    def request_draw(self) -> None:
        """Ask for a new frame; many requests before it is drawn are one."""
        if not self._asked:
            self._asked = True
            in_qt(self._renew)

    def _renew(self) -> None:
        self._asked = False
        self._take()
        super().request_draw()
        draw = getattr(self, "_rfb_maybe_draw", None)  # asyncio's loop may wait for Qt's
        if draw is not None and self._viewer is not None:
            draw()

    def _take(self) -> None:
        """Keep a picture of the viewer; in Qt's thread."""
        if self._viewer is None:
            return
        try:
            self._frame = np.asarray(self._viewer.screenshot(canvas_only=True, flash=False))
        except (AttributeError, RuntimeError):  # the window was closed
            self.let_go()
            return
        self._fit_into_cell(*self._frame.shape[:2])

    def _fit_into_cell(self, tall: int, wide: int) -> None:
        """Let the cell have the proportions of a frame, whose window may have changed."""
        self._scale = max(wide / self._most[0], tall / self._most[1])
        self._size = round(wide / self._scale), round(tall / self._scale)
        self.css_width = f"{self._size[0]}px"
        self.css_height = f"{self._size[1]}px"

    def let_go(self) -> None:
        """Draw nothing more."""
        self._viewer = None

    def handle_event(self, event: dict[str, Any]) -> None:
        """Pan while the mouse is held, zoom about the pointer when the wheel turns."""
        in_qt(self._handle, event)

    def _handle(self, event: dict[str, Any]) -> None:
        if self._viewer is None:
            return
        kind = event.get("type", event.get("event_type"))
        if kind == "pointer_down" and event.get("button") == 1:
            self._held = event["x"], event["y"]
        elif kind == "pointer_move" and self._held is not None:
            self._pan(event["x"] - self._held[0], event["y"] - self._held[1])
            self._held = event["x"], event["y"]
        elif kind in ("pointer_up", "pointer_leave"):
            self._held = None
        elif kind == "wheel":
            self._zoom(event["x"], event["y"], _TURN ** (-event["dy"] / _NOTCH))
        elif kind == "double_click":
            self.fit()

    def fit(self) -> None:
        """Show all layers."""
        if self._viewer is None:
            return
        self._viewer.reset_view()

    def _pan(self, right: float, down: float) -> None:
        camera = self._viewer.scene.camera
        depth, y, x = camera.center
        px = self._scale / camera.zoom
        camera.center = depth, y - down * px, x - right * px

    def _zoom(self, x: float, y: float, factor: float) -> None:
        camera = self._viewer.scene.camera
        depth, cy, cx = camera.center
        right, down = ((a - b / 2) * self._scale for a, b in zip((x, y), self._size, strict=True))
        before = camera.zoom
        camera.zoom = before * factor
        moved = 1 / before - 1 / camera.zoom
        camera.center = depth, cy + down * moved, cx + right * moved
