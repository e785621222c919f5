"""How a layer was made: the script makes it again bit for bit, the command line is one the program takes."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clicking import click_run, make_pair
from qtpy.QtWidgets import QApplication, QMenu, QToolButton

from shiftfield import ShiftField
from shiftfield.__main__ import main
from shiftfield._napari.recipe.searches import as_python


def choose(dock: Any, text: str) -> None:
    """Choose an entry of the dock's menu as a person does."""
    (button,) = (
        b for b in dock.native.findChildren(QToolButton) if b.accessibleName() == "More actions"
    )
    menu = button.menu()
    assert isinstance(menu, QMenu)
    (action,) = (action for action in menu.actions() if action.text() == text)
    action.trigger()


def clipboard() -> str:
    board = QApplication.clipboard()
    assert board is not None
    return board.text()


def ours(viewer: Any) -> dict[str, Any]:
    return {layer.name: layer for layer in viewer.layers if "shiftfield" in layer.metadata}


def run_script(viewer: Any, script: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Run a copied script in the session of `viewer`; return the layers it added."""
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    before = list(viewer.layers)
    exec(compile(script, "copied", "exec"), {"__name__": "copied"})
    return [layer for layer in viewer.layers if layer not in before]


def run_as_file(script: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, int]:
    """Run a script as Python runs a file, in a viewer of its own; return that, and how often napari ran."""
    import napari
    from napari.components import ViewerModel

    viewer, runs = ViewerModel(), []
    monkeypatch.setattr("napari.current_viewer", lambda: None)
    monkeypatch.setattr("napari.Viewer", lambda: viewer)
    monkeypatch.setattr(napari, "run", lambda: runs.append(True))
    exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
    return viewer, len(runs)


def same(made: list[Any], layers: dict[str, Any]) -> None:
    """Each layer was made again: the same bits, at the same place."""
    assert len(made) == len(layers)
    for again, old in zip(made, layers.values(), strict=True):
        assert again.name.removesuffix(" [1]") == old.name
        np.testing.assert_array_equal(np.asarray(again.data), np.asarray(old.data))
        assert np.allclose(again.data_to_world((3, 4)), old.data_to_world((3, 4)))
        assert again.units == old.units


FORMS = [
    ("Local shifts", {"margin": 4, "window": 9, "step": 2, "score": True}),
    ("Local shifts", {"margin": 4, "quality": True, "threshold_score": 0.7, "uncertainty": True}),
    ("Local shifts", {"margin": 4, "refine": "icgn", "shape_order": 1, "spacing": 7, "length": 3}),
    ("UMPA shifts", {"margin": 4, "weight": "hamming"}),
    ("UMPA shifts", {"margin": 4, "dark": False, "peak": "poly_fit", "peak_size": 5}),
]


@pytest.mark.parametrize(("name", "values"), FORMS)
def test_a_copied_script_makes_the_same_layers(
    name: str, values: Any, viewer: Any, open_dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair(frames=3 if name.startswith("UMPA") else 1)
    place = (
        {"scale": (0.5, 0.25), "translate": (3, 4), "units": ("um", "um")}
        if images.sample.ndim == 2
        else {}
    )
    viewer.add_image(images.reference, name="it's before", **place)
    viewer.add_image(images.sample, name='the "after"', **place)
    dock = open_dock(name)
    for field, value in values.items():
        dock[field].value = value
    click_run(dock, qtbot)
    dock.wait()
    layers = ours(viewer)
    choose(dock, "Copy as Python")
    assert dock.status == "A Python script is on the clipboard."
    same(run_script(viewer, clipboard(), monkeypatch), layers)


@pytest.mark.parametrize("kind", ["labels", "shapes"])
def test_a_script_with_a_mask_makes_the_same_layers(
    kind: str, viewer: Any, open_dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair()
    viewer.add_image(images.reference, name="before", translate=(5, 6))
    viewer.add_image(images.sample, name="after", translate=(5, 6))
    if kind == "labels":
        marked = np.zeros((48, 60), np.uint8)
        marked[10:20, 30:50] = 1
        viewer.add_labels(marked, name="mask")
    else:
        corners = np.array([[16, 30], [16, 50], [30, 45.5]])
        viewer.add_shapes([corners], shape_type="polygon", name="mask")
    dock = open_dock("Local shifts")
    dock.margin.value = 4
    dock.mask.value = viewer.layers["mask"]
    dock.mask_of.value = "the reference"
    click_run(dock, qtbot)
    dock.wait()
    layers = ours(viewer)
    choose(dock, "Copy as Python")
    same(run_script(viewer, clipboard(), monkeypatch), layers)


def test_a_slice_and_colours_are_repeated(
    viewer: Any, open_dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair()
    colours = np.stack([images.sample, images.sample * 0.5, images.sample * 0.1], axis=-1)
    series = np.stack([np.zeros_like(images.reference), images.reference])
    viewer.add_image(series, name="series", axis_labels=("t", "y", "x"))
    viewer.add_image(colours, name="colours", rgb=True)
    viewer.dims.set_current_step(0, 1)
    dock = open_dock("Local shifts")
    dock.reference.value, dock.sample.value = viewer.layers["series"], viewer.layers["colours"]
    dock.margin.value = 4
    click_run(dock, qtbot)
    dock.wait()
    layers = ours(viewer)
    choose(dock, "Copy as Python")
    same(run_script(viewer, clipboard(), monkeypatch), layers)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Correlation map", {"margin": 6}),
        ("Global shift", {"approach": "whole map", "margin": 5}),
        ("Global shift", {"approach": "local points", "margin": 5, "window": 15, "num_point": 6}),
    ],
)
def test_other_docks_can_be_repeated_too(
    name: str, values: Any, viewer: Any, open_dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair()
    viewer.add_image(images.reference, name="before")
    viewer.add_image(images.sample, name="after")
    dock = open_dock(name)
    for field, value in values.items():
        dock[field].value = value
    click_run(dock, qtbot)
    dock.wait()
    layers = ours(viewer)
    choose(dock, "Copy as Python")
    same(run_script(viewer, clipboard(), monkeypatch), layers)


def test_a_peak_can_be_repeated(
    viewer: Any, open_dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = np.hypot(*np.meshgrid(np.arange(20) - 7.3, np.arange(16) - 8.6))
    viewer.add_image(np.exp(-grid), name="map", scale=(2, 2))
    dock = open_dock("Locate peak")
    click_run(dock, qtbot)
    dock.wait()
    layers = ours(viewer)
    choose(dock, "Copy as Python")
    same(run_script(viewer, clipboard(), monkeypatch), layers)


@pytest.mark.slow
def test_sample_data_is_opened_by_the_script(
    window: Any, open_in_window: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.open_sample("shiftfield", "speckle_scan")
    dock = open_in_window("UMPA shifts")
    dock.step.value, dock.margin.value = 8, 3
    dock.run()
    added = dock.wait()
    choose(dock, "Copy as Python")
    wanted = {layer.name: np.array(layer.data) for layer in added}
    window.layers.clear()
    made = run_script(window, clipboard(), monkeypatch)
    for name, data in wanted.items():
        (again,) = (layer for layer in made if layer.name == name)
        np.testing.assert_array_equal(again.data, data)


def test_sample_data_with_other_names_is_found_by_its_pixels(
    window: Any, open_in_window: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, sample = window.open_sample("shiftfield", "cylinder_flow")
    reference.name, sample.name = "calm", "blown"
    window.layers.move(0, 2)
    dock = open_in_window("Correlation map")
    dock.reference.value, dock.sample.value = reference, sample
    dock.run()
    (made,) = dock.wait()
    choose(dock, "Copy as Python")
    assert "opened[0].name = 'calm'" in clipboard()
    again, _ = run_as_file(clipboard(), monkeypatch)
    np.testing.assert_array_equal(again.layers["blown"].data, sample.data)
    np.testing.assert_array_equal(again.layers["correlation map"].data, made.data)


def test_sample_data_with_other_names_that_is_gone_is_refused(
    window: Any, open_in_window: Any
) -> None:
    reference, sample = window.open_sample("shiftfield", "cylinder_flow")
    reference.name, sample.name = "calm", "blown"
    dock = open_in_window("Correlation map")
    dock.run()
    (made,) = dock.wait()
    about = made.metadata["shiftfield"]
    window.layers.clear()
    with pytest.raises(ValueError, match="one of the 2 layers of the sample data 'cylinder_flow'"):
        as_python(about, list(window.layers))


def test_a_script_run_as_a_file_keeps_its_window_open(
    viewer: Any, open_dock: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair()
    for name, image in (("before", images.reference), ("after", images.sample)):
        np.save(tmp_path / f"{name}.npy", image)
        viewer.open(tmp_path / f"{name}.npy", plugin="napari")
    dock = open_dock("Local shifts")
    dock.margin.value = 4
    click_run(dock, qtbot)
    choose(dock, "Copy as Python")
    script = clipboard()
    assert script.endswith('if __name__ == "__main__":\n    napari.run()\n')
    assert "Shapes" not in script, "only a mask of shapes needs them"
    again, runs = run_as_file(script, monkeypatch)
    assert runs == 1
    np.testing.assert_array_equal(again.layers["x shift"].data, viewer.layers["x shift"].data)


def test_a_script_without_its_layers_says_what_must_be_there(
    viewer: Any, open_dock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair()
    viewer.add_image(images.reference, name="before")
    viewer.add_image(images.sample, name="it's after")
    dock = open_dock("Local shifts")
    choose(dock, "Copy as Python")
    with pytest.raises(ValueError, match="'before' came from no single file: it must be in the"):
        run_as_file(clipboard(), monkeypatch)


@pytest.mark.parametrize("name", ["Local shifts", "Global shift", "Correlation map"])
def test_a_script_of_a_form_that_has_not_run_says_so(
    name: str, viewer: Any, open_dock: Any, qtbot: Any
) -> None:
    images = make_pair(shape=(60, 66))
    viewer.add_image(images.reference, name="before")
    viewer.add_image(images.sample, name="after")
    dock = open_dock(name)
    dock.margin.value = 4
    click_run(dock, qtbot)
    choose(dock, "Copy as Python")
    assert "made it in napari" in clipboard().splitlines()[0]
    dock.margin.value = 5
    choose(dock, "Copy as Python")
    assert "with these settings" in clipboard().splitlines()[0]
    assert "not run yet" in clipboard().splitlines()[0]
    assert dock.status.endswith("These settings have not run yet.")
    dock.margin.value = 4
    choose(dock, "Copy as Python")
    assert "made it in napari" in clipboard().splitlines()[0]


class TestCommandLine:
    """Copy as command line."""

    def test_it_makes_the_same_numbers(
        self, window: Any, open_in_window: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        images = make_pair()
        for name, image in (("a b", images.reference), ("it's", images.sample)):
            np.save(tmp_path / f"{name}.npy", image)
            window.open(tmp_path / f"{name}.npy")
        dock = open_in_window("Local shifts")
        dock.margin.value, dock.window.value = 4, 9
        dock.quality.value, dock.threshold_score.value = True, 0.6
        dock.run()
        dock.wait()
        choose(dock, "Copy as command line")
        words = shlex.split(clipboard())
        assert words[:2] == ["shiftfield", "local"]
        monkeypatch.chdir(tmp_path)
        assert main(words[1:]) == 0
        field = ShiftField.load(tmp_path / "field.h5")
        np.testing.assert_array_equal(field.valid, np.isfinite(window.layers["x shift"].data))
        np.testing.assert_array_equal(
            np.where(field.valid, field.y, np.nan), window.layers["y shift"].data
        )

    def test_layers_without_a_file_have_none(
        self, viewer: Any, open_dock: Any, told: list[Any]
    ) -> None:
        images = make_pair()
        viewer.add_image(images.reference, name="before")
        viewer.add_image(images.sample, name="after")
        dock = open_dock("Local shifts")
        choose(dock, "Copy as command line")
        assert "'before' came from no file" in dock.status
        assert str(told[-1].severity) == "error"


class TestSettings:
    """Settings are saved, loaded, reset, and come back."""

    def test_they_go_through_a_file(
        self, open_dock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "mine.toml"
        monkeypatch.setattr(
            "qtpy.QtWidgets.QFileDialog.getSaveFileName",
            lambda *_, **__: (str(path.with_suffix("")), ""),
        )
        monkeypatch.setattr(
            "qtpy.QtWidgets.QFileDialog.getOpenFileName", lambda *_, **__: (str(path), "")
        )
        dock = open_dock("Local shifts")
        dock.window.value, dock.peak.value, dock.refine.value = 21, "poly_fit", "icgn"
        choose(dock, "Save settings ...")
        choose(dock, "Default settings")
        assert (dock.window.value, dock.peak.value, dock.refine.value) == (7, "diff", None)
        choose(dock, "Load settings ...")
        assert (dock.window.value, dock.peak.value, dock.refine.value) == (21, "poly_fit", "icgn")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("window = [", "is no TOML file"),
            ("windo = 7", "sets windo; settings are"),
            ('peak = "best"', "sets peak to 'best', which is not allowed"),
        ],
    )
    def test_a_wrong_file_is_refused_and_changes_nothing(
        self, text: str, words: str, open_dock: Any, tmp_path: Path,
        told: list[Any], monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        path = tmp_path / "wrong.toml"
        path.write_text(f"margin = 3\n{text}\n")
        monkeypatch.setattr(
            "qtpy.QtWidgets.QFileDialog.getOpenFileName", lambda *_, **__: (str(path), "")
        )
        dock = open_dock("Local shifts")
        choose(dock, "Load settings ...")
        assert words in dock.status
        assert dock.margin.value == 10
        assert str(told[-1].severity) == "error"

    def test_the_last_values_come_back(self, viewer: Any, open_dock: Any, qtbot: Any) -> None:
        images = make_pair()
        viewer.add_image(images.reference)
        viewer.add_image(images.sample)
        dock = open_dock("Local shifts")
        dock.margin.value, dock.score.value = 4, True
        click_run(dock, qtbot)
        again = open_dock("Local shifts")
        assert (again.margin.value, again.score.value) == (4, True)
        assert open_dock("UMPA shifts").margin.value == 10


def test_the_help_names_every_field(open_dock: Any) -> None:
    from shiftfield._napari.dock.menu import help_text

    text = help_text(open_dock("Local shifts"))
    for words in ("Window (px)", "Side of the square window", "Refinement", "doi.org"):
        assert words in text
