"""The live preview: what it shows, when it asks, what it drops, and what it leaves behind."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

import numpy as np
import pytest
from clicking import SHIFT, WAIT, make_pair
from qtpy.QtCore import QTimer

from shiftfield import find_shift_field
from shiftfield._napari.layers.inputs import PREVIEW
from shiftfield._napari.live import pauseless
from shiftfield.live.latest import Latest, Request
from shiftfield.live.preview import Pace, Part, field_of_part, grid, part_to_read
from shiftfield.settings import Settings
from shiftfield.synthetic import speckle


def previews(viewer: Any) -> list[Any]:
    return [layer for layer in viewer.layers if PREVIEW in layer.metadata]


def settled(dock: Any, qtbot: Any) -> None:
    """Wait until the preview is as sharp as it becomes."""
    qtbot.waitUntil(lambda: not dock.live_preview.busy, timeout=WAIT)


@pytest.fixture
def live(window: Any, open_in_window: Any, qtbot: Any) -> Any:
    """The dock "Local shifts" with its preview on, as sharp as it becomes."""
    pair = make_pair(shape=(120, 140))
    window.add_image(pair.reference, name="before", scale=(0.5, 0.5), units=("um", "um"))
    window.add_image(pair.sample, name="after", scale=(0.5, 0.5), units=("um", "um"))
    dock = open_in_window("Local shifts")
    dock.margin.value = 5
    qtbot.wait(200)  # the dock takes room from the canvas
    window.reset_view()
    window.scene.camera.zoom *= 0.8  # all of it, whatever the shape of the canvas
    qtbot.waitUntil(lambda: window.layers["after"].corner_pixels[1, 1] == 139, timeout=WAIT)
    dock.live.native.click()
    settled(dock, qtbot)
    return dock


def test_the_preview_is_the_field_and_lies_on_the_sample(live: Any, window: Any) -> None:
    (layer,) = previews(window)
    field = find_shift_field(
        window.layers["before"].data, window.layers["after"].data, margin=5, ncore=1
    )
    assert layer.name == "live: x shift"
    same = np.isclose(layer.data, field.x, atol=1e-3, equal_nan=True)
    assert same.mean() > 0.999, "all but ties between two whole pixels"
    assert np.allclose(layer.data_to_world((3, 4)), window.layers["after"].data_to_world((3, 4)))
    assert layer.units == window.layers["after"].units
    assert "every pixel" in live.status


def test_a_change_of_a_setting_is_seen(live: Any, window: Any, qtbot: Any) -> None:
    (layer,) = previews(window)
    known = np.isfinite(layer.data).sum()
    live.window.value = 31
    settled(live, qtbot)
    assert np.isfinite(layer.data).sum() < known, "a larger window leaves wider borders"
    assert layer.metadata["shiftfield"]["settings"]["window"] == 31
    live.live_shows.value = "score"
    assert layer.name == "live: score"
    assert np.nanmedian(layer.data) > 0.5


def test_only_what_is_seen_is_searched(live: Any, window: Any, qtbot: Any) -> None:
    camera = window.scene.camera
    camera.zoom *= 6
    camera.center = (0, 30, 35)  # (60, 70) px
    settled(live, qtbot)
    (layer,) = previews(window)
    height, width = layer.data.shape
    assert height < 60
    assert width < 70
    row, column = layer.world_to_data((30, 35))
    there = np.asarray(layer.data)[round(row), round(column)]
    assert there == pytest.approx(SHIFT[0], abs=0.1)


def test_answers_come_while_the_view_moves(live: Any, window: Any, qtbot: Any) -> None:
    """Changes come faster than the canvas is drawn, and without a rest; the preview does not wait for one."""
    camera, before = window.scene.camera, live.live_preview.answers

    def move() -> None:
        depth, y, x = camera.center
        camera.center = (depth, y, x + 0.5)  # a pixel

    timer = QTimer(interval=0, timeout=move)
    timer.start()
    qtbot.waitUntil(lambda: live.live_preview.answers > before + 2, timeout=WAIT)
    timer.stop()


def test_new_pixels_are_seen(live: Any, window: Any, qtbot: Any) -> None:
    still = make_pair(shape=(120, 140))
    window.layers["after"].data = np.array(still.reference)
    settled(live, qtbot)
    (layer,) = previews(window)
    assert np.nanmedian(np.abs(layer.data)) < 0.2


def test_a_mistake_is_said_and_the_preview_comes_back(live: Any, window: Any, qtbot: Any) -> None:
    live.margin.value = 100
    settled(live, qtbot)
    (layer,) = previews(window)
    assert not layer.visible
    assert "margin 100" in live.status
    live.margin.value = 5
    settled(live, qtbot)
    assert layer.visible


def test_the_preview_is_no_input_and_goes_when_it_is_switched_off(live: Any, window: Any) -> None:
    (layer,) = previews(window)
    assert layer not in live.reference.choices
    assert layer not in live.sample.choices
    assert window.layers.selection.active is window.layers["after"], "the choice is left alone"
    live.live.native.click()
    assert previews(window) == []


def test_a_run_beside_the_preview_leaves_it_on(live: Any, window: Any, qtbot: Any) -> None:
    live.run()
    added = live.wait()
    settled(live, qtbot)
    assert "x shift" in [layer.name for layer in added]
    assert len(previews(window)) == 1


def test_taking_away_an_input_ends_in_a_sentence(live: Any, window: Any, qtbot: Any) -> None:
    window.layers.remove("after")
    settled(live, qtbot)
    assert "There is no sample" in live.status
    assert not any(layer.visible for layer in previews(window))


def test_taking_away_the_preview_makes_a_new_one(live: Any, window: Any, qtbot: Any) -> None:
    (layer,) = previews(window)
    window.layers.remove(layer)
    live.window.value = 9
    settled(live, qtbot)
    assert len(previews(window)) == 1


def test_closing_the_dock_while_it_works_leaves_no_layer_and_no_thread(
    live: Any, window: Any, qtbot: Any
) -> None:
    live.window.value = 21
    qtbot.wait(20)
    frame = live.native.parent()
    while frame is not None and not hasattr(frame, "destroyOnClose"):
        frame = frame.parent()
    frame.destroyOnClose()
    qtbot.waitUntil(lambda: previews(window) == [], timeout=WAIT)
    window.scene.camera.zoom *= 1.5  # nobody listens any more


# -- what decides ------------------------------------------------------------------------------------


def test_the_latest_question_is_answered_and_those_that_wait_are_dropped() -> None:
    begin, end = threading.Event(), threading.Event()
    latest: Latest[int] = Latest(idle=0.1)

    def slow(_: Any) -> int:
        begin.set()
        end.wait(10)
        return 0

    latest.ask(Request(slow, patience=10))
    assert begin.wait(10)
    for number in (1, 2, 3):
        latest.ask(Request(lambda _, n=number: n))
    end.set()
    found = []
    give_up = time.monotonic() + 10
    while latest.busy and time.monotonic() < give_up:
        answer = latest.answer()
        if answer is not None:
            found.append(answer.result)
    assert found[-1] == 3
    assert not {1, 2} & set(found)
    assert latest.dropped == 2


def test_a_question_that_runs_for_too_long_is_called_off() -> None:
    begin = threading.Event()
    latest: Latest[str] = Latest(idle=0.1)

    def endless(cancel: threading.Event) -> str:
        begin.set()
        assert cancel.wait(10), "nobody called it off"
        return "called off"

    latest.ask(Request(endless, patience=0))
    assert begin.wait(10)
    latest.ask(Request(lambda _: "next"))
    give_up = time.monotonic() + 10
    found = None
    while found is None and time.monotonic() < give_up:
        found = latest.answer()
    assert found is not None
    assert found.result == "next"


@pytest.mark.parametrize("step", [1, 3, 8, 24])
@pytest.mark.parametrize("quality", [False, True])
def test_a_part_has_the_numbers_of_the_whole(step: int, quality: bool) -> None:
    shape = (150, 170)
    reference = speckle(shape, seed=1)
    sample = speckle(shape, seed=1, shift=SHIFT)
    settings = Settings(margin=4, step=step, quality=quality)
    whole = find_shift_field(reference, sample, margin=4, step=step, quality=quality)
    part = Part(31, 119, 42, 150)
    read = part_to_read(part, settings, shape)
    found = field_of_part(reference[read.slices], sample[read.slices], settings)
    rows, columns = grid(part, read, step)
    top, left = (read.top // step + rows.start, read.left // step + columns.start)
    cut = found.x[rows, columns]
    wanted = whole.x[top : top + cut.shape[0], left : left + cut.shape[1]]
    assert top * step >= part.top > (top - 1) * step
    assert cut.shape == (
        len(range(-(-31 // step) * step, 119, step)),
        len(range(-(-42 // step) * step, 150, step)),
    )
    assert np.isclose(cut, wanted, atol=1e-3, equal_nan=True).mean() > 0.995


def test_a_slow_machine_gets_a_coarser_preview() -> None:
    settings = Settings()
    fast, slow = Pace(0.1), Pace(0.1)
    fast.learn(250_000, 1, settings, 0.05)
    slow.learn(250_000, 1, settings, 5.0)
    assert fast.step(250_000, 1, settings) == 1
    assert slow.step(250_000, 1, settings) > 8
    assert fast.step(10_000_000, 1, settings) > 1
    assert fast.step(100, 1, Settings(step=4)) >= 4


def test_one_slow_answer_makes_no_preview_coarse() -> None:
    pace, settings = Pace(0.1), Settings()
    for seconds in (0.05, 0.05, 5.0):
        pace.learn(250_000, 1, settings, seconds)
    assert pace.step(250_000, 1, settings) == 1


def test_a_finer_preview_is_tried_again_after_a_while() -> None:
    pace, settings = Pace(0.1), Settings()
    pace.learn(250_000, 1, settings, 5.0)
    assert pace.step(250_000, 1, settings) > 1
    for _ in range(30):  # meanwhile coarse ones are quick
        pace.learn(250_000, 1, Settings(step=32), 0.005)
    assert pace.step(250_000, 1, settings) == 1


def test_collections_of_garbage_leave_out_what_was_there_before() -> None:
    """All of it, until the last one who asked for that has ended."""
    pauseless.begin()
    pauseless.begin()
    left_out = gc.get_freeze_count()
    pauseless.end()
    assert gc.get_freeze_count() == left_out > 0
    pauseless.end()
    assert gc.get_freeze_count() == 0
