"""The plugin in napari's own window: menus, docks, samples, a scripted session."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from clicking import DOCKS, SHIFT, click_run, make_pair
from napari._app_model import get_app_model
from npe2 import PluginManifest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

from shiftfield._napari.form.rows import Rows


def test_every_command_of_the_manifest_can_be_imported() -> None:
    manifest = PluginManifest.from_distribution("shiftfield")
    manifest.validate_imports()


@pytest.mark.usefixtures("window")
def test_the_menus_offer_the_searches_first() -> None:
    menus = get_app_model().menus
    for menu in ("shiftfield/menu", "napari/plugins/shiftfield"):
        titles = [item.command.title for item in menus.get_menu(menu)]
        offered = [title.removesuffix(" (shiftfield)") for title in titles]
        assert offered[: len(DOCKS)] == list(DOCKS)
    register = menus.get_menu("napari/layers/register")
    assert "Shift fields" in [getattr(item, "title", "") for item in register]


@pytest.mark.parametrize("name", DOCKS)
def test_a_dock_fits_a_small_laptop(name: str, window: Any, qtbot: Any) -> None:
    viewer = window
    frame, dock = viewer.window.add_plugin_dock_widget("shiftfield", name)
    stack = make_pair(frames=4)
    viewer.add_image(stack.reference, name="a name that is far too long for a combo box in a dock")
    viewer.add_image(stack.sample)
    qtbot.waitUntil(dock.native.isVisible)
    assert frame.sizeHint().height() < 560
    assert frame.sizeHint().width() < 330
    assert dock.native.minimumSizeHint().height() < 300


def test_the_field_as_a_person_clicks_it(window: Any, open_in_window: Any, qtbot: Any) -> None:
    images = make_pair()
    window.add_image(images.reference)
    window.add_image(images.sample)
    dock = open_in_window("Local shifts")
    dock.margin.value = 5
    click_run(dock, qtbot)
    assert window.layers[-1].name == "motion, reference to sample"
    picture = window.screenshot(canvas_only=True, flash=False)
    assert len(np.unique(picture.reshape(-1, 4), axis=0)) > 20, "the layers are drawn"


def test_a_scripted_session(window: Any) -> None:
    images = make_pair()
    before = window.add_image(images.reference)
    after = window.add_image(images.sample)
    dock = window.window.add_plugin_dock_widget("shiftfield", "Local shifts")[1]
    dock.reference.value, dock.sample.value = before, after
    dock.margin.value = 5
    dock.run()
    added = dock.wait()
    assert added == list(window.layers)[2:]
    assert np.nanmedian(window.layers["x shift"].data) == pytest.approx(SHIFT[0], abs=0.05)
    dock.margin.value = 200
    dock.run()
    with pytest.raises(ValueError, match="200"):
        dock.wait()


@pytest.mark.parametrize(
    ("key", "dock"),
    [
        ("cylinder_flow", "Local shifts"),
        ("tensile_test", "Global shift"),
        ("speckle_scan", "UMPA shifts"),
    ],
)
def test_a_sample_opens_ready_for_its_dock(key: str, dock: str, window: Any) -> None:
    layers = window.open_sample("shiftfield", key)
    form = window.window.add_plugin_dock_widget("shiftfield", dock)[1]
    assert form.reference.value is layers[0]
    assert form.sample.value is layers[1]
    assert layers[0].visible
    shape = layers[0].data.shape
    assert all(layer.data.shape[-2:] == shape[-2:] for layer in layers)


@pytest.mark.parametrize("menu", ["shiftfield/menu", "napari/plugins/shiftfield"])
def test_each_menu_item_opens_its_dock(menu: str, window: Any) -> None:
    app = get_app_model()
    for item in app.menus.get_menu(menu):
        app.commands.execute_command(item.command.id).result()
    opened = {type(dock) for dock in window.window.dock_widgets.values()}
    assert set(DOCKS.values()) <= opened


def test_five_docks_together_fit_a_small_laptop(
    window: Any, open_in_window: Any, qtbot: Any
) -> None:
    main = window.window._qt_window
    main.resize(1366, 768)
    stack = make_pair(frames=4)
    window.add_image(stack.reference)
    window.add_image(stack.sample)
    for name in DOCKS:
        dock = open_in_window(name)
        qtbot.waitUntil(dock.native.isVisible)
        qtbot.wait(100)
        assert main.height() <= 768, name
    assert main.minimumSizeHint().height() <= 768


def test_the_wheel_scrolls_a_dock_and_changes_no_setting(open_in_window: Any, qtbot: Any) -> None:
    dock = open_in_window("Local shifts")
    dock.native.setMaximumHeight(300)
    rows = dock.native.findChild(Rows)
    bar = rows.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    before = dock.asdict()
    for name in ("window", "peak"):
        bar.setValue(0)
        turn_wheel(dock[name].native)
        assert bar.value() > 0
    assert dock.asdict() == before
    dock.native.window().activateWindow()
    dock.window.native.setFocus()
    qtbot.waitUntil(dock.window.native.hasFocus)
    turn_wheel(dock.window.native)
    assert dock.window.value < before["window"], "a field in use still turns"


def turn_wheel(field: Any) -> None:
    """Turn the wheel by one notch towards the user, with the mouse on `field`."""
    place = QPoint(4, 4)
    QApplication.sendEvent(
        field,
        QWheelEvent(
            QPointF(place),
            QPointF(field.mapToGlobal(place)),
            QPoint(0, 0),
            QPoint(0, -120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        ),
    )


def test_docks_share_the_height_of_a_laptop(window: Any, qtbot: Any) -> None:
    frame = window.window._qt_window
    frame.resize(1366, 768)
    names = ["Workflow", *DOCKS, "Scan", "Phase and strain", "How was it made?", "Probe a pixel"]
    for name in (*names, "Inspect a field"):
        window.window.add_plugin_dock_widget("shiftfield", name)
        qtbot.wait(50)
        assert frame.height() == 768, name
