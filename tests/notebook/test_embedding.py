"""The viewer in a cell: frames, mouse, slices, layers, closing; the widgets are the real ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jupyter_rfb")

from shiftfield import notebook


@pytest.fixture
def viewer(make_napari_viewer: Any) -> Any:
    viewer = make_napari_viewer(show=True)
    rng = np.random.default_rng(0)
    viewer.add_image(rng.random((3, 40, 60)), name="stack")
    viewer.add_image(np.eye(40, 60), name="eye", opacity=0.5)
    return viewer


@pytest.fixture
def shown(viewer: Any) -> Iterator[Any]:
    embedded = notebook.embed(viewer, width=320, height=240)
    yield embedded
    embedded.close()


def event(kind: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    return {"type": kind, "x": x, "y": y, **more}


def test_a_frame_is_the_canvas_and_fits_into_the_cell(shown: Any, viewer: Any) -> None:
    frame = shown.canvas.get_frame()
    assert frame.shape == viewer.screenshot(canvas_only=True, flash=False).shape
    assert len(np.unique(frame.reshape(-1, 4), axis=0)) > 20
    width, height = (
        int(css.removesuffix("px")) for css in (shown.canvas.css_width, shown.canvas.css_height)
    )
    assert max(width / 320, height / 240) == pytest.approx(1)
    assert width / height == pytest.approx(frame.shape[1] / frame.shape[0], rel=0.02)


def test_the_wheel_zooms_about_the_pointer(shown: Any, viewer: Any) -> None:
    camera = viewer.scene.camera
    at = (80.0, 60.0)

    first = shown.canvas.get_frame()
    width, height = (
        int(css.removesuffix("px")) for css in (shown.canvas.css_width, shown.canvas.css_height)
    )
    scale = first.shape[1] / width

    def under_the_pointer() -> tuple[float, float]:
        y, x = camera.center[1:]
        px = scale / camera.zoom
        return y + (at[1] - height / 2) * px, x + (at[0] - width / 2) * px

    before, zoom = under_the_pointer(), camera.zoom
    shown.canvas.handle_event(event("wheel", *at, dx=0, dy=-200))
    assert camera.zoom > 1.2 * zoom
    assert under_the_pointer() == pytest.approx(before, abs=0.2)
    assert not np.array_equal(shown.canvas.get_frame(), first)


def test_dragging_moves_the_picture_with_the_mouse(shown: Any, viewer: Any) -> None:
    camera = viewer.scene.camera
    _, y, x = camera.center
    width = int(shown.canvas.css_width.removesuffix("px"))
    px = shown.canvas.get_frame().shape[1] / width / camera.zoom
    shown.canvas.handle_event(event("pointer_move", 0, 0))
    assert camera.center[1:] == (y, x), "no button is held"
    shown.canvas.handle_event(event("pointer_down", 100, 100, button=1))
    shown.canvas.handle_event(event("pointer_move", 130, 90))
    shown.canvas.handle_event(event("pointer_up", 130, 90))
    assert camera.center[1:] == pytest.approx((y + 10 * px, x - 30 * px), rel=0.01)
    shown.canvas.handle_event(event("pointer_move", 300, 200))
    assert camera.center[2] == pytest.approx(x - 30 * px, rel=0.01)


def test_a_double_click_shows_all(shown: Any, viewer: Any) -> None:
    zoom = viewer.scene.camera.zoom
    viewer.scene.camera.zoom = 0.1
    viewer.scene.camera.center = (0, 0, 0)
    shown.canvas.handle_event(event("double_click", 10, 10))
    assert viewer.scene.camera.zoom == pytest.approx(zoom)
    assert viewer.scene.camera.center[1:] == pytest.approx((19.5, 29.5))


def test_a_slider_for_each_axis_with_slices(shown: Any, viewer: Any) -> None:
    (slider,) = shown._sliders.children
    assert (slider.min, slider.max) == (0, 2)
    first = shown.canvas.get_frame()
    slider.value = 2
    assert viewer.dims.current_step[0] == 2
    assert not np.array_equal(shown.canvas.get_frame(), first)
    viewer.dims.set_current_step(0, 0)
    assert slider.value == 0
    viewer.layers.remove("stack")
    assert shown._sliders.children == ()


def test_boxes_show_and_hide_layers_and_follow_them(shown: Any, viewer: Any) -> None:
    boxes = shown._layers.children
    assert [box.description for box in boxes] == ["eye", "stack"]
    boxes[0].value = False
    assert not viewer.layers["eye"].visible
    viewer.layers["eye"].visible = True
    assert boxes[0].value
    viewer.layers["eye"].name = "diagonal"
    viewer.add_image(np.zeros((40, 60)), name="new")
    assert [box.description for box in shown._layers.children] == ["new", "diagonal", "stack"]
    viewer.layers.clear()
    assert "no layers" in shown._layers.children[0].value


def test_a_frame_is_asked_for_when_something_changes(
    shown: Any, viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(type(shown.canvas), "request_draw", lambda _: asked.append(1))
    for change in (
        lambda: setattr(viewer.layers["eye"], "opacity", 0.9),
        lambda: setattr(viewer.scene.camera, "zoom", 3.0),
        lambda: viewer.dims.set_current_step(0, 2),
        lambda: setattr(viewer.layers["eye"], "data", np.ones((40, 60))),
    ):
        asked.clear()
        change()
        assert asked


def test_what_comes_on_another_thread_is_done_on_that_of_qt(
    shown: Any, viewer: Any, qtbot: Any
) -> None:
    zoom = viewer.scene.camera.zoom
    first = shown.canvas.get_frame()
    frames: list[Any] = []

    def as_jupyter_does() -> None:
        shown.canvas.handle_event(event("wheel", 50, 50, dx=0, dy=-300))
        shown._layers.children[0].value = False
        frames.append(shown.canvas.get_frame())

    thread = threading.Thread(target=as_jupyter_does)
    thread.start()
    thread.join()
    assert viewer.scene.camera.zoom == zoom, "not on that thread"
    assert frames[0] is first
    qtbot.waitUntil(lambda: viewer.scene.camera.zoom > zoom and not viewer.layers["eye"].visible)
    assert not np.array_equal(shown.canvas.get_frame(), first)


def test_closing_lets_go_of_the_viewer(viewer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = notebook.embed(viewer, width=320, height=240)
    asked: list[int] = []
    shown.close()
    shown.close()
    monkeypatch.setattr(type(shown.canvas), "request_draw", lambda _: asked.append(1))
    viewer.layers["eye"].visible = False
    viewer.scene.camera.zoom *= 2
    viewer.add_image(np.zeros((40, 60)))
    assert asked == []
    assert shown.canvas.get_frame() is None


def test_a_viewer_that_is_closed_first_leaves_the_cell_alone(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.eye(30))
    shown = notebook.embed(viewer, width=320, height=240)
    viewer.close()
    assert shown.canvas.get_frame() is None
    shown.canvas.handle_event(event("wheel", 1, 1, dx=0, dy=100))
    shown.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"width": 10}, "width is 10; it must be a whole number of at least 64 px"),
        ({"height": 9999}, "height is 9999; it must be at most 4096 px"),
        ({"viewer": 7}, "viewer is a int; it must be a napari.Viewer"),
    ],
)
def test_what_is_wrong_is_said(viewer: Any, arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        notebook.embed(**{"viewer": viewer} | arguments)


def test_a_missing_package_is_named() -> None:
    from shiftfield.notebook.needed import need

    with pytest.raises(
        ImportError, match=r"no_such_package is not installed; .*shiftfield\[notebook\]"
    ):
        need("numpy", "no_such_package")


def test_importing_it_loads_nothing() -> None:
    code = (
        "import sys, shiftfield.notebook; "
        "assert not {'napari', 'ipywidgets', 'jupyter_rfb', 'qtpy', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="these have a screen")
class TestDisplay:
    """A remote kernel has no display."""

    def run(self, code: str, path: str) -> subprocess.CompletedProcess[str]:
        known = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
        return subprocess.run(
            [sys.executable, "-c", code],
            env=known | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    @pytest.mark.skipif(shutil.which("Xvfb") is None, reason="there is no Xvfb")
    def test_one_is_started_where_there_is_none(self) -> None:
        code = (
            "import os\nfrom shiftfield.notebook import start_display\n"
            "name = start_display()\nassert os.environ['DISPLAY'] == name\n"
            "assert start_display() == name\nprint('started', name)"
        )
        done = self.run(code, os.environ["PATH"])
        assert "started :" in done.stdout, done.stderr

    def test_what_is_missing_is_said(self, tmp_path: Any) -> None:
        done = self.run(
            "from shiftfield.notebook import start_display; start_display()", str(tmp_path)
        )
        assert done.returncode == 1
        assert (
            "There is no display for napari, and no Xvfb to make one. Install Xvfb" in done.stderr
        )
