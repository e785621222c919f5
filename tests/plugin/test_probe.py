"""The dock "Probe a pixel" as a person uses it: clicks and drags on the canvas, arrow keys, what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from clicking import SHIFT, make_pair
from napari.components import ViewerModel
from qtpy.QtCore import QPoint, Qt
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QApplication

from shiftfield import find_shift_field, probe
from shiftfield._napari.probe.dock import Probe

SEARCH: dict[str, Any] = {"window": 9, "margin": 4}
NAME = "probed pixel"
pytestmark = pytest.mark.filterwarnings("ignore:.*have no answer:UserWarning")


def with_field(viewer: Any, frames: int = 1, **more: Any) -> Any:
    """Add a pair and the layers of its field, as the docks do; return the field."""
    images = make_pair(frames=frames)
    field = find_shift_field(images.reference, images.sample, **{**SEARCH, **more})
    scale = (0.5,) * images.sample.ndim
    viewer.add_image(images.reference, name="before", scale=scale)
    sample = viewer.add_image(images.sample, name="after", scale=scale)
    place = {"scale": sample.scale[-2:], "units": sample.units[-2:]}
    given = {"reference": "before", "sample": "after", "reference_index": (), "sample_index": ()}
    for data, arguments, kind in field.to_layers(placement=place):
        arguments["metadata"]["shiftfield"]["input"] = given
        getattr(viewer, f"add_{kind}")(data, **arguments)
    return field


@pytest.fixture
def dock(viewer: ViewerModel, qtbot: Any) -> Any:
    made = Probe(viewer)
    qtbot.addWidget(made)
    return made


def look(dock: Any, qtbot: Any, row: int, column: int) -> Any:
    dock.look_at(row, column)
    return seen(dock, qtbot)


def seen(dock: Any, qtbot: Any) -> Any:
    """Wait for the newest answer and return it."""
    qtbot.waitUntil(
        lambda: not dock.busy and (dock.probed is None or at(dock.probed) == dock.pixel)
    )
    return dock.probed


def at(probed: Any) -> tuple[int, int]:
    return probed.row, probed.column


def test_it_shows_what_the_library_finds(viewer: Any, dock: Any, qtbot: Any) -> None:
    field = with_field(viewer, quality=True)
    found = look(dock, qtbot, 20, 30)
    assert (found.x, found.y) == pytest.approx((field.x[20, 30], field.y[20, 30]), abs=1e-3)
    assert (found.x, found.y) == pytest.approx(SHIFT, abs=0.15)
    assert "Believed" in dock.said
    assert "row 20, column 30" in dock.form.numbers.text()
    assert f"{found.x:+.3f}" in dock.form.numbers.text()
    np.testing.assert_array_equal(dock.form.plots._map.image.image, found.scores)
    place = dock.form.plots._peak.getData()
    assert (place[0][0], place[1][0]) == (found.x, found.y)


def test_the_mark_shows_pixel_window_and_search_area(viewer: Any, dock: Any, qtbot: Any) -> None:
    with_field(viewer)
    active = viewer.layers.selection.active
    look(dock, qtbot, 20, 30)
    mark = viewer.layers[NAME]
    sizes = [np.ptp(box, axis=0).tolist() for box in mark.data]
    assert sizes == [[1, 1], [9, 9], [17, 17]]
    sample = viewer.layers["after"]
    for row, column in ((20, 30), (25, 12)):
        look(dock, qtbot, row, column)
        for box in mark.data:
            here = mark.data_to_world(box.mean(axis=0))
            assert np.allclose(here, sample.data_to_world((row, column)))
    assert viewer.layers.selection.active is active
    viewer.layers.remove(mark)
    look(dock, qtbot, 21, 30)
    assert NAME in viewer.layers


def test_arrow_keys_move_the_pixel(viewer: Any, dock: Any, qtbot: Any) -> None:
    with_field(viewer, step=2)
    assert at(look(dock, qtbot, 21, 29)) in ((20, 28), (20, 30), (22, 28), (22, 30))
    row, column = dock.pixel
    qtbot.keyClick(dock, Qt.Key.Key_Right)
    qtbot.keyClick(dock, Qt.Key.Key_Up)
    assert at(seen(dock, qtbot)) == (row - 2, column + 2)
    qtbot.keyClick(dock, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert at(seen(dock, qtbot)) == (row - 2, column + 2 - 20)
    for _ in range(5):
        qtbot.keyClick(dock, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert seen(dock, qtbot).column == 0, "it stays on the image"


def test_a_pixel_without_an_answer_says_why(viewer: Any, dock: Any, qtbot: Any) -> None:
    with_field(viewer)
    found = look(dock, qtbot, 2, 30)
    assert np.isnan(found.x)
    assert "no shift could be found" in dock.said
    assert "unknown" in dock.form.numbers.text()


def test_the_reasons_of_the_quality_layer_are_told(viewer: Any, dock: Any, qtbot: Any) -> None:
    with_field(viewer, quality=True)
    layer = next(x for x in viewer.layers if "quality" in x.name)
    layer.data[20, 30] = 128
    look(dock, qtbot, 20, 30)
    assert "far from its neighbours" in dock.said


def test_frames_are_shown_one_by_one(viewer: Any, dock: Any, qtbot: Any) -> None:
    with_field(viewer, frames=3, method="umpa_dark")
    found = look(dock, qtbot, 20, 30)
    assert "transmission 1.0" in dock.form.numbers.text()
    assert "dark field" in dock.form.numbers.text()
    dock.form.frame.setValue(2)
    np.testing.assert_array_equal(dock.form.plots._window.image.image, found.window[2])


def test_numbers_are_copied(viewer: Any, dock: Any, qtbot: Any) -> None:
    with_field(viewer, uncertainty=True)
    assert not dock.form.copy_button.isEnabled()
    found = look(dock, qtbot, 20, 30)
    qtbot.mouseClick(dock.form.copy_button, Qt.MouseButton.LeftButton)
    copied = dict(line.split("\t") for line in QApplication.clipboard().text().splitlines())
    assert float(copied["x (px)"]) == pytest.approx(found.x, abs=1e-3)
    assert float(copied["uncertainty of y (px)"]) == pytest.approx(found.uncertainty_y, abs=1e-3)


def test_a_mask_and_a_start_are_taken_into_account(viewer: Any, dock: Any, qtbot: Any) -> None:
    images = make_pair((60, 70))
    mask = np.zeros((60, 70), np.uint8)
    mask[28:32, 28:32] = 1
    search = {**SEARCH, "reference_weights": mask == 0, "sample_weights": mask == 0}
    field = find_shift_field(images.reference, images.sample, start=(2, -2), **search)
    viewer.add_image(images.reference, name="before")
    viewer.add_image(images.sample, name="after")
    viewer.add_labels(mask, name="dead")
    for data, arguments, kind in field.to_layers():
        arguments["metadata"]["shiftfield"] |= {
            "input": {"reference": "before", "sample": "after"},
            "mask": {
                "layer": "dead", "kind": "labels", "meaning": "take no part", "of": "both images",
            },
        }  # fmt: skip
        getattr(viewer, f"add_{kind}")(data, **arguments)
    found = look(dock, qtbot, 26, 30)
    wanted = probe(images.reference, images.sample, 26, 30, start=(2, -2), **search)
    assert (found.x, found.y) == pytest.approx((wanted.x, wanted.y), abs=1e-5)
    viewer.layers.remove("dead")
    assert "'dead'" in dock.said
    assert dock.probed is None


def test_deleted_and_changed_images_are_noticed(
    viewer: Any, dock: Any, qtbot: Any, told: list[Any]
) -> None:
    with_field(viewer)
    look(dock, qtbot, 20, 30)
    sample = viewer.layers["after"]
    sample.data = np.random.default_rng(0).random(sample.data.shape).astype(np.float32)
    found = seen(dock, qtbot)
    assert found.score < 0.9
    assert "has changed since" in dock.said
    sample.data = np.zeros((5, 5))
    assert "its shape is (5, 5)" in dock.said
    viewer.layers.remove(sample)
    dock.look_at(20, 30)
    assert "'after', is not in the viewer" in dock.said
    assert NAME not in viewer.layers
    assert {str(note.severity) for note in told} == {"error"}


def test_the_field_follows_the_active_layer_or_stays(viewer: Any, dock: Any, qtbot: Any) -> None:
    with_field(viewer)
    first = viewer.layers["x shift"]
    with_field(viewer, method="umpa")
    second = viewer.layers["x shift [1]"]
    viewer.layers.selection.active = first
    assert look(dock, qtbot, 20, 30).settings.method == "pearson"
    viewer.layers.selection.active = second
    assert seen(dock, qtbot).settings.method == "umpa"
    dock.picker.setCurrentIndex(1)
    dock.picker.activated.emit(1)
    qtbot.waitUntil(lambda: dock.probed.settings.method == "pearson")
    viewer.layers.selection.active = second
    assert seen(dock, qtbot).settings.method == "pearson"
    viewer.layers.clear()
    assert "no longer in the viewer" in dock.said


def test_without_a_field_it_says_what_is_missing(dock: Any) -> None:
    dock.look_at(3, 3)
    assert "no field in the viewer" in dock.said


def test_older_requests_are_dropped(viewer: Any, dock: Any, qtbot: Any) -> None:
    with_field(viewer, frames=4, window=15, margin=15)
    for column in range(10, 50):
        dock.look_at(20, column)
    assert at(seen(dock, qtbot)) == (20, 49)
    assert dock._latest.dropped > 0


def canvas_of(window: Any) -> QOpenGLWidget:
    return window.window._qt_window.findChild(QOpenGLWidget)


def press(canvas: Any, qtbot: Any, *places: tuple[int, int]) -> None:
    """Press at the first place, drag over the others, release at the last."""
    left = Qt.MouseButton.LeftButton
    points = [QPoint(*place) for place in places]
    qtbot.mouseMove(canvas, points[0])
    qtbot.mousePress(canvas, left, pos=points[0])
    for point in points[1:]:
        qtbot.mouseMove(canvas, point)
        qtbot.wait(20)
    qtbot.mouseRelease(canvas, left, pos=points[-1])


def test_a_click_and_a_drag_on_the_canvas(window: Any, open_in_window: Any, qtbot: Any) -> None:
    with_field(window)
    dock = open_in_window("Probe a pixel")
    qtbot.waitUntil(dock.isVisible)
    window.window._qt_window.activateWindow()
    canvas = canvas_of(window)
    middle = canvas.width() // 2, canvas.height() // 2
    press(canvas, qtbot, middle)
    row, column = at(seen(dock, qtbot))
    assert abs(row - 24) <= 1
    assert abs(column - 30) <= 1
    qtbot.waitUntil(dock.hasFocus)
    centre = tuple(window.scene.camera.center)
    press(canvas, qtbot, middle, (middle[0] + 20, middle[1]), (middle[0] + 60, middle[1] + 30))
    found = seen(dock, qtbot)
    assert found.row > row
    assert found.column > column
    assert tuple(window.scene.camera.center) == centre, "the picture stays while the mouse probes"
    assert window.scene.camera.mouse_pan
    before = dock.pixel
    qtbot.mouseClick(dock.form.mouse, Qt.MouseButton.LeftButton)
    press(canvas, qtbot, middle, (middle[0] + 40, middle[1]))
    assert dock.pixel == before
    assert tuple(window.scene.camera.center) != centre, "switched off, a drag moves the picture"


def test_closing_the_dock_lets_go_of_the_viewer(
    window: Any, open_in_window: Any, qtbot: Any
) -> None:
    with_field(window)
    callbacks = list(window.mouse_drag_callbacks)
    dock = open_in_window("Probe a pixel")
    look(dock, qtbot, 20, 30)
    assert NAME in window.layers
    window.window.remove_dock_widget(dock)
    assert NAME not in window.layers
    assert list(window.mouse_drag_callbacks) == callbacks
    window.layers["after"].data = np.zeros((48, 60))
    window.theme = "light"
    qtbot.wait(50)
    window.theme = "dark"


def test_the_viewer_closes_while_it_probes(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    with_field(viewer)
    dock = viewer.window.add_plugin_dock_widget("shiftfield", "Probe a pixel")[1]
    for column in range(10, 40):
        dock.look_at(20, column)
    viewer.close()
    qtbot.wait(100)


def test_every_control_has_a_name_and_a_tip(dock: Any) -> None:
    form = dock.form
    for control in (form.picker, form.frame, form.mouse, form.copy_button):
        assert control.toolTip()
        assert control.accessibleName() or control.text()
    for shown in (form.plots, form.numbers, form.sentence):
        assert shown.accessibleName()


def test_a_field_with_other_data_is_named(viewer: Any, dock: Any) -> None:
    with_field(viewer)
    viewer.layers["x shift"].data = np.zeros((20, 30), np.float32)
    dock.look_at(20, 20)
    assert (
        dock.said
        == "'x shift' has changed since its search: it has 20 x 30 pixels, and had 48 x 60."
    )


def test_nothing_is_drawn_before_a_pixel_is_probed(dock: Any) -> None:
    assert not any(cut._peak.isVisible() for cut in dock.form.plots._along)
