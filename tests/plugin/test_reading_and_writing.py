"""Files of ours in the viewer: fields and scans open as layers, layers are saved as fields, the rest is said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import npe2
import numpy as np
import pytest
import zarr
from clicking import SHIFT, click_run, make_pair
from napari._app_model import get_app_model
from napari._qt.dialogs.qt_reader_dialog import QtReaderDialog
from numpy.typing import NDArray

from shiftfield import Scan, ScanError, ShiftField, find_shift_field, find_shift_fields
from shiftfield._napari.files.reader import get_reader
from shiftfield._napari.files.writer import NoFieldError, write_field
from shiftfield.field import hdf5
from shiftfield.field.layers import SHIFT_COLORMAP
from shiftfield.synthetic import speckle

N, K, SIZE, STEP = 9, 2, (40, 52), 2
CHOSEN: dict[str, Any] = {"margin": 4, "window": 9, "method": "umpa_dark"}
KINDS = (".h5", ".zarr")
SEEN = ["score", "dark field", "transmission", "y shift", "x shift"]  # bottom up
PLACE: dict[str, Any] = {
    "scale": (0.5, 0.25), "translate": (7, 8), "rotate": 30, "units": ("um", "um"),
    "axis_labels": ("height", "width"),
}  # fmt: skip


def truth(number: int) -> tuple[float, float]:
    """The (x, y) shift of a projection, px."""
    return 0.4 * number - 1.6, -0.2 * number


def same_numbers(found: ShiftField, wanted: ShiftField) -> None:
    """Whether two fields are the same bit for bit, and say the same of how they were made."""
    assert found.quantities().keys() == wanted.quantities().keys()
    for name, array in wanted.quantities().items():
        assert found.quantities()[name].dtype == array.dtype
        assert found.quantities()[name].tobytes() == array.tobytes(), name
    for name in ("settings", "image_shape", "frames", "seconds", "version"):
        assert getattr(found, name) == getattr(wanted, name), name


@pytest.fixture(scope="module")
def field() -> ShiftField:
    images = make_pair(frames=3)
    return find_shift_field(images.reference, images.sample, step=STEP, **CHOSEN)


@pytest.fixture
def saved(field: ShiftField, tmp_path: Path) -> Path:
    field.save(tmp_path / "field.h5")
    return tmp_path / "field.h5"


@pytest.fixture(scope="module")
def made_scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scan of each kind, whole and without projections 0 and 4."""
    folder = tmp_path_factory.mktemp("scans")
    reference = speckle(SIZE, frames=K, seed=1)
    samples = np.stack(
        [speckle(SIZE, frames=K, seed=1, shift=truth(number)) for number in range(N)]
    )
    missing = samples.copy()
    missing[[0, 4]] = np.nan
    for kind in KINDS:
        find_shift_fields(reference, samples, out=folder / f"whole{kind}", step=STEP, **CHOSEN)
        with pytest.raises(ScanError):
            find_shift_fields(reference, missing, out=folder / f"part{kind}", **CHOSEN)
    return folder


@pytest.fixture
def scans(made_scans: Path, tmp_path: Path) -> Path:
    """The same in a folder of the test's own, to be damaged."""
    return Path(shutil.copytree(made_scans, tmp_path / "scans"))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """Which projections of which quantity are read, as it happens."""
    seen: list[tuple[str, int]] = []
    quantities = Scan.quantities

    class Counted:
        def __init__(self, name: str, stored: Any) -> None:
            self.name, self.stored = name, stored
            self.shape, self.dtype = stored.shape, stored.dtype

        def __getitem__(self, key: Any) -> Any:
            seen.extend((self.name, int(n)) for n in np.atleast_1d(np.arange(N)[key[0]]))
            return self.stored[key]

    def counted(self: Scan) -> dict[str, Any]:
        return {name: Counted(name, stored) for name, stored in quantities(self).items()}

    monkeypatch.setattr(Scan, "quantities", counted)
    return seen


def choose_in_menu(command: str) -> Any:
    return get_app_model().commands.execute_command(f"napari.window.file.{command}").result()


# -- a field -----------------------------------------------------------------------------------------


