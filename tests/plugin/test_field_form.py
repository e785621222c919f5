"""The fields that few need: quality, refinement, masks; what layers come of them, and what is saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clicking import SHIFT, about, click, click_run, make_pair
from napari.layers import Labels

from shiftfield import Quality, ShiftField
from shiftfield.field.quality_look import colour, named

FLAT = slice(20, 40), slice(24, 44)  # (rows, columns) of a hole without texture


def with_hole() -> Any:
    pair = make_pair(shape=(64, 72))
    rng = np.random.default_rng(3)
    for image in (pair.reference, pair.sample):
        image[FLAT] = image.mean() + 0.001 * rng.standard_normal(image[FLAT].shape)
    return pair


def add(viewer: Any, pair: Any, **place: Any) -> None:
    viewer.add_image(pair.reference, name="before", **place)
    viewer.add_image(pair.sample, name="after", **place)


@pytest.fixture
def checked(viewer: Any, open_dock: Any, qtbot: Any) -> Any:
    """The layers of a search with quality and uncertainty on images with a hole in their texture."""
    add(viewer, with_hole())
    dock = open_dock("Local shifts")
    dock.margin.value, dock.spacing.value = 5, 4
    dock.more.value = True
    dock.quality.value = dock.uncertainty.value = True
    click_run(dock, qtbot)
    dock.wait()
    return viewer


def test_what_is_not_valid_is_transparent_and_named(checked: Any) -> None:
    quality = checked.layers["quality (why not valid)"]
    x, y = checked.layers["x shift"], checked.layers["y shift"]
    assert isinstance(quality, Labels)
    hole = quality.data[28:32, 32:36]
    assert np.all(hole & Quality.LOW_TEXTURE)
    np.testing.assert_array_equal(np.isnan(x.data), quality.data != 0)
    np.testing.assert_array_equal(np.isnan(y.data), quality.data != 0)
    assert x.colormap.map(np.array([np.nan]))[0, 3] == 0
    value = int(hole[0, 0])
    row = list(quality.features["index"]).index(value)
    assert "low texture" in quality.features["reasons"][row]
    assert quality.get_status((30, 34), world=True)["coordinates"].count("low texture") == 1
    assert np.allclose(quality.colormap.map(np.array([value])).ravel(), colour(value))
    assert quality.colormap.map(np.array([0])).ravel()[3] == 0
    assert checked.layers["uncertainty of x"].data.shape == x.data.shape


def test_no_vector_begins_at_a_pixel_that_is_not_valid(checked: Any) -> None:
    start, motion = np.moveaxis(checked.layers[-1].data, 1, 0)
    rows, columns = np.rint((start + motion).T).astype(int)
    assert len(rows) > 20
    assert np.all(checked.layers["quality (why not valid)"].data[rows, columns] == 0)


def test_saving_and_opening_keeps_quality_and_what_was_found(checked: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "field.h5")
    ours = [layer for layer in checked.layers if "shiftfield" in layer.metadata]
    checked.layers.selection = set(ours)
    assert checked.layers.save(path, selected=True, plugin="shiftfield") == [path]
    field = ShiftField.load(path)
    quality = checked.layers["quality (why not valid)"].data
    np.testing.assert_array_equal(field.quality, quality)
    np.testing.assert_array_equal(field.valid, quality == 0)
    flagged = (quality != 0) & (quality & Quality.NO_ANSWER == 0)
    assert np.isfinite(field.x[flagged]).all(), "what was found there is not lost"
    opened = {layer.name: layer for layer in checked.open(path, plugin="shiftfield")}
    (again,) = (opened[name] for name in opened if name.startswith("x shift"))
    np.testing.assert_array_equal(again.data, checked.layers["x shift"].data)


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0, "valid"),
        (Quality.LOW_SCORE | Quality.SECOND_PEAK, "low score, second peak"),
        (Quality.PEAK_AT_BORDER, "peak at border"),
    ],
)
def test_bits_in_words(bits: int, words: str) -> None:
    assert named(int(bits)) == words


def test_few_see_few_fields(open_in_window: Any, window: Any, qtbot: Any) -> None:
    add(window, make_pair())
    dock = open_in_window("Local shifts")
    qtbot.waitUntil(dock.native.isVisible)
    assert not dock.refine.visible
    assert not dock.threshold_score.visible
    click_box(dock.more)
    assert dock.refine.visible
    assert dock.mask.visible
    assert not dock.threshold_score.enabled, "a limit without checks is none"
    click_box(dock.quality)
    assert dock.threshold_score.enabled
    click_box(dock.more)
    assert not dock.refine.visible


def click_box(box: Any) -> None:
    box.native.click()


def test_a_field_that_is_disabled_does_not_count(viewer: Any, open_dock: Any, stacks: Any) -> None:
    viewer.add_image(stacks.reference)
    viewer.add_image(stacks.sample)
    dock = open_dock("Local shifts")
    dock.margin.value = 4
    dock.quality.value = True
    dock.refine.value = "icgn"
    dock.search.value = "1d"
    assert not dock.quality.enabled
    assert dock.about()["settings"]["quality"] is False
    assert dock.about()["settings"]["refine"] is None
    dock.search.value = "2d"
    assert dock.about()["settings"]["quality"] is True


def test_refinement_of_the_dock_is_that_of_the_library(
    viewer: Any, open_dock: Any, qtbot: Any, pair: Any
) -> None:
    from shiftfield import find_shift_field

    add(viewer, pair)
    dock = open_dock("Local shifts")
    dock.margin.value, dock.window.value = 5, 11
    dock.refine.value, dock.shape_order.value = "icgn", 1
    click_run(dock, qtbot)
    dock.wait()
    wanted = find_shift_field(
        pair.reference, pair.sample, window=11, margin=5, refine="icgn", shape_order=1
    )
    np.testing.assert_array_equal(viewer.layers["x shift"].data, wanted.x)
    assert np.nanmedian(viewer.layers["x shift"].data) == pytest.approx(SHIFT[0], abs=0.01)


class TestMasks:
    """A mask is a Labels or a Shapes layer that lies on the sample."""

    def test_labels_take_no_part(self, viewer: Any, open_dock: Any, qtbot: Any) -> None:
        pair = make_pair()
        marked = np.zeros(pair.sample.shape, np.uint8)
        marked[18:30, 20:40] = 2
        add(viewer, pair)
        viewer.add_labels(marked, name="dead")
        dock = open_dock("Local shifts")
        dock.margin.value = 4
        dock.mask.value = viewer.layers["dead"]
        click_run(dock, qtbot)
        dock.wait()
        x = viewer.layers["x shift"].data
        assert np.isnan(x[24, 30]), "nothing is known amid the mask"
        assert x[10, 10] == pytest.approx(SHIFT[0], abs=0.1)
        assert about(viewer.layers["x shift"])["mask"]["layer"] == "dead"

    def test_shapes_of_another_scale_mark_the_pixels_below_them(
        self, viewer: Any, open_dock: Any, qtbot: Any
    ) -> None:
        pair = make_pair()
        add(viewer, pair, scale=(0.5, 0.5), translate=(10, 20), units=("um", "um"))
        rows, columns = (18, 29), (20, 39)
        corners = np.array([[rows[i], columns[j]] for i, j in ((0, 0), (0, 1), (1, 1), (1, 0))])
        world = corners * 0.5 + (10, 20)
        viewer.add_shapes([world * 1e-3], shape_type="polygon", name="stop", units=("mm", "mm"))
        dock = open_dock("Local shifts")
        dock.margin.value = 4
        dock.mask.value = viewer.layers["stop"]
        click_run(dock, qtbot)
        dock.wait()
        x = viewer.layers["x shift"].data
        assert np.isnan(x[24, 30])
        assert x[10, 10] == pytest.approx(SHIFT[0], abs=0.1)

    def test_only_marked_pixels_take_part(self, viewer: Any, open_dock: Any, qtbot: Any) -> None:
        pair = make_pair()
        marked = np.zeros(pair.sample.shape, np.uint8)
        marked[:, 30:] = 1
        add(viewer, pair)
        viewer.add_labels(marked, name="object")
        dock = open_dock("Local shifts")
        dock.margin.value = 4
        dock.mask.value = viewer.layers["object"]
        dock.mask_means.value = "alone take part"
        click_run(dock, qtbot)
        dock.wait()
        x = viewer.layers["x shift"].data
        assert np.isnan(x[24, 15])
        assert np.isfinite(x[24, 45])

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (np.ones((5, 6), np.uint8), "has 5 x 6 px; it must have 48 x 60"),
            (np.zeros((48, 60), np.uint8), "marks no pixel"),
        ],
    )
    def test_a_mask_that_does_not_fit_is_refused(
        self, data: Any, words: str, viewer: Any, open_dock: Any, told: list[Any]
    ) -> None:
        add(viewer, make_pair())
        viewer.add_labels(data, name="mask")
        dock = open_dock("Local shifts")
        dock.mask.value = viewer.layers["mask"]
        click(dock.run_button)
        assert not dock.running
        assert words in dock.status
        assert str(told[-1].severity) == "error"
