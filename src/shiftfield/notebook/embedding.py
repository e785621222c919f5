"""A napari viewer in a cell: its canvas, sliders for its slices, its layers to tick.

All of it follows the viewer, whoever changes it: the mouse, a script, a dock.
"""

from __future__ import annotations

from typing import Any

from ipywidgets import HTML, Button, Checkbox, HBox, IntSlider, Layout, VBox

from shiftfield.notebook.canvas import Canvas
from shiftfield.notebook.threads import in_qt
from shiftfield.settings import check_integer

_BESIDE = (720, 120)  # px that lists and docks take of a window, about


class EmbeddedViewer(VBox):
    """What `shiftfield.notebook.embed` returns.

    Attributes
    ----------
    viewer : napari.Viewer
        The viewer; scripts use it as ever.
    canvas : Canvas
        The picture.
    """

    _open = False

    def __init__(self, viewer: Any, *, width: int, height: int) -> None:
        import napari

        for name, size in (("width", width), ("height", height)):
            if check_integer(name, size, 64, "px") > 4096:
                raise ValueError(f"{name} is {size!r}; it must be at most 4096 px.")
        if viewer is None:
            viewer = napari.Viewer(show=True)
        if not isinstance(viewer, napari.Viewer):
            raise ValueError(
                f"viewer is a {type(viewer).__name__}; it must be a napari.Viewer, or None."
            )
        self.viewer = viewer
        viewer.window.resize(width + _BESIDE[0], height + _BESIDE[1])
        self.canvas = Canvas(viewer, width, height)
        self._sliders = VBox()
        self._layers = VBox(layout=Layout(max_height=f"{height}px", overflow="auto"))
        self._open = True  # until `close`, which Python calls too when a widget goes
        reset = Button(description="Reset view", tooltip="Show all of the layers", icon="home")
        reset.on_click(lambda _: in_qt(self._reset))
        beside = VBox([reset, self._layers], layout=Layout(min_width="190px"))
        super().__init__([HBox([self.canvas, beside]), self._sliders])
        self._watched: list[tuple[Any, Any]] = []
        self._follow(viewer.scene.camera.events, self._draw)
        for event in (viewer.dims.events.ndim, viewer.dims.events.range, viewer.dims.events.order):
            self._follow(event, self._renew_sliders)
        self._follow(viewer.dims.events.current_step, self._move_sliders)
        for name in ("inserted", "removed", "reordered", "renamed"):
            self._follow(getattr(viewer.layers.events, name), self._renew_layers)
        self._renew_layers()
        self._renew_sliders()
        self.canvas.fit()

    def close(self) -> None:
        """Let go of the viewer, which stays open, and take the picture out of the cell."""
        if not self._open:
            return
        self._open = False
        for emitter, slot in self._watched:
            emitter.disconnect(slot)
        for layer in self.viewer.layers:
            layer.events.disconnect(self._layer_changed)
        self.canvas.let_go()
        self.canvas.close()
        super().close()

    def _follow(self, emitter: Any, slot: Any) -> None:
        emitter.connect(slot)
        self._watched.append((emitter, slot))

    def _draw(self, *_: Any) -> None:
        self.canvas.request_draw()

    def _reset(self) -> None:
        self.canvas.fit()
        self._draw()

    # -- slices --------------------------------------------------------------------------------

    def _renew_sliders(self, *_: Any) -> None:
        """Make a slider for each axis that is not displayed and has several steps."""
        dims = self.viewer.dims
        sliders = []
        for axis in range(dims.ndim):
            if axis in dims.displayed or dims.nsteps[axis] < 2:
                continue
            slider = IntSlider(
                value=dims.current_step[axis], min=0, max=dims.nsteps[axis] - 1,
                description=dims.axis_labels[axis], layout=Layout(width="60%"),
            )  # fmt: skip
            slider.axis = axis
            slider.observe(self._slide, "value")
            sliders.append(slider)
        self._sliders.children = tuple(sliders)
        self._draw()

    def _slide(self, change: Any) -> None:
        in_qt(self.viewer.dims.set_current_step, change.owner.axis, change.new)

    def _move_sliders(self, *_: Any) -> None:
        for slider in self._sliders.children:
            slider.value = min(self.viewer.dims.current_step[slider.axis], slider.max)
        self._draw()

    # -- layers --------------------------------------------------------------------------------

    def _renew_layers(self, *_: Any) -> None:
        """Make a box for each layer, the topmost first, as napari lists them."""
        boxes = []
        for layer in reversed(self.viewer.layers):
            layer.events.disconnect(self._layer_changed)
            layer.events.connect(self._layer_changed)
            box = Checkbox(value=bool(layer.visible), description=layer.name, indent=False)
            box.tooltip = f"Show or hide {layer.name}"
            box.napari_layer = layer
            box.observe(self._tick, "value")
            boxes.append(box)
        self._layers.children = tuple(boxes) if boxes else (HTML("<i>no layers</i>"),)
        self._draw()

    def _tick(self, change: Any) -> None:
        in_qt(setattr, change.owner.napari_layer, "visible", change.new)

    def _layer_changed(self, *_: Any) -> None:
        for box in self._layers.children:
            layer = getattr(box, "napari_layer", None)
            if layer is not None and box.value != layer.visible:
                box.value = bool(layer.visible)
        self._draw()
