"""Each dock does its job: what is clicked, what layers come, where they lie, what they say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from clicking import DOCKS, SHIFT, about, click, click_run, make_pair

TURNED = {
    "scale": (0.5, 0.25),
    "translate": (10, -20),
    "rotate": 30,
    "shear": [0.2],
    "units": ("um", "um"),
    "axis_labels": ("height", "width"),
}


def same_place(layer: Any, other: Any, pixel: tuple[float, float], own: Any = None) -> bool:
    """Whether `pixel` of `other` lies where `own` (default: the same pixel) of `layer` lies."""
    return np.allclose(layer.data_to_world(own or pixel), other.data_to_world(pixel)[-2:])


@pytest.mark.parametrize("name", DOCKS)
def test_a_dock_of_an_empty_viewer_says_what_is_missing(
    name: str, open_dock: Any, told: list[Any]
) -> None:
    dock = open_dock(name)
    click(dock.run_button)
    assert not dock.running
    assert dock.status.startswith("Error: There is no")
    assert [str(note.severity) for note in told] == ["error"]


def test_fields_show_unit_range_and_help_of_the_declaration(open_dock: Any) -> None:
    from shiftfield.settings import Settings, parameters

    dock = open_dock("Local shifts")
    declared = parameters(Settings)
    for name in ("window", "margin", "step", "search", "peak", "peak_size"):
        assert dock[name].value == declared[name].default
        assert dock[name].tooltip == declared[name].help
        assert declared[name].unit in dock[name].label
    assert (dock.window.min, dock.window.max) == (declared["window"].low, declared["window"].high)
    assert dock.search.choices == declared["search"].choices


def test_local_shifts_finds_the_known_shift(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    viewer.add_image(pair.reference, name="before")
    viewer.add_image(pair.sample, name="after")
    dock = open_dock("Local shifts")
    dock.margin.value = 5
    dock.window.value = 9
    dock.spacing.value = 8
    dock.score.value = True
    click_run(dock, qtbot)
    assert [layer.name for layer in viewer.layers] == [
        "before", "after", "score", "y shift", "x shift", "motion, reference to sample",
    ]  # fmt: skip
    x, y = viewer.layers["x shift"], viewer.layers["y shift"]
    assert np.nanmedian(x.data) == pytest.approx(SHIFT[0], abs=0.05)
    assert np.nanmedian(y.data) == pytest.approx(SHIFT[1], abs=0.05)
    assert x.contrast_limits[0] == -x.contrast_limits[1]
    assert np.isnan(x.data[0, 0])
    assert x.colormap.map(np.array([np.nan]))[0, 3] == 0, "unknown pixels are transparent"
    start, motion = np.moveaxis(viewer.layers[-1].data, 1, 0)
    assert np.median(motion, axis=0) == pytest.approx((-SHIFT[1], -SHIFT[0]), abs=0.05)
    ends = start + motion
    assert np.allclose(np.diff(np.unique(ends[:, 0].round(3))), 8)
    assert about(x)["settings"]["window"] == 9
    assert about(x)["input"]["reference"] == "before"
    assert about(x)["quantity"] == "x"
    assert "reference to sample" in dock.status


def test_results_lie_on_a_turned_scaled_sheared_input(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    for name, data in (("before", pair.reference), ("after", pair.sample)):
        viewer.add_image(data, name=name, affine=[[0, 1, 3], [-1, 0.1, 4], [0, 0, 1]], **TURNED)
    dock = open_dock("Local shifts")
    dock.margin.value = 5
    dock.step.value = 2
    click_run(dock, qtbot)
    sample = viewer.layers["after"]
    for name in ("x shift", "y shift"):
        layer = viewer.layers[name]
        assert same_place(layer, sample, (20, 30), own=(10, 15))
        assert same_place(layer, sample, (0, 0))
        assert layer.units == sample.units
        assert layer.axis_labels == sample.axis_labels
    vectors = viewer.layers["motion, reference to sample"]
    assert same_place(vectors, sample, (7, 11))
    assert vectors.units == sample.units


def test_results_of_an_input_with_leading_axes_take_its_last_two(
    viewer: Any, open_dock: Any, qtbot: Any, stacks: Any
) -> None:
    turn = np.eye(4)
    turn[2:, 2:] = [[0.8, -0.6], [0.6, 0.8]]
    for name, data in (("before", stacks.reference), ("after", stacks.sample)):
        viewer.add_image(
            np.stack([np.zeros_like(data), data]),
            name=name,
            scale=(7, 3, 0.5, 0.5),
            translate=(1, 2, 30, 40),
            rotate=turn,
            units=("s", "pixel", "um", "um"),
            axis_labels=("t", "frame", "y", "x"),
        )
    dock = open_dock("Local shifts")
    dock.margin.value = 5
    dock.first_axis.value = "frames"
    viewer.dims.set_current_step(0, 1)
    click_run(dock, qtbot)
    x, sample = viewer.layers["x shift"], viewer.layers["after"]
    assert x.data.shape == (48, 60)
    assert np.nanmedian(x.data) == pytest.approx(SHIFT[0], abs=0.05)
    assert "t = 1 (of 0 to 1)" in dock.status
    assert about(x)["settings"]["search"] == "2d"
    assert np.allclose(x.scale, (0.5, 0.5))
    assert np.allclose(x.translate, (30, 40))
    assert np.allclose(x.rotate, turn[2:, 2:])
    assert [str(unit) for unit in x.units] == ["micrometer", "micrometer"]
    assert x.axis_labels == ("y", "x")
    assert np.allclose(x.data_to_world((3, 4)), sample.data_to_world((1, 0, 3, 4))[2:])


def test_slices_of_a_series_are_compared_at_the_current_one(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    empty = np.zeros_like(pair.reference)
    viewer.add_image(pair.reference, name="before")
    viewer.add_image(np.stack([empty, empty, pair.sample]), name="series", axis_labels="tyx")
    dock = open_dock("Local shifts")
    assert dock.sample.choices == (), "a stack of frames does not fit a single image"
    dock.first_axis.value = "slices"
    assert dock.sample.choices == (viewer.layers["series"],)
    viewer.dims.set_current_step(0, 2)
    assert "t = 2 (of 0 to 2)" in dock.status
    dock.margin.value = 5
    click_run(dock, qtbot)
    assert np.nanmedian(viewer.layers["x shift"].data) == pytest.approx(SHIFT[0], abs=0.05)
    assert "Current slice of series: t = 2 (of 0 to 2)." in dock.status


def test_correlation_map_has_zero_shift_at_the_world_origin(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    for data in (pair.reference, pair.sample):
        viewer.add_image(data, **TURNED)
    dock = open_dock("Correlation map")
    dock.margin.value = 6
    click_run(dock, qtbot)
    made = viewer.layers["correlation map"]
    assert made.data.shape == (13, 13)
    assert np.allclose(made.data_to_world((6, 6)), 0)
    sample = viewer.layers[1]
    step = np.subtract(sample.data_to_world((1, 2)), sample.data_to_world((0, 0)))
    assert np.allclose(made.data_to_world((7, 8)), step)
    assert made.units == sample.units
    row, column = np.unravel_index(np.argmax(made.data), made.data.shape)
    assert (column - 6, row - 6) == (2, -2)


@pytest.mark.parametrize("corner", [(20, 25), (0, 0), (30, 45)])
def test_correlation_map_of_a_rectangle(
    corner: tuple[int, int], viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    for data in (pair.reference, pair.sample):
        viewer.add_image(data, scale=(2, 3), translate=(5, -7))
    top, left = corner
    box = np.array([[top, left], [top + 14, left], [top + 14, left + 12], [top, left + 12]])
    viewer.add_shapes([box * (2, 3) + (5, -7)], shape_type="rectangle", name="part")
    dock = open_dock("Correlation map")
    dock.template.value = viewer.layers["part"]
    dock.margin.value = 6
    click_run(dock, qtbot)
    made = viewer.layers["correlation map"]
    zero = about(made)["zero"]
    assert np.allclose(made.data_to_world(zero), 0)
    row, column = np.unravel_index(np.argmax(made.data), made.data.shape)
    if corner == (20, 25):
        assert made.data.shape == (13, 13)
        assert (column - zero[1], row - zero[0]) == (2, -2)
    else:
        assert min(made.data.shape) < 13, "the search area ends with the image"
        assert 0 in zero or made.data.shape != (13, 13)


def test_correlation_map_takes_the_selected_rectangle(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    for data in (pair.reference, pair.sample):
        viewer.add_image(data)
    boxes = [np.array([[a, a], [a, b], [b, b], [b, a]]) for a, b in ((5, 15), (10, 40))]
    shapes = viewer.add_shapes(boxes, shape_type="rectangle")
    dock = open_dock("Correlation map")
    dock.template.value = shapes
    shapes.selected_data = {0}
    click_run(dock, qtbot)
    assert "Template 11 x 11 px" in dock.status
    shapes.selected_data = set()
    click_run(dock, qtbot)
    assert "Template 31 x 31 px" in dock.status


def test_locate_peak_marks_the_shift_in_world_units(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    for data in (pair.reference, pair.sample):
        viewer.add_image(data, scale=(0.5, 0.5), units=("um", "um"))
    maps = open_dock("Correlation map")
    peak = open_dock("Locate peak")
    click_run(maps, qtbot)
    assert peak.map.value is viewer.layers["correlation map"], "a new map is chosen"
    click_run(peak, qtbot)
    points = viewer.layers["peak of correlation map"]
    row, column = points.data[0]
    assert points.data_to_world((row, column)) == pytest.approx(
        (0.5 * SHIFT[1], 0.5 * SHIFT[0]), abs=0.05
    )
    assert points.features["x_shift_px"][0] == pytest.approx(SHIFT[0], abs=0.1)
    assert points.features["row_px"][0] == row
    assert points.features["value"][0] == pytest.approx(
        np.max(viewer.layers["correlation map"].data)
    )
    assert points.units == viewer.layers[0].units
    assert "px" in points.text.values[0]


@pytest.mark.parametrize("method", ["diff", "poly_fit"])
@pytest.mark.parametrize("look_for", ["maximum", "minimum"])
def test_locate_peak_of_any_image(
    look_for: str, method: str, viewer: Any, open_dock: Any, qtbot: Any
) -> None:
    rows, columns = np.mgrid[:21, :31]
    hill = np.exp(-((rows - 8.3) ** 2 + (columns - 20.6) ** 2) / 50)
    viewer.add_image(hill if look_for == "maximum" else -hill)
    dock = open_dock("Locate peak")
    dock.extremum.value = look_for
    dock.method.value = method
    dock.size.value = 5
    click_run(dock, qtbot)
    assert viewer.layers[-1].data[0] == pytest.approx((8.3, 20.6), abs=0.02)
    assert about(viewer.layers[-1])["settings"]["extremum"] == look_for


def test_global_shift_by_points(
    viewer: Any, open_dock: Any, qtbot: Any, told: list[Any], pair: Any
) -> None:
    for data in (pair.reference, pair.sample):
        viewer.add_image(data, scale=(2, 2))
    dock = open_dock("Global shift")
    dock.window.value, dock.margin.value, dock.num_point.value = 15, 5, 12
    click_run(dock, qtbot)
    points, vectors = viewer.layers[-2:]
    assert len(points.data) == 12
    assert np.median(points.features["x_shift_px"]) == pytest.approx(SHIFT[0], abs=0.1)
    assert np.median(vectors.data[:, 1], axis=0) == pytest.approx((-SHIFT[1], -SHIFT[0]), abs=0.1)
    assert np.allclose(vectors.data.sum(axis=1), points.data)
    value = about(points)["global_shift"]
    assert (value["x"], value["y"]) == pytest.approx(SHIFT, abs=0.05)
    assert f"x {value['x']:+.3f}, y {value['y']:+.3f} px" in dock.status
    assert "Global shift" in told[-1].message
    assert viewer.layers[1].translate == pytest.approx((0, 0))


def test_global_shift_by_the_whole_map(
    viewer: Any, open_dock: Any, qtbot: Any, stacks: Any
) -> None:
    for data in (stacks.reference, stacks.sample):
        viewer.add_image(data)
    dock = open_dock("Global shift")
    dock.approach.value = "whole map"
    dock.margin.value = 5
    click_run(dock, qtbot)
    value = about(viewer.layers[-1])["global_shift"]
    assert (value["x"], value["y"]) == pytest.approx(SHIFT, abs=0.1)
    assert len(viewer.layers[-2].data) == 1


def test_the_sample_is_moved_onto_the_reference_and_back(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    for data in (pair.reference, pair.sample):
        viewer.add_image(data, **TURNED)
    reference, sample = viewer.layers
    before, pixels = sample.translate.copy(), sample.data
    dock = open_dock("Global shift")
    dock.window.value, dock.margin.value = 15, 5
    dock.move.value = True
    click_run(dock, qtbot)
    x, y = (about(viewer.layers[-1])["global_shift"][axis] for axis in "xy")
    assert np.allclose(sample.data_to_world((10, 12)), reference.data_to_world((10 + y, 12 + x)))
    assert sample.data is pixels
    assert np.allclose(about(sample)["moved"]["translate_before"], before)
    once = sample.translate.copy()
    click_run(dock, qtbot)
    assert np.allclose(sample.translate, once), "running again replaces the move"
    assert np.allclose(viewer.layers[-1].translate, before), "vectors lie where the search was"
    click(dock.move_back)
    assert np.allclose(sample.translate, before)


def test_umpa_finds_shift_transmission_and_dark_field(
    viewer: Any, open_dock: Any, qtbot: Any
) -> None:
    from shiftfield.synthetic import speckle_scan

    scan = speckle_scan((64, 72), 6)
    viewer.add_image(scan.reference, name="before", scale=(1, 0.5, 0.5))
    viewer.add_image(scan.sample, name="after", scale=(1, 0.5, 0.5))
    viewer.add_image(scan.x, name="a single image")
    dock = open_dock("UMPA shifts")
    assert dock.reference.choices == (viewer.layers["before"], viewer.layers["after"])
    dock.margin.value = 5
    dock.window.value = 9
    dock.weight.value = "hamming"
    click_run(dock, qtbot)
    names = [layer.name for layer in viewer.layers][3:]
    assert names == [
        "dark field",
        "transmission",
        "y shift",
        "x shift",
        "motion, reference to sample",
    ]
    for name, truth, tolerance in (
        ("x shift", scan.x, 0.1),
        ("y shift", scan.y, 0.1),
        ("transmission", scan.transmission, 0.02),
        ("dark field", scan.dark_field, 0.05),
    ):
        layer = viewer.layers[name]
        error = np.abs(layer.data - truth)[12:-12, 12:-12]
        assert np.nanmedian(error) < tolerance, name
        assert np.allclose(layer.scale, 0.5)
    dock.dark.value = False
    before = len(viewer.layers)
    click_run(dock, qtbot)
    assert len(viewer.layers) == before + 4, "no dark field when not asked for"


def test_a_1d_search_is_offered_for_stacks_only(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any, stacks: Any
) -> None:
    for data in (pair.reference, pair.sample, stacks.reference, stacks.sample):
        viewer.add_image(data)
    dock = open_dock("Local shifts")
    dock.margin.value = 5
    dock.search.value = "1d"
    assert not dock.search.enabled
    click_run(dock, qtbot)
    assert about(viewer.layers["x shift"])["settings"]["search"] == "2d"
    dock.reference.value, dock.sample.value = viewer.layers[2], viewer.layers[3]
    assert dock.search.enabled
    click_run(dock, qtbot)
    assert about(viewer.layers["x shift [1]"])["settings"]["search"] == "1d"
    assert "not to be trusted" in dock.status, "the shift across is larger than the speckle"


def test_vectors_are_thinned_before_they_stall_the_viewer(
    viewer: Any, open_dock: Any, qtbot: Any
) -> None:
    images = make_pair((210, 230))
    viewer.add_image(images.reference)
    viewer.add_image(images.sample)
    dock = open_dock("Local shifts")
    dock.margin.value = 5
    dock.spacing.value = 1
    click_run(dock, qtbot)
    assert 5_000 < len(viewer.layers[-1].data) <= 40_000
    assert "2 px apart" in dock.status


def test_a_constant_template_is_refused(viewer: Any, open_dock: Any, qtbot: Any, pair: Any) -> None:
    viewer.add_image(pair.reference)
    viewer.add_image(np.ones_like(pair.sample))
    dock = open_dock("Correlation map")
    click_run(dock, qtbot)
    assert "constant" in dock.status
    assert len(viewer.layers) == 2


def test_a_spacing_that_leaves_no_vector_is_said(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    viewer.add_image(pair.reference)
    viewer.add_image(pair.sample)
    dock = open_dock("Local shifts")
    dock.margin.value = 5
    dock.spacing.value = 500
    click_run(dock, qtbot)
    assert len(viewer.layers[-1].data) == 0
    assert "No vector is drawn: a spacing of 500 px is too large here." in dock.status


def test_a_search_cut_off_by_the_edge_of_the_image_is_said(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    viewer.add_image(pair.reference)
    viewer.add_image(pair.sample, name="after")
    corner = [[-10, 30], [-10, 45], [20, 45], [20, 30]]
    everything = [[-1, -1], [-1, 60], [48, 60], [48, -1]]
    part = viewer.add_shapes([np.array(corner)], shape_type="rectangle")
    dock = open_dock("Correlation map")
    dock.template.value = part
    dock.margin.value = 5
    click_run(dock, qtbot)
    assert viewer.layers[-1].data.shape == (6, 11)
    assert "only x -5 to +5, y +0 to +5 px were tried" in dock.status
    part.data = [np.array(everything)]
    click_run(dock, qtbot)
    assert dock.status.startswith("Error: ")
    assert "covers all of 'after'" in dock.status
    part.data = [np.add(corner, (20, 0))]
    click_run(dock, qtbot)
    assert "were tried" not in dock.status


def test_the_map_says_in_plain_numbers_what_was_the_template(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    viewer.add_image(pair.reference)
    viewer.add_image(pair.sample)
    dock = open_dock("Correlation map")
    dock.margin.value = 5
    click_run(dock, qtbot)
    said = json.loads(json.dumps(viewer.layers[-1].metadata["shiftfield"]))
    assert said["template"] == [[5, 43], [5, 55]]


def test_a_peak_is_located_whatever_else_the_metadata_says(
    viewer: Any, open_dock: Any, qtbot: Any
) -> None:
    rows, columns = np.mgrid[:21, :31]
    hill = np.exp(-((rows - 8.3) ** 2 + (columns - 20.6) ** 2) / 50)
    viewer.add_image(hill, metadata={"shiftfield": "a note of someone else"})
    dock = open_dock("Locate peak")
    click_run(dock, qtbot)
    assert viewer.layers[-1].data[0] == pytest.approx((8.3, 20.6), abs=0.05)


@pytest.mark.parametrize("translate", [(0, 0), (100, 0)])
def test_a_moved_sample_that_still_lies_elsewhere_is_said(
    translate: tuple[int, int], viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    viewer.add_image(pair.reference, name="before")
    viewer.add_image(pair.sample, name="after", translate=translate)
    dock = open_dock("Global shift")
    dock.window.value, dock.margin.value, dock.move.value = 15, 5, True
    for _ in range(2):
        click_run(dock, qtbot)
        assert "after was moved by it." in dock.status
        assert ("It does not lie on before" in dock.status) == (translate != (0, 0))
