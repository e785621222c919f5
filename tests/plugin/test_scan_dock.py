"""The dock "Scan": runs, pause, cancel, resume, errors, and all that may go meanwhile."""

from __future__ import annotations

import shlex
import threading
import time
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from clicking import WAIT, about, click, click_run

from shiftfield import Cancelled, Scan, find_shift_fields
from shiftfield.__main__ import main
from shiftfield._napari.recipe import searches as recipe
from shiftfield._napari.scan.dock import ScanDock
from shiftfield.synthetic import speckle

N, SIZE = 6, (40, 44)
REFERENCE = speckle(SIZE, frames=2, seed=1)
SHIFTS = [(0.3 * n, -0.2 * n) for n in range(N)]
SAMPLES = np.stack([speckle(SIZE, frames=2, seed=1, shift=shift) for shift in SHIFTS])


def slow(seconds: float = 0.15) -> Any:
    """The samples as a lazy array whose projections take long to read."""

    def wait(block: Any) -> Any:
        time.sleep(seconds)
        return block

    return da.from_array(SAMPLES, chunks=(1, *SAMPLES.shape[1:])).map_blocks(
        wait, dtype=SAMPLES.dtype
    )


def held(number: int) -> tuple[Any, threading.Event]:
    """The samples as a lazy array; a projection waits for the event, but not where inputs are told apart."""
    gate, reads = threading.Event(), []

    def wait(block: Any, block_info: Any = None) -> Any:
        if block_info and block_info[None]["chunk-location"][0] == number:
            reads.append(number)
            assert len(reads) == 1 or gate.wait(60)
        return block

    lazy = da.from_array(SAMPLES, chunks=(1, *SAMPLES.shape[1:]))
    return lazy.map_blocks(wait, dtype=SAMPLES.dtype), gate


@pytest.fixture
def dock(viewer: Any, qtbot: Any, tmp_path: Path) -> ScanDock:
    made = ScanDock(viewer)
    qtbot.addWidget(made.native)
    made.margin.value, made.window.value = 3, 5
    made.out.value = str(tmp_path / "fields.h5")
    return made


def choose_layers(viewer: Any, dock: Any, samples: Any, **placement: Any) -> None:
    viewer.add_image(REFERENCE, name="without", visible=False)
    layer = viewer.add_image(
        samples, name="with", visible=False, contrast_limits=(0, 2), **placement
    )
    dock.references_from.value, dock.samples_from.value = viewer.layers["without"], layer


def medians(layer: Any) -> list[float]:
    return [float(np.nanmedian(np.asarray(layer.data[n]))) for n in range(N)]


def files(folder: Path) -> tuple[Path, Path]:
    np.save(folder / "flat.npy", REFERENCE)
    np.save(folder / "scan.npy", SAMPLES)
    return folder / "flat.npy", folder / "scan.npy"


@pytest.mark.parametrize("kind", [".h5", ".zarr"])
def test_files_become_layers_with_a_slider(
    viewer: Any, dock: Any, qtbot: Any, tmp_path: Path, kind: str
) -> None:
    reference, sample = files(tmp_path)
    dock.references.value, dock.samples.value = str(reference), str(sample)
    dock.out.value = str(tmp_path / f"fields{kind}")
    click_run(dock, qtbot)
    assert dock._error is None
    assert dock.status == f"Done: {N} of {N} projections are in fields{kind}."
    top = viewer.layers[-1]
    assert (top.name, top.data.shape) == ("x shift", (N, *SIZE))
    assert medians(top) == pytest.approx([x for x, _ in SHIFTS], abs=0.06)
    assert about(top)["made_by"] == "find_shift_fields"
    viewer.dims.set_current_step(0, 2)
    assert dock.wait() == list(viewer.layers)


def test_layers_give_their_place(viewer: Any, dock: Any, qtbot: Any) -> None:
    place = {
        "scale": (1, 1, 0.5, 0.5), "translate": (0, 0, 3, 4), "units": ("pixel", "pixel", "um", "um"),
    }  # fmt: skip
    choose_layers(viewer, dock, SAMPLES, **place)
    dock.step.value = 2
    click_run(dock, qtbot)
    top = viewer.layers["x shift"]
    assert tuple(top.scale) == (1, 1, 1)
    assert tuple(top.translate) == (0, 3, 4)
    assert [str(unit) for unit in top.units] == ["pixel", "micrometer", "micrometer"]


