"""The dock "Inspect a field" as a person uses it: numbers, a line that is drawn, a comparison, files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clicking import SHIFT
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QFileDialog
from test_probe import with_field

from shiftfield import Quality
from shiftfield._napari.inspection import compare
from shiftfield._napari.inspection import numbers as field_numbers
from shiftfield._napari.inspection.dock import InspectField

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def dock(viewer: ViewerModel, qtbot: Any) -> Any:
    made = InspectField(viewer)
    qtbot.addWidget(made)
    return made


def rest(dock: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not dock.busy)


def line(dock: Any, viewer: Any, *vertices: tuple[float, float]) -> Any:
    """Draw a line as the mouse does: a shape is added to the layer that the button made."""
    dock.form.draw.click()
    layer = viewer.layers["profile line"]
    layer.add_lines([np.array(vertices)])
    return layer


def test_numbers_of_valid_pixels(viewer: Any, dock: Any, qtbot: Any) -> None:
    field = with_field(viewer, quality=True)
    rest(dock, qtbot)
    dock.show_quantity("y")
    rest(dock, qtbot)
    counted = dock.counted
    assert counted.median == pytest.approx(SHIFT[1], abs=0.05)
    assert counted.counts.sum() + counted.beside == np.count_nonzero(field.valid)
    assert counted.valid == pytest.approx(field.valid.mean())
    assert counted.reasons[Quality.NO_ANSWER] == pytest.approx(np.isnan(field.x).mean())
    assert "median -2." in dock.form.numbers.text()
    assert "no&nbsp;answer" in dock.form.numbers.text()
    np.testing.assert_array_equal(dock.form.histogram.bars.opts["height"], counted.counts)


def test_reasons_have_the_colours_of_the_quality_layer(viewer: Any, dock: Any, qtbot: Any) -> None:
    with_field(viewer, quality=True)
    rest(dock, qtbot)
    red, green, blue, _ = viewer.layers["quality (why not valid)"].get_color(Quality.NO_ANSWER)
    square = QColor.fromRgbF(*map(float, (red, green, blue))).name()
    assert f'color:{square}">\u25a0</span>&nbsp;no&nbsp;answer' in dock.form.numbers.text()


def test_the_histogram_of_known_numbers() -> None:
    values = np.concatenate([np.arange(1000.0) / 1000, [50, np.nan, 7]]).reshape(17, 59)
    quality = np.zeros(values.shape, np.uint16)
    quality[-1, -1] = 4
    known = np.ones(values.shape, bool)
    found = field_numbers.histogram_of(values, known, quality)
    assert found.median == pytest.approx(0.5)
    assert found.spread == pytest.approx(1.4826 * 0.25, rel=1e-2)
    assert found.beside == 1
    assert found.counts.sum() == 1000
    assert found.valid == pytest.approx(1001 / 1003)
    assert found.reasons == {Quality.SECOND_PEAK: pytest.approx(1 / 1003)}
    nothing = field_numbers.histogram_of(values * np.nan, known, None)
    assert np.isnan(nothing.median)
    assert field_numbers.histogram_of(np.ones((3, 3)), known[:3, :3], None).counts.sum() == 9


def test_a_line_across_a_ramp() -> None:
    rows, columns = np.mgrid[:20, :30]
    part, values = field_numbers.along_line(2.0 * rows + columns, (2, 3), (8, 11))
    np.testing.assert_allclose(values, 7 + part * (2 * 6 + 8))
    assert len(part) == 11
    _, outside = field_numbers.along_line(2.0 * rows, (-3, 0), (3, 0))
    assert np.isnan(outside[:3]).all()
    assert np.isfinite(outside[3:]).all()


def test_the_profile_follows_the_line_in_the_units_of_the_layer(
    viewer: Any, dock: Any, qtbot: Any
) -> None:
    field = with_field(viewer)
    rest(dock, qtbot)
    dock.show_quantity("x")
    layer = line(dock, viewer, (20, 10), (20, 40))
    assert layer.mode == "add_line"
    assert viewer.layers.selection.active is layer
    np.testing.assert_allclose(dock.profiled.values, field.x[20, 10:41], rtol=1e-6)
    assert dock.profiled.lengths[-1] == pytest.approx(15), "half a unit a pixel"
    layer.data = [np.array([(24, 10), (24, 30)])]
    np.testing.assert_allclose(dock.profiled.values, field.x[24, 10:31], rtol=1e-6)
    layer.mode = "pan_zoom"
    layer.add_lines([np.array([(10, 20), (30, 20)])])
    np.testing.assert_allclose(dock.profiled.values, field.x[10:31, 20], rtol=1e-6)
    dock.show_quantity("y")
    np.testing.assert_allclose(dock.profiled.values, field.y[10:31, 20], rtol=1e-6)
    viewer.layers.remove(layer)
    assert dock.profiled is None
    line(dock, viewer, (20, 10), (20, 40))
    assert dock.profiled is not None


def test_units_name_the_axis(viewer: Any, dock: Any, qtbot: Any) -> None:
    with_field(viewer)
    for layer in viewer.layers:
        layer.units = ("um", "um")[-layer.ndim :]
    rest(dock, qtbot)
    line(dock, viewer, (20, 10), (20, 40))
    assert dock.profiled.unit == "\u00b5m"


def test_comparing_and_blinking(viewer: Any, dock: Any, qtbot: Any) -> None:
    with_field(viewer)
    count = len(viewer.layers)
    assert not dock.form.mix.isEnabled()
    qtbot.mouseClick(dock.form.compare, LEFT)
    qtbot.waitUntil(lambda: not dock.busy and len(viewer.layers) == count + 2)
    reference, sample = (viewer.layers[name] for name in compare.NAMES)
    np.testing.assert_array_equal(reference.data, viewer.layers["before"].data)
    inside = np.s_[12:-12, 12:-12]
    error = np.abs(sample.data - reference.data)[inside]
    before = np.abs(viewer.layers["after"].data - reference.data)[inside]
    assert np.nanmedian(error) < 0.3 * np.median(before), "warped back it lies on the reference"
    assert np.allclose(sample.scale, viewer.layers["before"].scale)
    dock.form.mix.setValue(0)
    assert sample.opacity == 0
    dock.form.mix.setValue(70)
    assert sample.opacity == pytest.approx(0.7)
    dock.form.blink.click()
    seen = set()

    def both() -> bool:
        seen.add(float(sample.opacity))
        return {0.0, 1.0} <= seen

    qtbot.waitUntil(both)
    assert dock.blinking
    qtbot.mouseClick(dock.form.compare, LEFT)
    assert len(viewer.layers) == count
    assert not dock.blinking


def test_a_stack_is_compared_in_the_frame_that_is_shown(viewer: Any, dock: Any, qtbot: Any) -> None:
    with_field(viewer, frames=3)
    viewer.dims.set_current_step(0, 2)
    dock.start_comparing()
    qtbot.waitUntil(lambda: compare.NAMES[1] in viewer.layers)
    reference = viewer.layers[compare.NAMES[0]]
    np.testing.assert_array_equal(reference.data, viewer.layers["before"].data[2])


def test_a_deleted_comparison_or_input_ends_it(
    viewer: Any, dock: Any, qtbot: Any, told: list[Any]
) -> None:
    with_field(viewer)
    dock.start_comparing()
    qtbot.waitUntil(lambda: compare.NAMES[1] in viewer.layers)
    viewer.layers.remove(compare.NAMES[1])
    assert compare.NAMES[0] not in viewer.layers
    assert not dock.form.mix.isEnabled()
    viewer.layers.remove("before")
    dock.start_comparing()
    assert "'before', is not in the viewer" in dock.said
    assert [str(note.severity) for note in told] == ["error"]
    viewer.layers.clear()
    assert dock.counted is None
    assert "no field" in dock.said


def test_tables_are_saved(
    viewer: Any, dock: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_field(viewer)
    rest(dock, qtbot)
    line(dock, viewer, (20, 10), (20, 40))

    chosen = str(tmp_path / "profile"), ""  # a dialog of its own would wait for a window manager
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: chosen)
    dock.form.save_profile.click()
    with (tmp_path / "profile.csv").open(newline="") as file:
        names, *rows = csv.reader(file)
    assert names == ["length (px)", "x shift (px)"]
    np.testing.assert_allclose(np.array(rows, float)[:, 1], dock.profiled.values)
    dock.save_histogram(tmp_path / "bins.csv")
    head = (tmp_path / "bins.csv").read_text().splitlines()[0]
    assert head == "x shift (px) from,x shift (px) to,pixels"
    table = np.loadtxt(tmp_path / "bins.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(table[:, 2], dock.counted.counts)


def test_nothing_to_save_is_said(dock: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="draw a line"):
        dock.save_profile(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="no histogram"):
        dock.save_histogram(tmp_path / "none.csv")


def test_a_field_that_changes_is_counted_anew(viewer: Any, dock: Any, qtbot: Any) -> None:
    with_field(viewer)
    rest(dock, qtbot)
    dock.show_quantity("score")
    layer = viewer.layers["score"]
    layer.data = np.full_like(layer.data, 0.25)
    rest(dock, qtbot)
    qtbot.waitUntil(lambda: dock.counted.median == 0.25)


def test_closing_the_dock_takes_its_layers_away(
    window: Any, open_in_window: Any, qtbot: Any
) -> None:
    with_field(window)
    count = len(window.layers)
    dock = open_in_window("Inspect a field")
    line(dock, window, (20, 10), (20, 40))
    dock.start_comparing()
    qtbot.waitUntil(lambda: compare.NAMES[1] in window.layers)
    dock.form.blink.click()
    clock = dock._comparison.clock
    window.window.remove_dock_widget(dock)
    assert len(window.layers) == count
    assert not clock.isActive()
    window.layers["x shift"].data = np.zeros((48, 60), np.float32)
    qtbot.wait(50)


def test_the_viewer_closes_while_it_works(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    with_field(viewer)
    dock = viewer.window.add_plugin_dock_widget("shiftfield", "Inspect a field")[1]
    line(dock, viewer, (20, 10), (20, 40))
    dock.start_comparing()
    viewer.close()
    qtbot.wait(100)


@pytest.mark.parametrize("name", ["Probe a pixel", "Inspect a field"])
def test_the_dock_fits_a_small_laptop(name: str, window: Any, qtbot: Any) -> None:
    frame, dock = window.window.add_plugin_dock_widget("shiftfield", name)
    with_field(window, frames=3)
    qtbot.waitUntil(dock.isVisible)
    assert frame.sizeHint().height() < 560
    assert frame.sizeHint().width() < 330


def test_every_control_has_a_name_and_a_tip(dock: Any) -> None:
    form = dock.form
    for control in (
        form.picker, form.quantity, form.save_histogram, form.draw, form.save_profile, form.compare,
        form.blink, form.mix,
    ):  # fmt: skip
        assert control.toolTip()
        assert control.accessibleName() or control.text()
    for shown in (form.histogram, form.profile, form.numbers, form.line, form.tabs):
        assert shown.accessibleName()


def test_a_layer_with_other_data_is_named(
    viewer: Any, dock: Any, qtbot: Any, told: list[Any]
) -> None:
    with_field(viewer)
    rest(dock, qtbot)
    viewer.layers["x shift"].data = np.zeros((20, 30), np.float32)
    words = "'x shift' has changed since its search: it has 20 x 30 pixels, and had 48 x 60."
    qtbot.waitUntil(lambda: dock.said == words)
    assert dock.counted is None
    dock.start_comparing()
    assert dock.said == words
    assert {note.message for note in told} == {words}
