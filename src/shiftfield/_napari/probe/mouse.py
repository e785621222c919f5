"""The mouse on the canvas as a probe: a press and a drag name pixels, and do not move the picture meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from napari.viewer import Viewer

Found = Callable[[Any], bool]


class ProbeMouse:
    """Calls `found` with the mouse's place in the world while it is pressed; it returns whether that counts."""

    def __init__(self, viewer: Viewer, found: Found) -> None:
        self._viewer, self._found = viewer, found
        self._on = False

    @property
    def on(self) -> bool:
        """Whether the mouse is listened to."""
        return self._on

    def start(self) -> None:
        """Listen to the mouse."""
        if not self._on:
            self._viewer.mouse_drag_callbacks.append(self._drag)
            self._on = True

    def stop(self) -> None:
        """Let the mouse be as it was."""
        if self._on:
            self._viewer.mouse_drag_callbacks.remove(self._drag)
            self._on = False

    def _drag(self, viewer: Viewer, event: Any) -> Iterator[None]:
        if event.button != 1 or event.modifiers or not self._free():
            return
        if not self._found(event.position):
            return
        camera = viewer.scene.camera
        pans, camera.mouse_pan = camera.mouse_pan, False
        try:
            yield
            while event.type == "mouse_move":
                self._found(event.position)
                yield
        finally:
            camera.mouse_pan = pans

    def _free(self) -> bool:
        """Whether no layer wants the mouse for drawing or picking, and the view is flat."""
        active = self._viewer.layers.selection.active
        mode = "pan_zoom" if active is None else str(getattr(active, "mode", "pan_zoom"))
        return mode == "pan_zoom" and self._viewer.dims.ndisplay == 2