def test_a_field_opens_as_the_layers_of_the_docks(
    field: ShiftField, saved: Path, window: Any, told: list[Any]
) -> None:
    layers = window.open(saved, plugin="shiftfield")
    wanted = {arguments["name"]: (data, arguments) for data, arguments, _ in field.to_layers()}
    assert [layer.name for layer in layers] == [*SEEN, "motion, reference to sample"]
    for layer in layers:
        data, arguments = wanted[layer.name]
        np.testing.assert_array_equal(layer.data, data)
        assert layer.metadata == arguments["metadata"]
    assert layers[-2].colormap.name == SHIFT_COLORMAP["name"]
    assert np.allclose(layers[-2].scale, STEP)
    assert layers[-2].axis_labels == ("y", "x")
    assert told == []


def test_a_field_is_opened_by_the_menu(
    saved: Path, window: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "qtpy.QtWidgets.QFileDialog.getOpenFileNames", lambda *_, **__: ([str(saved)], "")
    )
    offered: list[set[str]] = []

    def choose(dialog: Any) -> tuple[str, bool]:
        offered.append({button.text() for button in dialog.reader_btn_group.buttons()})
        return "shiftfield", False

    monkeypatch.setattr(QtReaderDialog, "get_user_choices", choose)
    choose_in_menu("open_files_dialog")
    assert "shiftfield" in offered[0], "napari's own reader claims all .h5 too, so that it asks"
    assert [layer.name for layer in window.layers][-2:] == [
        "x shift",
        "motion, reference to sample",
    ]


def test_a_score_that_was_not_saved_is_no_layer(
    viewer: Any, field: ShiftField, tmp_path: Path
) -> None:
    layers = [layer for layer in field.to_layers() if layer[1]["name"] != "score"]
    (path,) = write_field(str(tmp_path / "field.h5"), layers)
    assert np.isnan(ShiftField.load(path).score).all()
    assert "score" not in [layer.name for layer in viewer.open(path, plugin="shiftfield")]


