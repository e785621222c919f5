"""The dock "Workflow" from open to save, as a newcomer clicks it; buttons that open files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import PIL.Image
import pytest
import tifffile
from clicking import LONG, WAIT, click, click_run, long_pair, make_pair
from napari.layers import Layer
from qtpy.QtWidgets import QFileDialog, QInputDialog, QPushButton, QTabWidget, QToolButton

from shiftfield import Cancelled, ShiftField, find_shift_field, find_shift_fields
from shiftfield._napari.workflow.dock import Workflow
from shiftfield._napari.workflow.pages import MaskPage, SavePage

NAMES = ["Open", "Align", "Mask", "Track", "Check", "Phase / strain", "Save"]


@pytest.fixture
def work(viewer: Any, qtbot: Any) -> Workflow:
    made = Workflow(viewer)
    qtbot.addWidget(made)
    return made


def press(widget: Any, text: str) -> None:
    """Press the button of a widget with this text."""
    next(b for b in widget.findChildren(QPushButton) if b.text().replace("&", "") == text).click()


def go_to(work: Any, name: str) -> Any:
    """Go forward, or back, to a page; return it."""
    while work.step != NAMES.index(name):
        press(work, "Next \u203a" if work.step < NAMES.index(name) else "\u2039 Back")
    return work._stack.currentWidget()


def choose_entry(button: QToolButton, text: str) -> None:
    """Choose an entry of a button's menu."""
    menu = button.menu()
    assert menu is not None
    next(action for action in menu.actions() if action.text() == text).trigger()


def open_button(field: Any) -> QToolButton:
    """Return the button beside a field."""
    found: QToolButton = field.native.parentWidget().findChild(QToolButton)
    return found


def test_from_images_to_a_saved_field_and_strain(
    viewer: Any, work: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair()
    viewer.add_image(images.reference, name="before")
    viewer.add_image(np.zeros_like(images.reference), name="between")
    viewer.add_image(images.sample, name="after", scale=(0.5, 0.5), units=("um", "um"))
    go_to(work, "Align")
    align = work.dock("GlobalShift")
    align.reference.value, align.sample.value = viewer.layers["before"], viewer.layers["after"]
    mask = go_to(work, "Mask")
    press(mask, "Paint a mask")
    assert tuple(viewer.layers["mask"].scale) == (0.5, 0.5)
    viewer.layers["mask"].data[:10] = 1
    go_to(work, "Track")
    track = work.dock("LocalShifts")
    assert track.reference.value.name == "before"
    assert track.sample.value.name == "after", "what was chosen for Align"
    assert track.mask.value.name == "mask"
    track.margin.value, track.score.value = 4, True
    click_run(track, qtbot)
    assert track._error is None
    go_to(work, "Check")
    go_to(work, "Phase / strain")
    physics = work.dock("PhysicsDock")
    assert physics.field.value is viewer.layers["x shift"]
    assert physics.pixel_size.value == "0.5 \u00b5m"
    physics.quantity.value = "strain"
    click_run(physics, qtbot)
    save = go_to(work, "Save")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "a.h5"), ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    press(save, "Save the field ...")
    assert save.line.text() == "Saved: a.h5."
    saved = ShiftField.load(tmp_path / "a.h5")
    np.testing.assert_array_equal(saved.x, viewer.layers["x shift"].data)
    np.testing.assert_array_equal(saved.score, viewer.layers["score"].data)
    press(save, "Save images ...")
    found = {path.stem: tifffile.imread(path) for path in tmp_path.glob("*.tif")}
    strains = {"strain exx", "strain eyy", "strain exy", "rotation"}
    assert found.keys() == {"x shift", "y shift", "score"} | strains
    for name, numbers in found.items():
        assert numbers.dtype == np.float32
        np.testing.assert_array_equal(numbers, viewer.layers[name].data.astype(np.float32))
    press(save, "Save images ...")
    assert ".tif exists; choose another folder" in save.line.text()