def test_pause_holds_the_run_and_resume_goes_on(viewer: Any, dock: Any, qtbot: Any) -> None:
    choose_layers(viewer, dock, slow())
    click(dock.run_button)
    qtbot.waitUntil(lambda: dock._work.total > 0, timeout=WAIT)
    dock._pause.click()
    assert dock._pause.text() == "Resume"
    qtbot.wait(1000)  # what is in work ends
    held = int(Scan(dock.out.value).done.sum())
    assert held < N
    qtbot.wait(500)
    assert int(Scan(dock.out.value).done.sum()) == held, "nothing is begun meanwhile"
    assert dock.running
    assert dock.status.startswith("Paused.")
    dock._pause.click()
    qtbot.waitUntil(lambda: not dock.running, timeout=WAIT)
    assert dock._error is None
    assert Scan(dock.out.value).done.all()
    assert medians(viewer.layers["y shift"]) == pytest.approx([y for _, y in SHIFTS], abs=0.06)


def test_a_cancelled_scan_goes_on_with_what_it_has(
    viewer: Any, dock: Any, qtbot: Any, told: list[Any]
) -> None:
    choose_layers(viewer, dock, slow(0.3))
    click(dock.run_button)
    out = Path(dock.out.value)
    qtbot.waitUntil(lambda: out.exists() and Scan(out).done.any(), timeout=WAIT)
    before = time.monotonic()
    click(dock.run_button)
    qtbot.waitUntil(lambda: not dock.running, timeout=WAIT)
    assert time.monotonic() - before < 1
    assert dock.status.startswith("Cancelled.")
    assert told == [], "cancelling is no error"
    with pytest.raises(Cancelled):
        dock.wait()
    done = Scan(out).done
    assert not done.all()
    first = out.with_name("fields.h5.parts") / f"{np.flatnonzero(done)[0]:06d}.h5"
    written = first.stat().st_mtime_ns
    another = ScanDock(viewer)  # as after napari was closed
    qtbot.addWidget(another.native)
    another.margin.value, another.window.value, another.out.value = 3, 5, str(out)
    another.references_from.value = viewer.layers["without"]
    another.samples_from.value = viewer.layers["with"]
    assert "was begun" in another.status
    qtbot.wait(500)  # the first run lets the file go
    assert first.stat().st_mtime_ns == written
    click_run(another, qtbot)
    assert another._error is None
    alone = find_shift_fields(REFERENCE, SAMPLES, out=out.with_name("b.h5"), margin=3, window=5)
    for mine, theirs in zip(Scan(out), alone, strict=True):
        np.testing.assert_array_equal(mine.x, theirs.x)


def test_cancel_while_paused(viewer: Any, dock: Any, qtbot: Any) -> None:
    choose_layers(viewer, dock, slow())
    click(dock.run_button)
    qtbot.waitUntil(lambda: dock._work.total > 0, timeout=WAIT)
    dock._pause.click()
    click(dock.run_button)
    qtbot.waitUntil(lambda: not dock.running, timeout=WAIT)
    assert not dock.paused
    assert not dock._pause.isEnabled()
    assert dock.status.startswith("Cancelled.")


def test_results_arrive_while_the_run_goes_on(viewer: Any, dock: Any, qtbot: Any) -> None:
    samples, gate = held(N - 1)
    choose_layers(viewer, dock, samples)
    click(dock.run_button)
    qtbot.waitUntil(lambda: "x shift" in viewer.layers, timeout=WAIT)
    assert dock.running
    layer = viewer.layers["x shift"]
    assert np.isnan(np.asarray(layer.data[N - 1])).all(), "what is missing is empty"
    gate.set()
    qtbot.waitUntil(lambda: not dock.running, timeout=WAIT)
    assert [one.name for one in viewer.layers].count("x shift") == 1
    assert medians(layer) == pytest.approx([x for x, _ in SHIFTS], abs=0.06)
    low, high = layer.contrast_limits
    assert -low == high > 0.8 * SHIFTS[-1][0], "the limits are those of all projections"


def test_layers_may_go_while_the_run_goes_on(viewer: Any, dock: Any, qtbot: Any) -> None:
    choose_layers(viewer, dock, slow(0.3))
    click(dock.run_button)
    qtbot.waitUntil(lambda: "x shift" in viewer.layers, timeout=WAIT)
    viewer.layers["with"].data = np.zeros((N, 2, *SIZE))
    viewer.layers.clear()
    qtbot.waitUntil(lambda: not dock.running, timeout=WAIT)
    assert dock._error is None
    assert list(viewer.layers) == [], "what a person has removed stays away"
    assert np.nanmedian(Scan(dock.out.value)[3].x) == pytest.approx(SHIFTS[3][0], abs=0.06)


