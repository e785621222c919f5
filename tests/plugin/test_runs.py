"""A run never blocks or breaks the session: cancel, errors, warnings, and everything closed meanwhile."""

from __future__ import annotations

import gc
import time
import weakref
from typing import Any

import numpy as np
import pytest
from clicking import LONG, WAIT, click, click_run, long_pair, make_pair
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from shiftfield import Cancelled


def start_long(viewer: Any, dock: Any, qtbot: Any) -> Any:
    """Start a run that takes long, wait until tiles are counted, return the work."""
    images = long_pair()
    viewer.add_image(images.reference, name="before")
    viewer.add_image(images.sample, name="after")
    dock.margin.value, dock.window.value = LONG["margin"], LONG["window"]
    click(dock.run_button)
    work = dock._work
    qtbot.waitUntil(lambda: work.total > 0, timeout=WAIT)
    return work


def test_cancel_ends_within_a_second_and_adds_nothing(
    viewer: Any, open_dock: Any, qtbot: Any, told: list[Any]
) -> None:
    dock = open_dock("Local shifts")
    work = start_long(viewer, dock, qtbot)
    assert dock.run_button.text == "Cancel"
    before = time.monotonic()
    click(dock.run_button)
    qtbot.waitUntil(lambda: not dock.running, timeout=WAIT)
    assert time.monotonic() - before < 1
    qtbot.waitUntil(lambda: work.finished, timeout=2000)
    assert isinstance(work.error, Cancelled)
    assert len(viewer.layers) == 2
    assert dock.run_button.text == "Run"
    assert "Cancelled" in dock.status
    assert told == [], "cancelling is no error"
    with pytest.raises(Cancelled):
        dock.wait()


def test_the_window_answers_while_a_run_goes_on(
    window: Any, open_in_window: Any, qtbot: Any
) -> None:
    dock = open_in_window("Local shifts")
    start_long(window, dock, qtbot)
    slowest = 0.0
    end = time.monotonic() + 1
    while time.monotonic() < end:
        before = time.monotonic()
        QApplication.processEvents()
        slowest = max(slowest, time.monotonic() - before)
        time.sleep(0.005)
    assert slowest < 0.5
    assert "%" in dock.status
    dock.cancel()
    qtbot.waitUntil(lambda: not dock.running, timeout=WAIT)


def test_a_run_that_does_not_listen_is_left_alone_when_cancelled(
    viewer: Any, open_dock: Any, qtbot: Any
) -> None:
    images = make_pair()
    viewer.add_image(SlowToRead(images.reference))
    viewer.add_image(images.sample)
    dock = open_dock("Correlation map")
    SlowToRead.seconds = 2.0
    click(dock.run_button)
    work = dock._work
    before = time.monotonic()
    click(dock.run_button)
    qtbot.waitUntil(lambda: not dock.running, timeout=WAIT)
    assert time.monotonic() - before < 1
    SlowToRead.seconds = 0.0
    qtbot.waitUntil(lambda: work.finished, timeout=WAIT)
    qtbot.wait(100)
    assert len(viewer.layers) == 2, "what it finds in the end is dropped"


class SlowToRead:
    """An array-like image that takes `seconds` to read, such as a file on a slow disk."""

    seconds = 0.0

    def __init__(self, data: Any) -> None:
        self._data = data
        self.shape, self.dtype, self.ndim = data.shape, data.dtype, data.ndim

    def __getitem__(self, index: Any) -> Any:
        time.sleep(self.seconds)
        return self._data[index]

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        time.sleep(self.seconds)
        return np.array(self._data, *args, **kwargs)


def test_bad_settings_are_said_in_the_viewer_and_the_session_goes_on(
    viewer: Any, open_dock: Any, qtbot: Any, told: list[Any], pair: Any
) -> None:
    viewer.add_image(pair.reference)
    viewer.add_image(pair.sample)
    dock = open_dock("Local shifts")
    dock.margin.value = 40
    click_run(dock, qtbot)
    assert dock.status.startswith("Error: ")
    assert "40" in dock.status
    assert told[-1].message == dock.status.removeprefix("Error: ")
    assert str(told[-1].severity) == "error"
    with pytest.raises(ValueError, match="40"):
        dock.wait()
    dock.margin.value = 5
    click_run(dock, qtbot)
    assert "x shift" in viewer.layers


