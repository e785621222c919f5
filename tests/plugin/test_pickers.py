"""The pickers offer what fits and nothing else, and keep what was chosen."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
from clicking import SHIFT, click_run, make_pair

IMAGE = np.zeros((20, 24), np.uint8)


def names(picker: Any) -> list[str]:
    return [layer.name for layer in picker.choices]


def test_only_images_of_real_numbers_are_offered(viewer: Any, open_dock: Any) -> None:
    viewer.add_image(IMAGE, name="image")
    viewer.add_labels(IMAGE, name="labels")
    viewer.add_points(np.zeros((1, 2)), name="points")
    viewer.add_shapes(name="shapes")
    viewer.add_image(np.zeros((3, 20, 24)), name="stack")
    viewer.add_image(np.zeros((20, 24, 3), np.uint8), rgb=True, name="colours")
    assert names(open_dock("Local shifts").reference) == ["image", "stack", "colours"]
    assert names(open_dock("UMPA shifts").reference) == ["stack"]
    assert names(open_dock("Locate peak").map) == ["image", "stack"]


def test_only_samples_of_the_reference_shape_are_offered(viewer: Any, open_dock: Any) -> None:
    for name, shape in (("a", (20, 24)), ("b", (20, 25)), ("c", (20, 24)), ("d", (5, 20, 24))):
        viewer.add_image(np.zeros(shape), name=name)
    viewer.add_image([np.zeros((20, 24)), np.zeros((10, 12))], multiscale=True, name="pyramid")
    viewer.add_image(np.zeros((20, 24, 4), np.uint8), rgb=True, name="colours")
    dock = open_dock("Local shifts")
    assert names(dock.sample) == ["c", "pyramid", "colours"], "never the reference itself"
    dock.reference.value = viewer.layers["c"]
    assert names(dock.sample) == ["a", "pyramid", "colours"]
    dock.reference.value = viewer.layers["b"]
    assert names(dock.sample) == []
    assert "no other layer has the shape 20 x 25" in dock.status


def found(viewer: Any, name: str) -> Any:
    """Add a layer that says that a search has found it."""
    return viewer.add_image(IMAGE, name=name, metadata={"shiftfield": {"quantity": name}})


@pytest.mark.parametrize("dock", ["Local shifts", "Global shift"])
def test_what_was_found_is_offered_last(dock: str, viewer: Any, open_dock: Any) -> None:
    found(viewer, "score")
    for name in ("before", "after"):
        viewer.add_image(IMAGE, name=name)
    found(viewer, "dark field")
    made = open_dock(dock)
    assert names(made.reference) == ["before", "after", "score", "dark field"]
    assert names(made.sample) == ["after", "score", "dark field"]
    assert (made.reference.value.name, made.sample.value.name) == ("before", "after")
    made.sample.value = viewer.layers["score"]
    viewer.add_image(IMAGE, name="more")
    assert made.sample.value.name == "score", "it was chosen"


def test_what_was_found_gives_way_to_images_that_come(viewer: Any, open_dock: Any) -> None:
    dock = open_dock("Local shifts")
    for name in ("score", "dark field"):
        found(viewer, name)
    assert (dock.reference.value.name, dock.sample.value.name) == ("score", "dark field")
    viewer.add_image(IMAGE, name="before")
    assert dock.reference.value.name == "before"
    viewer.add_image(IMAGE, name="after")
    assert (dock.reference.value.name, dock.sample.value.name) == ("before", "after")


def test_what_was_found_stays_when_a_person_chooses_what_stands_there(
    viewer: Any, open_dock: Any
) -> None:
    found(viewer, "score")
    dock = open_dock("Local shifts")
    dock.reference.native.activated.emit(0)
    viewer.add_image(IMAGE, name="before")
    assert dock.reference.value.name == "score"


def test_the_known_answer_of_the_sample_data_is_offered_last(viewer: Any, open_dock: Any) -> None:
    viewer.open_sample("shiftfield", "speckle_scan")
    viewer.add_image(viewer.layers["known x shift"].data, name="mine")
    dock = open_dock("Global shift")
    offered = [name.split()[0] for name in names(dock.reference)]
    assert offered == ["reference", "sample", "mine", *["known"] * 4]
    dock.first_axis.value = "slices"
    dock.reference.value = viewer.layers["known x shift"]
    assert [name.split()[0] for name in names(dock.sample)] == [*offered[:3], *["known"] * 3]


def test_a_rename_keeps_the_choice(viewer: Any, open_dock: Any) -> None:
    for name in "abc":
        viewer.add_image(IMAGE, name=name)
    dock = open_dock("Local shifts")
    dock.sample.value = viewer.layers["c"]
    viewer.layers["c"].name = "z"
    assert dock.sample.value is viewer.layers["z"]
    assert dock.sample.current_choice == "z"
    viewer.layers["a"].name = "first"
    assert dock.reference.value is viewer.layers["first"]


def test_coming_and_going_layers_keep_the_choice(viewer: Any, open_dock: Any) -> None:
    dock = open_dock("Local shifts")
    for name in "abcd":
        viewer.add_image(IMAGE, name=name)
    assert (dock.reference.value.name, dock.sample.value.name) == ("a", "b")
    dock.sample.value = viewer.layers["d"]
    viewer.layers.remove("b")
    viewer.layers.move(0, 2)
    viewer.add_image(IMAGE, name="e")
    assert (dock.reference.value.name, dock.sample.value.name) == ("a", "d")
    viewer.layers.remove("d")
    assert dock.sample.value in list(viewer.layers)
    viewer.layers.clear()
    assert dock.reference.value is None
    assert dock.sample.value is None


def test_changed_data_is_noticed(viewer: Any, open_dock: Any) -> None:
    for name in "ab":
        viewer.add_image(IMAGE, name=name)
    dock = open_dock("Local shifts")
    assert names(dock.sample) == ["b"]
    viewer.layers["b"].data = np.zeros((30, 24))
    assert names(dock.sample) == []
    viewer.layers["a"].data = np.zeros((30, 24))
    assert names(dock.sample) == ["b"]
    assert "30 x 24" in dock.status


def test_swapping_reference_and_sample(viewer: Any, open_dock: Any) -> None:
    for name in "ab":
        viewer.add_image(IMAGE, name=name)
    dock = open_dock("Local shifts")
    dock.reference.value = viewer.layers["b"]
    assert dock.sample.value is viewer.layers["a"]


def test_the_question_about_the_first_axis_is_asked_where_it_matters(
    viewer: Any, open_dock: Any, qtbot: Any
) -> None:
    dock = open_dock("Local shifts")
    dock.show()
    viewer.add_image(IMAGE)
    assert not dock.first_axis.visible
    viewer.add_image(np.zeros((3, 20, 24)), name="stack")
    qtbot.waitUntil(lambda: dock.first_axis.visible)
    viewer.layers.remove("stack")
    assert not dock.first_axis.visible


@pytest.mark.parametrize(("label", "expected"), [("t", "slices"), ("frame", "frames")])
def test_the_first_axis_is_guessed_from_its_label(
    label: str, expected: str, viewer: Any, open_dock: Any
) -> None:
    viewer.add_image(np.zeros((3, 20, 24)), axis_labels=(label, "y", "x"))
    assert open_dock("Local shifts").first_axis.value == expected


def lazy(data: Any) -> Any:
    return da.from_array(data, chunks=(1, 16, 60))


@pytest.mark.parametrize(
    "form",
    ["uint8", "uint16", "dask", "multiscale", "rgb", "rgba"],
)
def test_all_kinds_of_layers_work(form: str, viewer: Any, open_dock: Any, qtbot: Any) -> None:
    for image in (make_pair().reference, make_pair().sample):
        grey = np.round(100 * image)
        if form in ("uint8", "uint16"):
            viewer.add_image(grey.astype(form))
        elif form == "dask":
            viewer.add_image(da.from_array(image, chunks=(16, 60)))
        elif form == "multiscale":
            viewer.add_image([image, image[::2, ::2]], multiscale=True)
        else:
            colours = np.zeros((*image.shape, 3 + (form == "rgba")), np.uint8)
            colours[..., 1] = grey
            colours[..., 2] = 90
            viewer.add_image(colours, rgb=True)
    dock = open_dock("Local shifts")
    dock.margin.value = 5
    click_run(dock, qtbot)
    assert np.nanmedian(viewer.layers["x shift"].data) == pytest.approx(SHIFT[0], abs=0.05)
    assert np.nanmedian(viewer.layers["y shift"].data) == pytest.approx(SHIFT[1], abs=0.05)
    assert ("0.7154 G" in dock.status) == form.startswith("rgb")


def test_a_lazy_stack_is_never_read_whole(viewer: Any, open_dock: Any, qtbot: Any) -> None:
    images = make_pair((48, 60), frames=3)
    largest = 0

    def tracked(block: Any) -> Any:
        nonlocal largest
        largest = max(largest, block.shape[0])
        return block

    def series(stack: Any) -> Any:
        many = np.stack([stack] * 5)
        return da.from_array(many, chunks=(1, 3, 24, 60)).map_blocks(tracked, dtype=many.dtype)

    viewer.add_image(series(images.reference), axis_labels=("t", "frame", "y", "x"))
    viewer.add_image(series(images.sample), axis_labels=("t", "frame", "y", "x"))
    dock = open_dock("UMPA shifts")
    dock.margin.value = 5
    viewer.dims.set_current_step(0, 3)
    click_run(dock, qtbot)
    assert largest == 1
    assert "t = 3 (of 0 to 4)" in dock.status
    assert np.nanmedian(viewer.layers["x shift"].data) == pytest.approx(SHIFT[0], abs=0.05)


def test_a_renamed_shapes_layer_stays_the_template(viewer: Any, open_dock: Any) -> None:
    viewer.add_image(IMAGE)
    part = viewer.add_shapes(name="part")
    dock = open_dock("Correlation map")
    assert dock.template.value == "centre of the sample"
    dock.template.value = part
    part.name = "another name"
    assert dock.template.value is part
    assert dock.template.current_choice == "another name"
    viewer.layers.remove(part)
    assert dock.template.value == "centre of the sample"
