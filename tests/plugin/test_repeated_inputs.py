"""Copied scripts and command lines for inputs that need more: levels, colours, several files, other names."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr
from clicking import click_run, make_pair
from napari.layers import Layer
from qtpy.QtWidgets import QInputDialog
from test_repeatable import choose, clipboard, ours, run_as_file, run_script, same

from shiftfield import ShiftField, find_shift_field, find_shift_fields
from shiftfield.__main__ import main
from shiftfield._napari.layers.opening import open_layers
from shiftfield._napari.physics.dock import PhysicsDock
from shiftfield._napari.recipe.searches import as_python
from shiftfield._napari.scan.dock import ScanDock


def coloured(image: Any) -> Any:
    return np.stack([image, image * 0.5, image * 0.1], axis=-1)


def pyramid(image: Any) -> Any:
    return [image, image[::2, ::2]]


@pytest.mark.parametrize(
    ("levels", "values"), [(pyramid, {"multiscale": True}), (coloured, {"rgb": True})]
)
def test_a_warped_sample_with_levels_or_colours_is_made_again(
    levels: Any,
    values: Any,
    viewer: Any,
    open_dock: Any,
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = make_pair()
    viewer.add_image(images.reference, name="before")
    viewer.add_image(levels(images.sample), name="after", **values)
    search = open_dock("Local shifts")
    search.margin.value = 4
    click_run(search, qtbot)
    before = list(viewer.layers)
    dock = PhysicsDock(viewer)
    qtbot.addWidget(dock.native)
    dock.quantity.value = "warp"
    click_run(dock, qtbot)
    (made,) = (layer for layer in viewer.layers if layer not in before)
    script = as_python(made.metadata["shiftfield"])
    same(run_script(viewer, script, monkeypatch), {made.name: made})


def test_a_peak_of_a_multiscale_map_is_made_again(
    viewer: Any, open_dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = np.hypot(*np.meshgrid(np.arange(20) - 7.3, np.arange(16) - 8.6))
    viewer.add_image(pyramid(np.exp(-grid)), name="map", multiscale=True)
    dock = open_dock("Locate peak")
    click_run(dock, qtbot)
    layers = ours(viewer)
    choose(dock, "Copy as Python")
    same(run_script(viewer, clipboard(), monkeypatch), layers)


def test_a_mask_with_levels_is_made_again(
    viewer: Any, open_dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair()
    viewer.add_image(images.reference, name="before")
    viewer.add_image(images.sample, name="after")
    marked = np.zeros((48, 60), np.uint8)
    marked[10:20, 30:50] = 1
    viewer.add_labels(pyramid(marked), name="mask", multiscale=True)
    dock = open_dock("Local shifts")
    dock.margin.value, dock.mask.value = 4, viewer.layers["mask"]
    click_run(dock, qtbot)
    layers = ours(viewer)
    choose(dock, "Copy as Python")
    same(run_script(viewer, clipboard(), monkeypatch), layers)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two references and two samples, a frame each."""
    images = make_pair(frames=2)
    paths = []
    for side in ("reference", "sample"):
        for number in range(2):
            paths.append(str(tmp_path / f"{side}{number}.npy"))
            np.save(paths[-1], getattr(images, side)[number])
    return paths