# -- a scan ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_scan_opens_with_a_slider_that_reads_what_it_shows(
    kind: str, made_scans: Path, window: Any, reads: list[tuple[str, int]], told: list[Any]
) -> None:
    layers = window.open(made_scans / f"whole{kind}", plugin="shiftfield")
    assert [layer.name for layer in layers] == SEEN
    for name in ("y", "score", "transmission", "dark_field"):  # for the contrast limits
        assert [number for quantity, number in reads if quantity == name] == [0, 4, 8]
    assert {quantity for quantity, _ in reads} == {"x", "y", "score", "transmission", "dark_field"}
    shift = window.layers["x shift"]
    assert shift.data.shape == (N, SIZE[0] // STEP, SIZE[1] // STEP)
    assert shift.data.chunks[0] == (1,) * N
    assert shift.axis_labels == window.dims.axis_labels == ("projection", "y", "x")
    assert tuple(shift.scale) == (1, STEP, STEP)
    assert shift.colormap.name == SHIFT_COLORMAP["name"]
    assert shift.contrast_limits[0] == -shift.contrast_limits[1] < -1.5
    assert [layer.name for layer in layers if layer.visible] == ["x shift"]
    for number in (5, 1, 7):
        reads.clear()
        window.dims.set_current_step(0, number)
        assert reads == [("x", number)]
        shown = shift.get_value((number, 20, 26), world=True)
        assert shown == pytest.approx(truth(number)[0], abs=0.2)
    reads.clear()
    window.layers["y shift"].visible = True
    assert set(reads) == {("y", 7)}
    assert told == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_layers_of_a_scan_hold_its_numbers(kind: str, made_scans: Path, viewer: Any) -> None:
    path = made_scans / f"whole{kind}"
    layers = viewer.open(path, plugin="shiftfield")
    for name, layer in zip(("score", "dark_field", "transmission", "y", "x"), layers, strict=True):
        wanted = np.asarray(Scan(path).quantities()[name][:])
        np.testing.assert_array_equal(np.asarray(layer.data), wanted)
        assert layer.metadata["shiftfield"]["quantity"] == name
        assert layer.metadata["shiftfield"]["settings"]["window"] == CHOSEN["window"]


@pytest.mark.parametrize("kind", KINDS)
def test_projections_that_are_not_finished_are_nan_and_come_when_they_are(
    kind: str, scans: Path, viewer: Any, told: list[Any]
) -> None:
    viewer.open(scans / f"part{kind}", plugin="shiftfield")
    shift = viewer.layers["x shift"]
    for number in (4, 3):
        viewer.dims.set_current_step(0, number)
        value = shift.get_value((number, 20, 26), world=True)
        assert np.isnan(value) if number == 4 else value == pytest.approx(-0.4, abs=0.2)
    assert "7 of 9 projections are finished" in told[-1].message
    assert np.isfinite(shift.contrast_limits).all()
    put_projection(scans / f"part{kind}", 4)
    viewer.dims.set_current_step(0, 4)
    assert shift.get_value((4, 20, 26), world=True) == 1.25


def put_projection(path: Path, number: int) -> None:
    """Finish a projection as a run does that goes on meanwhile."""
    data = np.full(SIZE, 1.25, np.float32)
    if path.suffix == ".zarr":
        zarr.open_group(str(path), mode="r+")["x"][number] = data
        return
    with h5py.File(path.with_name(f"{path.name}.parts") / f"{number:06d}.h5", "w") as file:
        file["x"] = data


def test_a_scan_without_any_finished_projection_opens(scans: Path, viewer: Any) -> None:
    shutil.rmtree(scans / "part.h5.parts")
    viewer.open(scans / "part.h5", plugin="shiftfield")
    assert np.isnan(np.asarray(viewer.layers["x shift"].data[3])).all()


def test_a_projection_that_cannot_be_read_is_shown_empty_and_said(
    scans: Path, viewer: Any, told: list[Any]
) -> None:
    with h5py.File(scans / "whole.h5", "a") as file:
        file["x"].id.write_direct_chunk((3, 0, 0), b"damaged", 0)
    viewer.open(scans / "whole.h5", plugin="shiftfield")
    shift = viewer.layers["x shift"]
    for number in (3, 5, 3):
        viewer.dims.set_current_step(0, number)
        assert np.isnan(shift.get_value((number, 20, 26), world=True)) == (number == 3)
    (note,) = told
    assert note.message.startswith("x shift of projection 3 is shown empty: ")


# -- what is not ours, and what is broken ------------------------------------------------------------


def foreign(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["x"] = file["y"] = np.zeros((4, 5), np.float32)
        file.attrs["format"] = np.array([1, 2])
    return path


def test_what_is_not_ours_is_left_to_others(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.h5").touch()
    (tmp_path / "text.h5").write_text("no HDF5")
    (tmp_path / "cut.h5").write_bytes(saved.read_bytes()[:-2000])
    (tmp_path / "folder.h5").mkdir()
    zarr.open_group(str(tmp_path / "other.zarr"), mode="w").create_array(
        "x", shape=(4, 5), dtype="f4"
    )
    (tmp_path / "empty.zarr").mkdir()
    (tmp_path / "broken.zarr").mkdir()
    (tmp_path / "broken.zarr" / "zarr.json").write_text("[{")
    os.mkfifo(tmp_path / "pipe.h5") if hasattr(os, "mkfifo") else None
    foreign(tmp_path / "other.h5")
    for path in (*tmp_path.iterdir(), tmp_path / "absent.h5", tmp_path):
        assert (get_reader(str(path)) is None) == (path != saved), path.name
    assert get_reader([str(saved), str(saved)]) is None
    with h5py.File(saved, "r+"):
        get_reader(str(saved))  # another program writes


def test_whose_a_file_is_is_known_without_its_data(
    saved: Path, made_scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: Any) -> None:
        raise AssertionError("data were read")

    monkeypatch.setattr(h5py.Dataset, "__getitem__", read)
    monkeypatch.setattr(h5py.Dataset, "__array__", read)
    monkeypatch.setattr(zarr.Array, "__getitem__", read)
    for path in (saved, made_scans / "whole.h5", made_scans / "part.zarr"):
        assert get_reader(str(path)) is not None


def test_knowing_who_opens_what_loads_nothing_heavy() -> None:
    code = (
        "import sys, npe2\n"
        "manager = npe2.PluginManager.instance(); manager.discover()\n"
        "names = [reader.plugin_name for reader in manager.iter_compatible_readers('a.h5')]\n"
        "assert 'shiftfield' in names and list(manager.iter_compatible_writers(['image', 'vectors']))\n"
        "import shiftfield._napari.files.reader, shiftfield._napari.files.writer\n"
        "print([m for m in ('napari', 'qtpy', 'h5py', 'dask', 'zarr') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_another_plugin_gets_its_chance(tmp_path: Path, window: Any) -> None:
    path = str(foreign(tmp_path / "other.h5"))
    with pytest.raises(ValueError, match="refused the file"):
        window.open(path, plugin="shiftfield")
    with npe2.DynamicPlugin("other-plugin") as other:

        @other.contribute.reader(filename_patterns=["*.h5"])
        def get_other_reader(path: str) -> Callable[[str], list[Any]]:
            assert path.endswith(".h5")
            return lambda _: [(np.zeros((4, 5)), {"name": "of the other"}, "image")]

        assert window.open(path, plugin="other-plugin")[0].name == "of the other"


DAMAGE: dict[str, Callable[[Any], Any]] = {
    "field.h5": lambda file: file.pop("y"),
    "settings.h5": lambda file: file.attrs.__setitem__("settings", "{}}"),
    "newer.h5": lambda file: file.attrs.__setitem__("format", "shiftfield/2"),
    "place.h5": lambda file: file.attrs.__setitem__("placement", "{}}"),
    "scan.h5": lambda file: file.pop("x"),
    "scan settings.h5": lambda file: file.attrs.__setitem__("settings", '{"colour": 1}'),
    "scan.zarr": lambda group: group.__delitem__("x"),
    "newer.zarr": lambda group: group.attrs.__setitem__("format", "shiftfield-scan/2"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_broken_file_of_ours_is_said_in_a_sentence(
    name: str, saved: Path, scans: Path, viewer: Any, told: list[Any]
) -> None:
    scan = "scan" in name or name.endswith(".zarr")
    path = scans / f"whole{Path(name).suffix}" if scan else saved
    broken = path.rename(path.with_name(name))
    if broken.suffix == ".zarr":
        DAMAGE[name](zarr.open_group(str(broken), mode="r+"))
    else:
        with h5py.File(broken, "a") as file:
            DAMAGE[name](file)
    assert viewer.open(broken, plugin="shiftfield") == []
    (note,) = told
    assert str(note.severity) == "error"
    assert name in note.message
    assert "\n" not in note.message
    assert len(viewer.open(scans / "part.h5", plugin="shiftfield")) == 5, "the session goes on"


# -- saving ------------------------------------------------------------------------------------------


def test_all_layers_of_a_search_are_saved_bit_for_bit(
    field: ShiftField, window: Any, tmp_path: Path, told: list[Any]
) -> None:
    from napari.layers import Layer

    for layer in field.to_layers(placement=PLACE):
        window.add_layer(Layer.create(*layer))
    path = tmp_path / "saved.h5"
    path.write_text("something foreign")
    with pytest.raises(FileExistsError, match="something else than a shift field"):
        window.layers.save(str(path), plugin="shiftfield")
    assert path.read_text() == "something foreign"
    path.unlink()
    for _ in range(2):  # the second time over a field
        assert window.layers.save(str(path), plugin="shiftfield") == [str(path)]
    same_numbers(ShiftField.load(path), field)
    assert list(tmp_path.iterdir()) == [path]
    before = list(window.layers)
    after = window.open(path, plugin="shiftfield")
    for one in after:
        (old,) = (layer for layer in before if layer.name == one.name.removesuffix(" [1]"))
        np.testing.assert_array_equal(np.asarray(one.data), np.asarray(old.data))
        assert np.allclose(one.data_to_world((3, 4)), old.data_to_world((3, 4)))
        assert (one.units, one.axis_labels) == (old.units, old.axis_labels)
        assert one.metadata == old.metadata
    assert told == []


def test_what_a_dock_found_is_saved_by_the_menu(
    window: Any, open_in_window: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_pair()
    window.add_image(images.reference, scale=(2, 2))
    window.add_image(images.sample, scale=(2, 2))
    dock = open_in_window("Local shifts")
    dock.margin.value = 5
    click_run(dock, qtbot)
    asked: list[str] = []

    def ask(*_: Any, filter: str, **__: Any) -> tuple[str, str]:
        asked.append(filter)
        return str(tmp_path / "found"), filter.split(";;")[0].split(" (")[0]

    monkeypatch.setattr("qtpy.QtWidgets.QFileDialog.getSaveFileName", ask)
    window.layers.selection = set(window.layers[2:])
    choose_in_menu("save_layers_dialog.selected")
    assert "shiftfield Shift field (*.h5 *.hdf5)" in asked[0]
    field = ShiftField.load(tmp_path / "found.h5")
    assert field.x.tobytes() == window.layers["x shift"].data.tobytes()
    assert np.nanmedian(field.y) == pytest.approx(SHIFT[1], abs=0.05)
    assert hdf5.load_placement(tmp_path / "found.h5")["scale"] == [2, 2]
    with pytest.raises(OSError, match=r"found\.h5 exists; give its whole name"):
        choose_in_menu("save_layers_dialog.selected")
    window.layers.selection = {window.layers["y shift"], window.layers[-1]}
    with pytest.raises(OSError, match=r"^'x shift' is missing; a field is saved with both"):
        choose_in_menu("save_layers_dialog.selected")


def layer_tuples(field: ShiftField) -> dict[str, Any]:
    return {layer[1]["name"]: layer for layer in field.to_layers()}


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        (("x shift",), "'x shift' is missing"),
        (("y shift",), "'y shift' is missing"),
        (("x shift", "y shift"), "'x shift' and 'y shift' are missing"),
    ],
)
def test_a_selection_without_a_shift_is_refused(
    left_out: tuple[str, ...], words: str, field: ShiftField, viewer: Any, tmp_path: Path
) -> None:
    from napari.layers import Layer

    for name, layer in layer_tuples(field).items():
        if name not in left_out:
            viewer.add_layer(Layer.create(*layer))
    with pytest.raises(OSError, match=words):
        viewer.layers.save(str(tmp_path / "field.h5"), plugin="shiftfield")
    assert list(tmp_path.iterdir()) == []


def test_layers_that_are_not_one_field_are_refused(
    field: ShiftField, made_scans: Path, tmp_path: Path
) -> None:
    images = make_pair(frames=3)
    layers = layer_tuples(field)
    others = layer_tuples(find_shift_field(images.reference, images.sample, step=STEP, **CHOSEN))
    x, y = layers["x shift"], layers["y shift"]
    picture = (images.sample, {"name": "sample", "metadata": {}}, "image")
    cut = (y[0][:-1], y[1], "image")
    reader = get_reader(str(made_scans / "whole.h5"))
    assert reader is not None
    for chosen, words in (
        (
            [x, y, picture],
            "Not from a search for a shift field: 'sample'; select the layers of one",
        ),
        ([x, others["y shift"]], "'x shift' and 'y shift' are from different searches"),
        ([x, y, others["y shift"]], "There are two layers of y shift"),
        ([x, cut], r"'y shift' has shape \(23, 30\); the search gave it \(24, 30\)"),
        (reader(str(made_scans / "whole.h5")), "layers of a scan are in its file already"),
    ):
        with pytest.raises(NoFieldError, match=words):
            write_field(str(tmp_path / "field.h5"), chosen)
    with pytest.raises(OSError, match=r"."):
        write_field(str(tmp_path / "no such folder" / "field.h5"), [x, y])
    assert list(tmp_path.iterdir()) == []


def test_the_place_in_the_file_is_plain_and_a_file_without_it_opens(
    field: ShiftField, saved: Path, viewer: Any, tmp_path: Path
) -> None:
    assert hdf5.load_placement(saved) == {}
    (path,) = write_field(str(tmp_path / "placed.hdf5"), viewer_tuples(viewer, field))
    with h5py.File(path) as file:
        assert json.loads(file.attrs["placement"])["scale"] == [0.5, 0.25]


def viewer_tuples(viewer: Any, field: ShiftField) -> list[Any]:
    from napari.layers import Layer

    for layer in field.to_layers(placement=PLACE):
        viewer.add_layer(Layer.create(*layer))
    return [layer.as_layer_data_tuple() for layer in viewer.layers]


def test_a_shift_that_a_person_changed_is_saved_as_it_is_now(
    field: ShiftField, viewer: Any, tmp_path: Path
) -> None:
    def changed(data: NDArray[np.float32]) -> NDArray[np.float64]:
        data = data.astype(float)
        data[5, 6] = np.nan
        return data

    layers = viewer_tuples(viewer, field)
    layers = [
        (changed(data), arguments, kind)
        if arguments["name"] == "x shift"
        else (data, arguments, kind)
        for data, arguments, kind in layers
    ]
    (path,) = write_field(str(tmp_path / "field.h5"), layers)
    back = ShiftField.load(path)
    assert not back.valid[5, 6]
    assert back.valid.sum() == field.valid.sum() - field.valid[5, 6]