@pytest.mark.parametrize("what", ["dock", "viewer"])
def test_closing_ends_a_paused_run(
    window: Any, open_in_window: Any, qtbot: Any, tmp_path: Path, what: str
) -> None:
    dock = open_in_window("Scan")
    dock.margin.value, dock.window.value = 3, 5
    dock.out.value = str(tmp_path / "fields.h5")
    choose_layers(window, dock, slow())
    click(dock.run_button)
    work = dock._work
    qtbot.waitUntil(lambda: work.total > 0, timeout=WAIT)
    dock._pause.click()
    if what == "dock":
        window.window.remove_dock_widget(dock.native)
    else:
        window.close()
    qtbot.waitUntil(lambda: work.finished, timeout=WAIT)
    assert isinstance(work.error, Cancelled)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("out", "", "There is no output file"),
        ("out", "fields.txt", "fields.txt"),
        ("samples", "", "There are no samples: choose a layer, or files."),
        ("samples", "nowhere.h5", "nowhere.h5 does not exist"),
        ("axes", "projection y x", "its axes are projection, y, x"),
        ("crop", "1 2 three 4", "Crop is '1 2 three 4'; it must be four whole numbers"),
        ("crop", "0 400 0 10", "crop is [0, 400, 0, 10]"),
        ("margin", 40, "40"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_the_session_goes_on(
    viewer: Any,
    dock: Any,
    qtbot: Any,
    tmp_path: Path,
    told: list[Any],
    field: str,
    value: Any,
    words: str,
) -> None:
    reference, sample = files(tmp_path)
    dock.references.value, dock.samples.value = str(reference), str(sample)
    before = dock[field].value
    dock[field].value = value
    click_run(dock, qtbot)
    assert words in told[-1].message
    assert dock.status == f"Error: {told[-1].message}"
    assert list(viewer.layers) == []
    dock[field].value = before
    click_run(dock, qtbot)
    assert dock._error is None


def test_projections_that_fail_are_named(
    viewer: Any, dock: Any, qtbot: Any, told: list[Any]
) -> None:
    broken = SAMPLES.copy()
    broken[2] = np.nan
    choose_layers(viewer, dock, broken)
    click_run(dock, qtbot)
    assert "projection 2" in told[-1].message
    assert int(Scan(dock.out.value).done.sum()) == N - 1


def test_the_form_shows_what_counts_and_fits(window: Any, qtbot: Any) -> None:
    frame, dock = window.window.add_plugin_dock_widget("shiftfield", "Scan")
    qtbot.waitUntil(dock.native.isVisible)
    assert dock.samples.visible
    window.add_image(SAMPLES, name="a name that is far too long for a combo box in a dock")
    dock.samples_from.value = window.layers[0]
    assert not dock.samples.visible
    assert dock.axes.value == "projection frame y x"
    dock.more.value = True
    assert dock.crop.visible
    qtbot.wait(100)
    assert window.window._qt_window.height() <= 768
    assert dock.native.minimumSizeHint().height() < 300
    assert frame.sizeHint().width() < 330
    assert all(one.native.accessibleName() for one in dock)


def test_a_copied_command_goes_on_with_the_same_file(
    viewer: Any, dock: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, sample = files(tmp_path)
    dock.references.value, dock.samples.value = str(reference), str(sample)
    dock.crop.value = "2 38 1 41"
    click_run(dock, qtbot)
    made = about(viewer.layers["x shift"])
    before = Path(dock.out.value).stat().st_mtime_ns
    assert main(shlex.split(recipe.as_command(made))[1:]) == 0
    assert Path(dock.out.value).stat().st_mtime_ns == before, "all was there"
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    found: dict[str, Any] = {}
    exec(compile(recipe.as_python(made), "script", "exec"), found)
    assert found["scan"].done.all()
    dock.samples_from.value = viewer.add_image(SAMPLES, name="with")
    with pytest.raises(ValueError, match="'with' is a layer"):
        recipe.as_command(dock.about())


def test_begin_anew_counts_once(viewer: Any, dock: Any, qtbot: Any) -> None:
    choose_layers(viewer, dock, SAMPLES)
    click_run(dock, qtbot)
    assert about(viewer.layers["x shift"])["options"]["overwrite"] is False
    dock.window.value, dock.overwrite.value = 7, True
    click_run(dock, qtbot)
    assert dock._error is None
    assert not dock.overwrite.value, "else Run would throw away what it has just made"
    again = ScanDock(viewer)
    qtbot.addWidget(again.native)
    assert again.window.value == 7
    assert not again.overwrite.value
    made = dict(about(dock.wait()[0]))
    assert made["options"]["overwrite"] is True
    assert "overwrite" not in recipe.as_python(made)


def test_two_outputs_are_refused(viewer: Any, dock: Any) -> None:
    choose_layers(viewer, dock, SAMPLES)
    dock.out.value = "a.h5 | b.h5"
    dock.run()
    assert dock.status == "Error: Output is a.h5 and b.h5; it must be one file, .h5 or .zarr."