def test_a_layer_with_another_name_is_opened_again(
    files: list[str], viewer: Any, open_dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, name in ((files[0], "before"), (files[2], "after")):
        viewer.open(path, plugin="napari")[0].name = name
    dock = open_dock("Correlation map")
    click_run(dock, qtbot)
    layers = ours(viewer)
    choose(dock, "Copy as Python")
    viewer.layers.clear()
    made = run_script(viewer, clipboard(), monkeypatch)
    assert [layer.name for layer in made] == ["before", "after", "correlation map"]
    same(made[-1:], layers)


def test_several_files_opened_as_one_stack_are_all_opened_again(
    files: list[str], viewer: Any, open_dock: Any, qtbot: Any, told: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    open_layers(viewer, files[:2])
    open_layers(viewer, files[2:])
    dock = open_dock("UMPA shifts")
    dock.margin.value = 4
    click_run(dock, qtbot)
    layers = ours(viewer)
    choose(dock, "Copy as command line")
    assert "is a stack of several files" in told[-1].message
    choose(dock, "Copy as Python")
    viewer.layers.clear()
    same(run_script(viewer, clipboard(), monkeypatch)[2:], layers)


@pytest.fixture(params=["h5", "zarr"])
def several_arrays(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A file with a reference, a sample and what is no image."""
    images = make_pair(frames=2)
    path = tmp_path / f"both.{request.param}"
    if request.param == "h5":
        with h5py.File(path, "w") as file:
            file["entry/flats"], file["entry/scan"] = images.reference, images.sample
            file["entry/angles"] = np.arange(3.0)
    else:
        group = zarr.open_group(str(path), mode="w")
        for name, data in (("entry/flats", images.reference), ("entry/scan", images.sample)):
            group.create_array(name, data=data)
        group.create_array("entry/angles", data=np.arange(3.0))
    return str(path)


def test_one_of_several_arrays_of_a_file_is_asked_for_and_opened_again(
    several_arrays: str, viewer: Any, open_dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["/entry/flats", "/entry/scan"])
    asked: list[Any] = []

    def answer(*given: Any) -> tuple[str, bool]:
        asked.append(sorted(given[3]))
        return next(answers), True

    monkeypatch.setattr(QInputDialog, "getItem", answer)
    open_layers(viewer, [several_arrays])
    open_layers(viewer, [several_arrays])
    assert asked == [["/entry/flats", "/entry/scan"]] * 2
    assert [layer.name for layer in viewer.layers] == ["both /entry/flats", "both /entry/scan"]
    dock = open_dock("UMPA shifts")
    dock.margin.value = 4
    click_run(dock, qtbot)
    layers = ours(viewer)
    choose(dock, "Copy as command line")
    line = clipboard()
    assert f"{several_arrays}::/entry/flats {several_arrays}::/entry/scan" in line
    assert main([*shlex.split(line)[1:-1], f"{several_arrays}-field.h5"]) == 0
    found = ShiftField.load(f"{several_arrays}-field.h5")
    np.testing.assert_array_equal(found.x, layers["x shift"].data)
    choose(dock, "Copy as Python")
    viewer.layers.clear()
    same(run_script(viewer, clipboard(), monkeypatch)[2:], layers)


def test_a_frame_of_an_opened_array_is_not_the_whole_array(
    several_arrays: str, viewer: Any, open_dock: Any, qtbot: Any, told: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Metadata go with the layers that napari makes of one; other pixels may also be put into a layer."""
    answers = iter(["/entry/flats", "/entry/scan"])
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_: (next(answers), True))
    flats, scan = (open_layers(viewer, [several_arrays])[0] for _ in range(2))
    viewer.layers.clear()
    for layer, frame in ((flats, 0), (scan, 1)):
        viewer.add_image(layer.data[frame], name=layer.name, metadata=dict(layer.metadata))
    dock = open_dock("Local shifts")
    dock.margin.value = 4
    click_run(dock, qtbot)
    choose(dock, "Copy as command line")
    assert "came from no file" in told[-1].message
    layers = ours(viewer)
    choose(dock, "Copy as Python")
    same(run_script(viewer, clipboard(), monkeypatch), layers)
    for name in layers:
        del viewer.layers[name]
    viewer.layers.clear()
    with pytest.raises(ValueError, match="came from no single file: it must be in the viewer"):
        run_script(viewer, clipboard(), monkeypatch)


def test_files_of_several_sizes_are_no_stack(files: list[str], viewer: Any) -> None:
    np.save(files[1], np.load(files[1])[:30])
    refused: list[str] = []
    assert open_layers(viewer, files[:2], refuse=refused.append) == []
    assert "has shape (30, " in refused[0]
    assert "the frames of a stack must be alike." in refused[0]


def physics(viewer: Any, qtbot: Any, quantity: str) -> Any:
    """The dock "Phase and strain" after a run."""
    dock = PhysicsDock(viewer)
    qtbot.addWidget(dock.native)
    dock.quantity.value = quantity
    dock.pixel_size.value, dock.distance.value, dock.energy.value = "1 um", "2 m", "25 keV"
    dock.angles.value = True
    click_run(dock, qtbot)
    return dock


@pytest.mark.parametrize("quantity", ["strain", "phase", "magnitude", "warp"])
def test_what_a_field_means_is_made_from_the_images_on(
    quantity: str, files: list[str], viewer: Any, open_dock: Any, qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for path in (files[0], files[2]):
        viewer.open(path, plugin="napari")
    search = open_dock("Local shifts")
    search.margin.value, search.quality.value, search.threshold_score.value = 4, True, 0.99
    click_run(search, qtbot)
    for layer in ours(viewer).values():
        layer.name = f"my {layer.name}"
    before = list(viewer.layers)
    dock = physics(viewer, qtbot, quantity)
    layers = {layer.name: layer for layer in viewer.layers if layer not in before}
    choose(dock, "Copy as Python")
    again, _ = run_as_file(clipboard(), monkeypatch)
    assert clipboard().count("find_shift_field(") == 1
    assert clipboard().count("sample = np.asarray(") == 1
    made = list(again.layers)[2:]
    same(made, layers)
    assert [one.visible for one in made] == [one.visible for one in layers.values()]


def test_what_a_saved_field_means_is_made_from_its_file(
    viewer: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair()
    field = find_shift_field(images.reference, images.sample, margin=4)
    field.save(tmp_path / "field.h5")
    viewer.open(tmp_path / "field.h5", plugin="shiftfield")
    before = list(viewer.layers)
    dock = physics(viewer, qtbot, "strain")
    layers = {layer.name: layer for layer in viewer.layers if layer not in before}
    choose(dock, "Copy as Python")
    again, _ = run_as_file(clipboard(), monkeypatch)
    same(list(again.layers), layers)


def test_what_a_projection_of_a_scan_means_is_made_from_its_file(
    viewer: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair(frames=2)
    find_shift_fields(
        images.reference, images.sample, axes="projection y x", out=tmp_path / "scan.h5", margin=4
    )
    viewer.open(tmp_path / "scan.h5", plugin="shiftfield")
    viewer.dims.set_current_step(0, 1)
    before = list(viewer.layers)
    dock = physics(viewer, qtbot, "strain")
    layers = {layer.name: layer for layer in viewer.layers if layer not in before}
    choose(dock, "Copy as Python")
    again, _ = run_as_file(clipboard(), monkeypatch)
    same(list(again.layers), layers)


def test_a_field_of_unknown_search_must_be_in_the_viewer(
    viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair()
    field = find_shift_field(images.reference, images.sample, margin=4)
    for data, arguments, kind in field.to_layers():
        viewer.add_layer(Layer.create(data, arguments, kind))
    dock = physics(viewer, qtbot, "strain")
    choose(dock, "Copy as Python")
    with pytest.raises(ValueError, match="shift' must be in the viewer: run its search"):
        run_as_file(clipboard(), monkeypatch)


def test_a_scan_of_a_layer_with_levels_is_made_again(
    viewer: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair(frames=2)
    for name in ("reference", "sample"):
        image = getattr(images, name)
        viewer.add_image([image, image[:, ::2, ::2]], name=name, multiscale=True)
    dock = ScanDock(viewer)
    qtbot.addWidget(dock.native)
    dock.references_from.value = viewer.layers["reference"]
    dock.samples_from.value = viewer.layers["sample"]
    dock.margin.value, dock.out.value = 4, str(tmp_path / "scan.h5")
    click_run(dock, qtbot)
    assert dock._error is None
    wanted = np.asarray(viewer.layers["x shift"].data)
    (tmp_path / "scan.h5").unlink()
    choose(dock, "Copy as Python")
    assert "not run yet" not in clipboard()
    made = run_script(viewer, clipboard(), monkeypatch)
    np.testing.assert_array_equal(np.asarray(made[-1].data), wanted)


def test_of_a_stack_that_napari_opened_more_than_the_first_file_is_asked_for(
    files: list[str], viewer: Any, open_dock: Any, told: list[Any]
) -> None:
    viewer.open(files[:2], stack=True, plugin="napari")
    viewer.open(files[2:], stack=True, plugin="napari")
    dock = open_dock("UMPA shifts")
    choose(dock, "Copy as command line")
    assert "is a stack of several files" in told[-1].message
    choose(dock, "Copy as Python")
    assert clipboard().count("must be in the viewer") == 2
    assert "viewer.open(" not in clipboard()


def test_a_command_line_that_would_do_something_else_is_refused(
    files: list[str], viewer: Any, open_dock: Any, tmp_path: Path, told: list[Any]
) -> None:
    for path in (files[0], files[2]):
        viewer.open(path, plugin="napari")
    dock = open_dock("Global shift")
    dock.approach.value, dock.method.value = "whole map", "poly_fit"
    choose(dock, "Copy as command line")
    assert "takes the usual peak fit only" in told[-1].message
    dock.method.value = "diff"
    choose(dock, "Copy as command line")
    assert clipboard().startswith("shiftfield shift ")
    viewer.layers.clear()
    for path in (files[0], files[2]):
        colours = tmp_path / f"colours {Path(path).name}"
        np.save(colours, coloured(np.load(path)).astype(np.float32))
        viewer.open(colours, plugin="napari", layer_type="image", rgb=True)
    choose(dock, "Copy as command line")
    assert "has colours" in told[-1].message