def test_an_unexpected_error_keeps_its_traceback(
    viewer: Any, open_dock: Any, qtbot: Any, told: list[Any], pair: Any
) -> None:
    class Broken(SlowToRead):
        broken = False

        def __getitem__(self, index: Any) -> Any:
            if self.broken:
                raise RuntimeError("the disk is gone")
            return super().__getitem__(index)

        def __array__(self, *args: Any, **kwargs: Any) -> Any:
            if self.broken:
                raise RuntimeError("the disk is gone")
            return super().__array__(*args, **kwargs)

    viewer.add_image(Broken(pair.reference))
    viewer.add_image(pair.sample)
    dock = open_dock("Correlation map")
    Broken.broken = True
    click_run(dock, qtbot)
    assert "RuntimeError: the disk is gone" in dock.status
    assert "SlowToRead" in told[-1].as_text() or "the disk is gone" in told[-1].as_text()


def test_warnings_of_the_library_are_shown_each_time(
    viewer: Any, open_dock: Any, qtbot: Any, told: list[Any], pair: Any
) -> None:
    hole = pair.sample.copy()
    hole[20:35, 25:40] = 0
    viewer.add_image(pair.reference)
    viewer.add_image(hole)
    dock = open_dock("Local shifts")
    dock.margin.value = 5
    for _ in range(2):
        told.clear()
        click_run(dock, qtbot)
        assert "have no answer" in dock.status
        assert [str(note.severity) for note in told] == ["warning"]
        assert "have no answer" in told[0].message
    assert np.isnan(viewer.layers["x shift"].data[27, 32])


def test_no_answer_at_all_still_gives_layers(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    viewer.add_image(pair.reference)
    viewer.add_image(np.ones_like(pair.sample))
    dock = open_dock("Local shifts")
    dock.margin.value = 5
    click_run(dock, qtbot)
    assert np.isnan(viewer.layers["x shift"].data).all()
    assert len(viewer.layers["motion, reference to sample"].data) == 0


def test_input_layers_may_be_deleted_during_a_run(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    viewer.add_image(SlowToRead(pair.reference), name="before", scale=(3, 3))
    viewer.add_image(pair.sample, name="after", scale=(3, 3))
    dock = open_dock("Global shift")
    dock.window.value, dock.margin.value, dock.move.value = 15, 5, True
    SlowToRead.seconds = 0.3
    click(dock.run_button)
    viewer.layers.clear()
    SlowToRead.seconds = 0.0
    qtbot.waitUntil(lambda: not dock.running, timeout=WAIT)
    assert [layer.name for layer in viewer.layers] == [
        "points of the global shift", "motion, reference to sample",
    ]  # fmt: skip
    assert np.allclose(viewer.layers[0].scale, 3)
    assert "no longer there" in dock.status


def test_the_viewer_may_be_closed_during_a_run(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    dock = viewer.window.add_plugin_dock_widget("shiftfield", "Local shifts")[1]
    work = start_long(viewer, dock, qtbot)
    viewer.close()
    qtbot.waitUntil(lambda: work.finished, timeout=5000)
    assert isinstance(work.error, Cancelled)
    assert not dock.running


def test_the_dock_may_be_closed_during_a_run(window: Any, qtbot: Any) -> None:
    viewer = window
    frame, dock = viewer.window.add_plugin_dock_widget("shiftfield", "Local shifts")
    work = start_long(viewer, dock, qtbot)
    frame.destroyOnClose()
    qtbot.waitUntil(lambda: work.finished, timeout=5000)
    gone = weakref.ref(dock)
    del dock, frame
    qtbot.wait(200)
    gc.collect()
    assert gone() is None, "a closed dock is not kept alive"
    viewer.layers.pop()
    viewer.add_image(np.zeros((8, 9)))
    again = viewer.window.add_plugin_dock_widget("shiftfield", "Local shifts")[1]
    assert again.reference.value is viewer.layers["before"]


def test_a_script_that_waits_learns_that_the_dock_was_closed(window: Any, qtbot: Any) -> None:
    frame, dock = window.window.add_plugin_dock_widget("shiftfield", "Local shifts")
    start_long(window, dock, qtbot)
    QTimer.singleShot(50, frame.destroyOnClose)
    with pytest.raises(Cancelled, match="closed"):
        dock.wait()
    dock.run()
    with pytest.raises(RuntimeError, match="open it again"):
        dock.wait()


def test_two_docks_work_at_once(viewer: Any, open_dock: Any, qtbot: Any) -> None:
    stack = make_pair(frames=3)
    viewer.add_image(stack.reference)
    viewer.add_image(stack.sample)
    docks = [open_dock("Local shifts"), open_dock("UMPA shifts")]
    for dock in docks:
        dock.margin.value = 5
        click(dock.run_button)
    qtbot.waitUntil(lambda: not any(dock.running for dock in docks), timeout=WAIT)
    assert {"x shift", "x shift [1]", "transmission"} <= {layer.name for layer in viewer.layers}
