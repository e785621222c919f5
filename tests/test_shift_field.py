"""`ShiftField`: what it holds, the file, the layers and the pictures it makes of itself."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import dask.array as da
import h5py
import numpy as np
import pytest
from PIL import Image

from shiftfield import ShiftField, find_shift_field
from shiftfield.arrays.on_device import is_lazy
from shiftfield.synthetic import speckle

PATTERN: dict[str, Any] = {"sigma": 2.0, "frames": 3, "seed": 3}
REFERENCE = speckle((60, 80), **PATTERN)
SAMPLE = speckle((60, 80), shift=(2.0, -1.0), **PATTERN)


@pytest.fixture(scope="module")
def dark() -> ShiftField:
    return find_shift_field(REFERENCE, SAMPLE, method="umpa_dark", margin=4, weight="hamming")


@pytest.mark.parametrize(
    ("method", "present"),
    [
        ("pearson", {"x", "y", "valid", "score"}),
        ("umpa", {"x", "y", "valid", "score", "transmission"}),
        ("umpa_dark", {"x", "y", "valid", "score", "transmission", "dark_field"}),
    ],
)
def test_what_a_method_does_not_know_is_absent(method: str, present: set[str]) -> None:
    field = find_shift_field(REFERENCE, SAMPLE, method=method, margin=4)
    assert set(field.quantities()) == present
    for name in {"transmission", "dark_field", "uncertainty_x", "second_peak", "quality"} - present:
        assert getattr(field, name) is None


def test_unknown_is_nan_and_not_valid(dark: ShiftField) -> None:
    assert not dark.valid[:7].any()
    for name, array in dark.quantities().items():
        assert array.dtype == (bool if name == "valid" else np.float32)
        if name != "valid":
            np.testing.assert_array_equal(np.isfinite(array), dark.valid)


def test_it_is_frozen(dark: ShiftField) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        dark.x = dark.y  # type: ignore[misc]


def test_a_saved_field_comes_back(dark: ShiftField, tmp_path: Path) -> None:
    path = tmp_path / "field.h5"
    dark.save(path)
    dark.save(path)  # over itself
    back = ShiftField.load(path)
    for name, array in dark.quantities().items():
        np.testing.assert_array_equal(back.quantities()[name], array)
    assert (back.settings, back.frames, back.version) == (dark.settings, 3, dark.version)
    assert back.image_shape == (60, 80)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_says_what_is_in_it(dark: ShiftField, tmp_path: Path) -> None:
    dark.save(tmp_path / "field.h5")
    with h5py.File(tmp_path / "field.h5") as file:
        assert file["x"].attrs["units"] == "px"
        assert "match in the reference minus place" in file.attrs["convention"]


def test_files_that_hold_no_field_are_refused(dark: ShiftField, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There is no file"):
        ShiftField.load(tmp_path / "none.h5")
    text = tmp_path / "text.h5"
    text.write_text("no HDF5")
    with pytest.raises(ValueError, match="holds no shift field"):
        ShiftField.load(text)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.zeros((3, 3))
    with pytest.raises(ValueError, match="holds no shift field"):
        ShiftField.load(tmp_path / "other.h5")
    path = tmp_path / "field.h5"
    for damage in ("del file['y']", "del file.attrs['settings']", "file.attrs['settings'] = '{}}'",
                   "file.attrs['settings'] = '{\"window\": -1}'",
                   "del file['score']; file['score'] = np.zeros(5)",
                   "file.attrs['settings'] = '{\"colour\": 1}'"):  # fmt: skip
        dark.save(path)
        with h5py.File(path, "a") as file:
            exec(damage, {"file": file, "np": np})
        with pytest.raises(ValueError, match=r"field\.h5' holds no shift field: [^\n]+\.$"):
            ShiftField.load(path)
    dark.save(path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ValueError, match="field"):
        ShiftField.load(path)


def test_a_folder_that_cannot_be_written_leaves_nothing(dark: ShiftField, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"."):
        dark.save(tmp_path / "no such folder" / "field.h5")
    assert list(tmp_path.iterdir()) == []


def test_vectors_show_the_motion_from_reference_to_sample(dark: ShiftField) -> None:
    """The content moved by -shift: each vector ends at its sample pixel, drawn from the match."""
    layers = dark.to_layers(spacing=10)
    data, arguments, kind = layers[-1]
    assert kind == "vectors"
    assert "reference to sample" in arguments["name"]
    np.testing.assert_allclose(np.median(data[:, 1], axis=0), (1, -2), atol=0.05)
    ends = data[:, 0] + data[:, 1]
    np.testing.assert_allclose(ends, np.round(ends), atol=1e-4)
    rows, columns = np.round(ends).astype(int).T
    assert dark.valid[rows, columns].all()
    np.testing.assert_allclose(arguments["features"]["x_shift_px"], dark.x[rows, columns])


def test_layers_take_over_the_place_of_the_image(dark: ShiftField) -> None:
    place: dict[str, Any] = {
        "scale": (0.5, 0.25), "translate": (7, 8), "rotate": 30, "units": ("um", "um"),
        "axis_labels": ("y", "x"),
    }  # fmt: skip
    for _, arguments, _ in dark.to_layers(placement=place):
        for name, value in place.items():
            assert arguments[name] == value
        assert arguments["metadata"]["shiftfield"]["settings"]["window"] == 7
    coarse = find_shift_field(REFERENCE, SAMPLE, step=4, margin=4)
    *images, vectors = coarse.to_layers(placement=place)
    assert all(arguments["scale"] == (2.0, 1.0) for _, arguments, _ in images)
    assert vectors[1]["scale"] == (0.5, 0.25)


def test_shift_layers_have_symmetric_limits(dark: ShiftField) -> None:
    for data, arguments, _ in dark.to_layers()[-3:-1]:
        low, high = arguments["contrast_limits"]
        assert low == -high < 0
        assert data.shape == (60, 80)


def test_layers_and_pictures_need_no_viewer(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np, shiftfield\n"
        "image = np.random.default_rng(0).random((40, 40))\n"
        "field = shiftfield.find_shift_field(image, image, margin=2, device='cpu')\n"
        f"field.save({str(tmp_path / 'f.h5')!r})\n"
        "assert field.to_layers() and field._repr_html_() and field._repr_png_()\n"
        "print([m for m in ('napari', 'qtpy', 'magicgui', 'cupy') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_it_shows_itself(dark: ShiftField) -> None:
    """A picture with every quantity, text and HTML; also where nothing is known."""
    image = Image.open(BytesIO(dark._repr_png_()))
    assert image.width > 4 * 300
    colours = {colour for _, colour in image.convert("RGB").getcolors(maxcolors=1 << 24) or []}
    assert len(colours) > 100
    assert "data:image/png;base64," in dark._repr_html_()
    assert "window 7 px" in dark.summary()
    assert "60 x 80" in repr(dark)
    nothing = np.full((5, 6), np.nan, np.float32)
    unknown = ShiftField(nothing, nothing, np.zeros((5, 6), bool), nothing, image_shape=(5, 6))
    assert unknown._repr_png_()
    assert len(unknown.to_layers()) == 4
    assert "valid       0.0 %" in unknown.summary()


@pytest.mark.parametrize(("spoilt", "words"), [
    ({"y": np.zeros((59, 80), np.float32)}, r"^y has shape \(59, 80\) and x \(60, 80\); they must be the same\."),
    ({"x": np.zeros(80, np.float32)}, r"^x has shape \(80,\); it must be 2-D\."),
    ({"valid": np.zeros((60, 80), np.float32)}, r"^valid has dtype float32; it must hold True and False\."),
    ({"score": np.zeros((60, 80), complex)}, r"^score has dtype complex128; it must hold real numbers\."),
    ({"quality": np.zeros((60, 80))}, r"^quality has dtype float64; it must hold whole numbers\."),
    ({"score": None}, r"^score is a NoneType; it must be an array\."),
    ({"x": [[1.0]]}, r"^x is a list; it must be an array\."),
    ({"image_shape": (60,)}, r"^image_shape is \(60,\); it must be \(rows, columns\), px\."),
    ({"image_shape": None}, "^image_shape is None; it must be"),
    ({"settings": None}, "^settings is a NoneType; it must be a Settings"),
])  # fmt: skip
def test_one_made_by_hand_is_checked(dark: ShiftField, spoilt: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(dark, **spoilt)


def test_a_part_of_a_field_is_one_but_is_not_kept(dark: ShiftField, tmp_path: Path) -> None:
    """A preview shows some rows of what an image makes; a file of them would not say which they are."""
    part = {name: one[10:30, :0] for name, one in dark.quantities().items()}
    for rows in (part, {name: one[10:30] for name, one in dark.quantities().items()}):
        field = dataclasses.replace(dark, **rows)
        with pytest.raises(ValueError, match=r"must not be empty|an image of 60 x 80 px with step"):
            field.save(tmp_path / "part.h5")
    assert not list(tmp_path.iterdir())


def test_lazy_arrays_stay_lazy_whatever_is_known_of_their_sizes(dark: ShiftField) -> None:
    def untouched(_block: Any) -> Any:
        raise AssertionError("it was computed")

    lazy = {name: da.from_array(one).map_blocks(untouched, dtype=one.dtype, meta=one[:0, :0])
            for name, one in dark.quantities().items()}  # fmt: skip
    assert is_lazy(dataclasses.replace(dark, **lazy).x)
    unknown = lazy["y"][lazy["valid"][:, 0]]
    assert np.isnan(unknown.shape[0])
    assert is_lazy(dataclasses.replace(dark, **lazy | {"y": unknown}).y)


def test_a_foreign_file_is_not_replaced(dark: ShiftField, tmp_path: Path) -> None:
    raw, empty = tmp_path / "raw.h5", tmp_path / "empty.h5"
    with h5py.File(raw, "w") as file:
        file["i"] = np.zeros((3, 3))
    before = raw.read_bytes()
    with pytest.raises(
        FileExistsError, match=r"raw\.h5 holds something else .* choose another name\.$"
    ):
        dark.save(raw)
    with pytest.raises(FileExistsError, match="is a folder"):
        dark.save(tmp_path)
    assert raw.read_bytes() == before
    empty.touch()
    dark.save(empty)
    assert ShiftField.load(empty).shape == dark.shape


@pytest.mark.parametrize("path", [None, 3, b"x", "", "a\0b", "n" * 300])
def test_what_is_no_name_of_a_file_is_refused(dark: ShiftField, path: Any) -> None:
    for use in (dark.save, ShiftField.load):
        with pytest.raises(ValueError, match=r"^path is .*\.$"):
            use(path)


@pytest.mark.parametrize(("call", "words"), [
    (lambda f: f.reasons("a", 0), r"row is 'a'; it must be a whole number\."),
    (lambda f: f.reasons(0, 1.5), r"column is 1\.5; it must be a whole number\."),
    (lambda f: f.to_layers(spacing="a"), r"spacing is 'a'; .* at least 1 px\."),
    (lambda f: f.to_layers(spacing=0), r"spacing is 0; .* at least 1 px\."),
    (lambda f: f.to_layers(length=np.nan), r"length is nan; it must be a number of at least 0"),
    (lambda f: f.to_layers(length="a"), r"length is 'a'; it must be a number of at least 0"),
])  # fmt: skip
def test_what_a_method_does_not_take_is_a_sentence(dark: ShiftField, call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(dark)
