"""The dock "How was it made?" and the vectors that follow the zoom: what a chosen layer says and shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from clicking import WAIT, click_run, make_pair
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QPushButton

from shiftfield import Quality


@pytest.fixture
def found(window: Any, open_in_window: Any, qtbot: Any) -> Any:
    """The viewer after a search of images with a hole, with checks."""
    pair = make_pair(shape=(96, 110))
    for image in (pair.reference, pair.sample):
        image[40:60, 40:60] = 1.0
    window.add_image(pair.reference, name="before")
    window.add_image(pair.sample, name="after")
    dock = open_in_window("Local shifts")
    dock.margin.value, dock.spacing.value, dock.quality.value = 4, 8, True
    click_run(dock, qtbot)
    dock.wait()
    return window


def button(dock: Any, text: str) -> Any:
    (one,) = (b for b in dock.findChildren(QPushButton) if b.text().replace("&", "") == text)
    return one


def test_a_chosen_layer_says_how_it_was_made(
    found: Any, open_in_window: Any, qtbot: Any, told: list[Any]
) -> None:
    dock = open_in_window("How was it made?")
    found.layers.selection.active = found.layers["before"]
    assert "Choose a layer" in dock.text
    assert not button(dock, "Copy as Python").isEnabled()
    found.layers.selection.active = found.layers["x shift"]
    for words in (
        "x shift",
        "The shift field of after and before",
        "margin 4",
        "no file",
        "score 0.5",
    ):
        assert words in dock.text
    qtbot.mouseClick(button(dock, "Copy as Python"), Qt.MouseButton.LeftButton)
    board = QApplication.clipboard()
    assert board is not None
    assert "find_shift_field(" in board.text()
    qtbot.mouseClick(button(dock, "Copy as command line"), Qt.MouseButton.LeftButton)
    assert "came from no file" in told[-1].message


def ends(layer: Any) -> Any:
    """(rows, columns) of the sample pixels that the vectors end at."""
    start, motion = np.moveaxis(np.asarray(layer.data), 1, 0)
    return np.rint((start + motion).T).astype(int)


def test_vectors_stay_as_far_apart_on_the_screen(found: Any, qtbot: Any) -> None:
    vectors = found.layers["motion, reference to sample"]
    quality = found.layers["quality (why not valid)"].data
    few = len(vectors.data)
    found.scene.camera.zoom *= 4
    qtbot.waitUntil(lambda: len(vectors.data) > 8 * few, timeout=WAIT)
    rows, columns = ends(vectors)
    assert np.unique(np.diff(np.unique(rows))).min() == 2
    assert np.all(quality[rows, columns] == 0)
    assert np.any(quality & Quality.NO_ANSWER)
    assert len(vectors.features) == len(vectors.data)
    found.scene.camera.zoom /= 8
    qtbot.waitUntil(lambda: len(vectors.data) < few, timeout=WAIT)


def test_nobody_draws_vectors_that_were_taken_away(found: Any, qtbot: Any) -> None:
    vectors = found.layers["motion, reference to sample"]
    few = len(vectors.data)
    found.layers.remove(vectors)
    found.scene.camera.zoom *= 4
    qtbot.wait(300)
    assert len(vectors.data) == few


def test_the_preferences_choose_machine_and_colours(
    window: Any, open_in_window: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari.settings import get_plugin_settings

    settings: Any = get_plugin_settings("shiftfield")
    monkeypatch.setattr(settings.machine, "threads", 1)
    monkeypatch.setattr(settings.machine, "device", "reference")
    monkeypatch.setattr(settings.display, "shift_colours", "PiYG")
    pair = make_pair(shape=(30, 32))
    window.add_image(pair.reference)
    window.add_image(pair.sample)
    dock = open_in_window("Local shifts")
    dock.margin.value = 3
    dock.run()
    dock.wait()
    layer = window.layers["x shift"]
    assert layer.colormap.name == "PiYG"
    assert layer.metadata["shiftfield"]["settings"]["device"] == "reference"
    assert layer.metadata["shiftfield"]["settings"]["ncore"] == 1


def test_hidden_vectors_follow_the_zoom_when_they_are_shown_again(found: Any, qtbot: Any) -> None:
    layer = found.layers["motion, reference to sample"]
    before = len(layer.data)
    layer.visible = False
    found.scene.camera.zoom *= 4
    qtbot.wait(400)
    assert len(layer.data) == before
    layer.visible = True
    qtbot.waitUntil(lambda: len(layer.data) > before, timeout=WAIT)