def test_every_page_says_what_to_do_and_fits_a_small_laptop(window: Any, qtbot: Any) -> None:
    work = window.window.add_plugin_dock_widget("shiftfield", "Workflow")[1]
    main = window.window._qt_window
    main.resize(1366, 768)
    stack = make_pair(frames=4)
    window.add_image(stack.reference, name="a name that is far too long for a combo box in a dock")
    window.add_image(stack.sample)
    for name in NAMES:
        page = go_to(work, name)
        qtbot.wait(100)
        assert page.isVisible()
        assert work._text.text().count(". ") == 0
        assert work._text.text().endswith(".")
        assert main.height() <= 768, name
        assert main.minimumSizeHint().height() <= 768, name
        assert work.minimumSizeHint().width() < 380, name
        assert ("the search starts from the pixels" in work._text.text()) == (name == "Align")
    assert not work._next.isEnabled()


def test_pages_are_made_when_they_are_shown(work: Any) -> None:
    assert work.dock("GlobalShift") is None
    assert not work._back.isEnabled()
    go_to(work, "Align")
    made = work.dock("GlobalShift")
    go_to(work, "Mask")
    go_to(work, "Align")
    assert work.dock("GlobalShift") is made, "a page keeps what was typed"


def test_frame_stacks_are_tracked_by_umpa_first(viewer: Any, work: Any) -> None:
    stack = make_pair(frames=3)
    viewer.add_image(stack.reference)
    viewer.add_image(stack.sample)
    tabs = go_to(work, "Track")
    assert isinstance(tabs, QTabWidget)
    assert tabs.tabText(tabs.currentIndex()) == "UMPA"


@pytest.mark.parametrize(
    ("page", "button", "words"),
    [
        ("Mask", "Paint a mask", "There is no image to mask"),
        ("Save", "Save the field ...", "There is no shift field to save"),
        ("Save", "Save images ...", "There is no shift field to save images of"),
    ],
)
def test_what_cannot_be_done_is_said(
    work: Any, told: list[Any], page: str, button: str, words: str
) -> None:
    shown = go_to(work, page)
    assert isinstance(shown, MaskPage | SavePage)
    press(shown, button)
    assert words in told[-1].message
    assert words in shown.line.text(), "a notification fades"


def add_fields(viewer: Any, count: int) -> list[ShiftField]:
    """Add fields with all their images to a viewer, the newest last; return them."""
    made = []
    for number in range(count):
        images = make_pair(frames=3, seed=number)
        made.append(find_shift_field(images.reference, images.sample, margin=4, method="umpa_dark"))
        for layer in made[-1].to_layers():
            viewer.add_layer(Layer.create(*layer))
    return made


def made_of(field: ShiftField, name: str) -> dict[str, Any]:
    """Return the metadata of an image that was made of a field, whose x shift has a name."""
    said = {
        "settings": field.settings.as_dict(),
        "image_shape": list(field.image_shape),
        "frames": field.frames,
        "layers": {"x": name},
    }
    return {"shiftfield": {"quantity": "phase", "field": said}}


