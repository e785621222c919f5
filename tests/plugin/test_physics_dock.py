"""Phase and strain from the layers of a search, as a person clicks them; quantities with units."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from clicking import about, click, click_run, make_pair
from napari.layers import Image, Layer

from shiftfield import ShiftField, phase
from shiftfield._napari.physics.dock import CHOICES, PhysicsDock
from shiftfield._napari.physics.quantity import ENERGY, LENGTH, parse
from shiftfield._napari.recipe import searches as recipe
from shiftfield.settings import Settings

SHAPE = (40, 60)
STRETCH = 0.01


def stretched(step: int = 1, shape: tuple[int, int] = SHAPE) -> ShiftField:
    """A field whose motion is a stretch along x, with a hole."""
    rows, columns = (-(-n // step) for n in shape)
    x = np.tile(-STRETCH * step * np.arange(columns, dtype=np.float32), (rows, 1))
    x[3, 4] = np.nan
    valid = np.isfinite(x)
    y = np.where(valid, np.float32(0), np.float32(np.nan))
    return ShiftField(
        x=x, y=y, valid=valid, score=np.ones_like(x), settings=Settings(step=step), image_shape=shape, frames=1,
    )  # fmt: skip


PLACE = {
    "scale": (0.5, 0.5), "translate": (3.0, 7.0), "rotate": 30.0, "units": ("um", "um"),
    "axis_labels": ("y", "x"),
}  # fmt: skip


def add_field(viewer: Any, field: ShiftField, **placement: Any) -> list[Any]:
    """Add the layers of a field, as a search or a file does."""
    return [
        viewer.add_layer(Layer.create(data, arguments, kind))
        for data, arguments, kind in field.to_layers(placement=placement)
    ]


@pytest.fixture
def dock(viewer: Any, qtbot: Any) -> PhysicsDock:
    made = PhysicsDock(viewer)
    qtbot.addWidget(made.native)
    return made


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("0.65 um", LENGTH, 0.65e-6),
        ("0.65µm", LENGTH, 0.65e-6),
        ("0.65 \N{GREEK SMALL LETTER MU}m", LENGTH, 0.65e-6),
        (" 6.5e-4 mm ", LENGTH, 0.65e-6),
        ("2 m", LENGTH, 2.0),
        ("25 keV", ENERGY, 25.0),
        ("12000 eV", ENERGY, 12.0),
        ("1 angstrom", ENERGY, 12.398419843320026),
        ("0.1 nm", ENERGY, 12.398419843320026),
    ],
)
def test_a_quantity_is_read_with_its_unit(text: str, kind: Any, value: float) -> None:
    assert parse(text, kind, "It") == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("kind", [LENGTH, ENERGY])
@pytest.mark.parametrize(
    "text",
    ["", "3", "um", "3 kg", "-1 um", "0 m", "0 nm", "1e999 m", "1 m**2", "9**9**9**9 m", "0,6 um", "1 foo",
     "3 px", "3 pixel"],
)  # fmt: skip
def test_what_is_no_quantity_is_said_in_one_sentence(text: str, kind: Any) -> None:
    with pytest.raises(ValueError, match=r"must be an? .* above 0 with its unit, such as") as error:
        parse(text, kind, "Pixel size")
    assert str(error.value).startswith(f"Pixel size is {repr(text) if text else 'missing'};")
    assert str(error.value).count("; ") == 1


def test_phase_takes_the_pixel_size_of_the_layers_and_lies_on_the_field(
    viewer: Any, dock: Any, qtbot: Any
) -> None:
    field = stretched(step=2)
    add_field(viewer, field, **PLACE)
    assert dock.pixel_size.value == "0.5 µm"
    dock.distance.value, dock.energy.value = "2 m", "25 keV"
    dock.angles.value = True
    click_run(dock, qtbot)
    assert dock._error is None
    top = viewer.layers[-1]
    assert top.name == "phase"
    wanted = phase(field, 0.5e-6, 2.0, 25.0)
    np.testing.assert_allclose(top.data, wanted.phase, rtol=1e-9)
    np.testing.assert_allclose(viewer.layers["refraction x"].data, wanted.refraction_x)
    assert np.isnan(top.data[3, 4]), "what is not known stays empty"
    x = viewer.layers["x shift"]
    for name in ("scale", "translate", "rotate"):
        np.testing.assert_allclose(getattr(top, name), getattr(x, name))
    assert top.units == x.units
    assert top.axis_labels == x.axis_labels
    said = about(top)
    assert (said["made_by"], said["unit"], said["settings"]["energy"]) == ("phase", "rad", 25.0)
    assert said["settings"]["pixel_size"] == pytest.approx(0.5e-6)


def test_what_a_person_typed_is_not_replaced(viewer: Any, dock: Any) -> None:
    dock.pixel_size.value = "3 um"
    add_field(viewer, stretched(), **PLACE)
    assert dock.pixel_size.value == "3 um"


def test_a_wrong_unit_is_said_and_the_session_goes_on(
    viewer: Any, dock: Any, qtbot: Any, told: list[Any]
) -> None:
    add_field(viewer, stretched(), **PLACE)
    before = len(viewer.layers)
    dock.distance.value, dock.energy.value = "2 kg", "25 keV"
    click_run(dock, qtbot)
    text = "Distance is '2 kg'; it must be a length above 0 with its unit, such as 0.65 um, 0.2 mm or 2 m."
    assert dock.status == f"Error: {text}"
    assert told[-1].message == text
    assert len(viewer.layers) == before
    dock.distance.value = "2 m"
    click_run(dock, qtbot)
    assert viewer.layers[-1].name == "phase"


def test_strain_is_the_stretch(viewer: Any, dock: Any, qtbot: Any) -> None:
    add_field(viewer, stretched())
    dock.quantity.value = "strain"
    dock.window.value = 7
    click_run(dock, qtbot)
    assert [layer.name for layer in list(viewer.layers)[-4:]] == [
        "rotation", "strain exy", "strain eyy", "strain exx",
    ]  # fmt: skip
    np.testing.assert_allclose(np.nanmedian(viewer.layers["strain exx"].data), STRETCH, rtol=1e-4)
    assert [viewer.layers[n].visible for n in ("strain exx", "strain eyy")] == [True, False]


@pytest.mark.parametrize(
    ("quantity", "truth"),
    [("divergence", STRETCH), ("vorticity", 0.0), ("magnitude", STRETCH * 20)],
)
def test_other_quantities(viewer: Any, dock: Any, qtbot: Any, quantity: str, truth: float) -> None:
    add_field(viewer, stretched())
    dock.quantity.value = quantity
    click_run(dock, qtbot)
    assert viewer.layers[-1].name == quantity
    assert viewer.layers[-1].data[20, 20] == pytest.approx(truth, abs=1e-6)


def test_the_sample_is_laid_onto_its_reference(
    viewer: Any, open_dock: Any, dock: Any, qtbot: Any
) -> None:
    images = make_pair()
    viewer.add_image(np.zeros(images.sample.shape), name="something else")
    viewer.add_image(images.reference, name="before", translate=(5, 6))
    viewer.add_image(images.sample, name="after", translate=(9, 9))
    search = open_dock("Local shifts")
    search.reference.value, search.sample.value = viewer.layers["before"], viewer.layers["after"]
    search.margin.value = 5
    click_run(search, qtbot)
    dock.quantity.value = "warp"
    assert dock.sample.value.name == "after"
    click_run(dock, qtbot)
    laid = viewer.layers["sample on reference"]
    inside = np.isfinite(laid.data)
    assert inside.mean() > 0.3
    apart = np.abs(laid.data - images.reference)[inside]
    assert np.median(apart) < 0.02 * np.ptp(images.reference)
    assert tuple(laid.translate) == (5, 6)


def test_only_what_the_quantity_needs_is_shown(
    window: Any, open_in_window: Any, qtbot: Any
) -> None:
    add_field(window, stretched())
    dock = open_in_window("Phase and strain")
    qtbot.waitUntil(dock.native.isVisible)
    seen = {}
    for quantity in CHOICES.values():
        dock.quantity.value = quantity
        seen[quantity] = {one.name for one in dock if one.visible} - {
            "field",
            "quantity",
            "run_button",
        }
    assert {"pixel_size", "distance", "energy", "method"} <= seen["phase"]
    assert seen["strain"] == {"window", "coverage"}
    assert seen["magnitude"] == set()
    assert seen["warp"] == {"sample", "order"}
    assert all(one.native.accessibleName() for one in dock)


def test_each_search_is_one_entry_and_one_opened_twice_is_two(viewer: Any, dock: Any) -> None:
    assert dock.status.startswith("There is no shift field")
    first, second = stretched(), stretched(step=2)
    add_field(viewer, first)
    add_field(viewer, second)
    add_field(viewer, second)
    assert len(dock.field.choices) == 3
    viewer.layers.remove(viewer.layers["y shift [1]"])
    assert len(dock.field.choices) == 2, "a shift without the other is no field"


def test_layers_may_go_or_change_while_a_run_goes_on(viewer: Any, dock: Any, qtbot: Any) -> None:
    field = stretched()
    layers = add_field(viewer, field)
    dock.quantity.value = "strain"
    click(dock.run_button)
    for layer in layers:
        if isinstance(layer, Image):
            layer.data[...] = 7
    viewer.layers.clear()
    qtbot.waitUntil(lambda: not dock.running)
    assert dock._error is None
    np.testing.assert_allclose(np.nanmedian(viewer.layers["strain exx"].data), STRETCH, rtol=1e-4)


def test_a_run_is_cancelled(viewer: Any, dock: Any, qtbot: Any) -> None:
    layers = add_field(viewer, stretched(shape=(900, 900)))
    dock.pixel_size.value, dock.distance.value, dock.energy.value = "1 um", "1 m", "20 keV"
    dock.method.value = "least_squares"
    click(dock.run_button)
    click(dock.run_button)
    qtbot.waitUntil(lambda: not dock.running)
    assert "Cancelled" in dock.status
    assert list(viewer.layers) == layers


def test_a_field_without_a_known_shift_is_refused(
    viewer: Any, dock: Any, qtbot: Any, told: list[Any]
) -> None:
    layers = add_field(viewer, stretched())
    next(layer for layer in layers if layer.name == "x shift").data[...] = math.nan
    dock.quantity.value = "strain"
    click_run(dock, qtbot)
    assert told[-1].message == "The field has no known shift; there is nothing to work on."


@pytest.mark.parametrize("quantity", ["phase", "strain", "vorticity", "warp"])
def test_a_copied_script_makes_the_same_layer(
    viewer: Any, dock: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch, quantity: str
) -> None:
    add_field(viewer, stretched(step=2), **PLACE)
    viewer.add_image(np.random.default_rng(0).random((3, *SHAPE)), name="stack")
    dock.distance.value, dock.energy.value, dock.quantity.value = "2 m", "0.5 angstrom", quantity
    click_run(dock, qtbot)
    assert dock._error is None
    made = viewer.layers[-1]
    script = recipe.as_python(about(made))
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    exec(compile(script, "script", "exec"), {})
    again = viewer.layers[-1]
    assert again is not made
    np.testing.assert_array_equal(again.data, made.data)
    np.testing.assert_array_equal(again.affine.affine_matrix, made.affine.affine_matrix)
    np.testing.assert_array_equal(again.scale, made.scale)
    assert recipe.described(about(made)).startswith("The ")


def test_a_pixel_is_no_length_of_its_own(viewer: Any, dock: Any) -> None:
    add_field(viewer, stretched(), units=("px", "px"))
    assert dock.pixel_size.value == ""