def test_the_newest_field_is_saved_as_images_with_all_its_quantities(
    viewer: Any, work: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newest = add_fields(viewer, 2)
    viewer.add_image(newest.x, name="phase: a/b", metadata=made_of(newest, "x shift [1]"))
    viewer.add_image(older.x, name="older phase", metadata=made_of(older, "x shift"))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    press(go_to(work, "Save"), "Save images ...")
    found = {path.stem: tifffile.imread(path) for path in tmp_path.iterdir()}
    names = {"x shift", "y shift", "score", "transmission", "dark field"}
    assert found.keys() == {f"{name} [1]" for name in names} | {"phase- a-b"}
    np.testing.assert_array_equal(found["transmission [1]"], newest.transmission)


def test_of_a_scan_the_projection_that_is_shown_is_saved_as_images(
    viewer: Any, work: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair()
    samples = np.stack([images.sample, images.reference])
    axes = {"axes": "projection y x", "reference_axes": "y x"}
    scan = find_shift_fields(images.reference, samples, out=tmp_path / "a.h5", margin=4, **axes)
    viewer.open(str(tmp_path / "a.h5"), plugin="shiftfield")
    viewer.dims.set_current_step(0, 1)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    press(go_to(work, "Save"), "Save images ...")
    found = tifffile.imread(tmp_path / "x shift, projection 1.tif")
    np.testing.assert_array_equal(found, scan[1].x)


def test_a_mask_is_laid_on_an_image_not_on_what_was_found(viewer: Any, work: Any) -> None:
    viewer.add_image(np.zeros((30, 40)), name="after")
    viewer.add_image(np.zeros((3, 4)), metadata={"shiftfield": {"quantity": "x"}})
    press(go_to(work, "Mask"), "Paint a mask")
    assert viewer.layers["mask"].data.shape == (30, 40)


def put(monkeypatch: pytest.MonkeyPatch, *files: Path) -> None:
    """Let the next dialogs answer with these files, or with this folder."""
    names = [str(file) for file in files]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (names, ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: names[0])


def write_frames(folder: Path, kind: str) -> list[Path]:
    """Write images that hold their number, 0 to 10; return their paths."""
    folder.mkdir()
    for n in range(11):
        image = np.full((20, 24), n, np.uint8)
        path = folder / f"frame_{n}.{kind}"
        if kind == "tif":
            tifffile.imwrite(path, image)
        else:
            PIL.Image.fromarray(image).save(path)
    return list(folder.iterdir())


@pytest.mark.parametrize("kind", ["tif", "png"])
def test_a_folder_of_frames_is_opened_as_one_stack(
    viewer: Any, work: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    write_frames(tmp_path / "run.5", kind)
    (tmp_path / "run.5" / "notes.txt").write_text("diffuser 3")
    put(monkeypatch, tmp_path / "run.5")
    press(go_to(work, "Open"), "Open folder ...")
    (layer,) = viewer.layers
    assert layer.name == "run.5"
    assert layer.data.chunksize == (1, 20, 24), "a frame is read when it is looked at"
    assert np.asarray(layer.data)[:, 0, 0].tolist() == list(range(11))


def test_several_files_are_a_stack_with_the_name_of_their_folder(
    viewer: Any, work: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, *write_frames(tmp_path / "sample", "tif"))
    press(go_to(work, "Open"), "Open files ...")
    (layer,) = viewer.layers
    assert layer.name == "sample"
    assert np.asarray(layer.data)[:, 0, 0].tolist() == list(range(11)), "2 before 10"


def test_the_dataset_of_a_file_is_asked_for_where_there_are_several(
    open_dock: Any,
    viewer: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: list[Any],
) -> None:
    data = np.arange(2 * 20 * 24, dtype=np.float32).reshape(2, 20, 24)
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["entry/data"], file["entry/flat"] = data, data[0]
        file["entry/angle"] = np.zeros(2)
    with h5py.File(tmp_path / "one.nxs", "w") as file:
        file["entry/data"] = data
    asked: list[Any] = []

    def answer(*given: Any) -> tuple[str, bool]:
        asked.append(given[3])
        return "/entry/flat", len(asked) == 1

    monkeypatch.setattr(QInputDialog, "getItem", answer)
    put(monkeypatch, tmp_path / "scan.h5")
    picker = open_dock("Local shifts").reference
    choose_entry(open_button(picker), "Open files ...")
    assert asked == [["/entry/data", "/entry/flat"]]
    assert picker.value.name == "scan /entry/flat"
    np.testing.assert_array_equal(picker.value.data, data[0])
    choose_entry(open_button(picker), "Open files ...")
    assert len(viewer.layers) == 1, "giving up opens nothing"
    put(monkeypatch, tmp_path / "one.nxs")
    choose_entry(open_button(picker), "Open files ...")
    assert picker.value.name == "one"
    assert len(asked) == 2, "there is no choice in a file of one dataset"
    np.testing.assert_array_equal(picker.value.data, data)
    assert not told


def test_a_folder_that_cannot_be_opened_is_told_on_the_page(
    work: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[Any]
) -> None:
    put(monkeypatch, tmp_path)
    page = go_to(work, "Open")
    press(page, "Open folder ...")
    assert "holds no image file" in page.line.text()
    assert told[-1].message == page.line.text()
    assert "\n" not in page.line.text()
    press(page, "Try the cylinder flow")
    assert not page.line.text(), "what was done does not look refused"


def test_closing_the_dock_ends_what_a_page_does(window: Any, qtbot: Any) -> None:
    work = window.window.add_plugin_dock_widget("shiftfield", "Workflow")[1]
    images = long_pair()
    window.add_image(images.reference)
    window.add_image(images.sample)
    go_to(work, "Track")
    dock = work.dock("LocalShifts")
    dock.margin.value, dock.window.value = LONG["margin"], LONG["window"]
    click(dock.run_button)
    running = dock._work
    qtbot.waitUntil(lambda: running.total > 0, timeout=WAIT)
    window.window.remove_dock_widget(work)
    qtbot.waitUntil(lambda: running.finished, timeout=WAIT)
    assert isinstance(running.error, Cancelled)
    window.add_image(images.sample)  # nothing of a closed page listens


def test_a_run_goes_on_while_another_page_is_shown(viewer: Any, work: Any, qtbot: Any) -> None:
    images = make_pair()
    viewer.add_image(images.reference)
    viewer.add_image(images.sample)
    go_to(work, "Track")
    dock = work.dock("LocalShifts")
    dock.margin.value = 4
    click(dock.run_button)
    go_to(work, "Save")
    qtbot.waitUntil(lambda: not dock.running, timeout=WAIT)
    assert "x shift" in viewer.layers


def test_files_are_opened_beside_the_picker(
    open_in_window: Any,
    qtbot: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: list[Any],
) -> None:
    images = make_pair()
    np.save(tmp_path / "first.npy", images.reference)
    np.save(tmp_path / "second.npy", images.sample)
    np.save(tmp_path / "small.npy", images.sample[:20])
    (tmp_path / "none.npy").write_text("nothing")
    dock = open_in_window("Local shifts")
    for field, name in ((dock.reference, "first"), (dock.sample, "second")):
        monkeypatch.setattr(
            QFileDialog,
            "getOpenFileNames",
            lambda *_, name=name: ([str(tmp_path / f"{name}.npy")], ""),
        )
        choose_entry(open_button(field), "Open files ...")
        assert field.value.name == name
    dock.margin.value = 4
    click_run(dock, qtbot)
    assert dock._error is None
    for name, words in (("small", "does not fit Sample"), ("none", "none.npy")):
        monkeypatch.setattr(
            QFileDialog,
            "getOpenFileNames",
            lambda *_, name=name: ([str(tmp_path / f"{name}.npy")], ""),
        )
        choose_entry(open_button(dock.sample), "Open files ...")
        assert words in told[-1].message
        assert dock.sample.value.name == "second"
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([], ""))
    choose_entry(open_button(dock.sample), "Open files ...")
    assert dock.sample.value.name == "second", "giving up changes nothing"


def test_files_are_put_into_the_lines_of_a_scan(
    open_in_window: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dock = open_in_window("Scan")
    both = [str(tmp_path / "b.tif"), str(tmp_path / "a.tif")]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (both, ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "out"), "")
    )
    choose_entry(open_button(dock.samples), "Open files ...")
    assert dock.samples.addresses() == sorted(both)
    choose_entry(open_button(dock.references), "Open folder ...")
    assert dock.references.addresses() == [str(tmp_path)]
    choose_entry(open_button(dock.out), "Choose ...")
    assert dock.out.value == str(tmp_path / "out.h5")


def test_what_the_checks_have_added_goes_when_it_is_closed(window: Any, qtbot: Any) -> None:
    images = make_pair()
    window.add_image(images.reference, name="before")
    window.add_image(images.sample, name="after")
    frame, work = window.window.add_plugin_dock_widget("shiftfield", "Workflow")
    go_to(work, "Track")
    track = work.dock("LocalShifts")
    track.margin.value = 4
    click_run(track, qtbot)
    before, callbacks = list(window.layers), list(window.mouse_drag_callbacks)
    go_to(work, "Check")
    probe, inspect, how_made = work._hosted
    probe.look_at(20, 20)
    qtbot.waitUntil(lambda: probe.probed is not None, timeout=WAIT)
    inspect.draw_line()
    assert {"probed pixel", "profile line"} <= {layer.name for layer in window.layers}
    window.window.remove_dock_widget(frame)
    qtbot.waitUntil(lambda: list(window.layers) == before)
    assert list(window.mouse_drag_callbacks) == callbacks
    assert probe.gone
    assert inspect.gone
    assert how_made.gone
    window.layers.selection.active = window.layers["before"]
