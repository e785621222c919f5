"""What is read of a layer: the right slice, grey of colours, the template under a rectangle."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from skimage.color import rgb2gray

from shiftfield._napari.layers.inputs import FRAMES, SLICES, current_index, is_result, pixels, said
from shiftfield._napari.maps.template import centre, rectangle

SERIES = np.arange(4 * 5 * 6 * 7, dtype=np.float32).reshape(4, 5, 6, 7)


def test_the_current_slice_follows_the_sliders(viewer: ViewerModel) -> None:
    layer = viewer.add_image(SERIES, scale=(10, 0.5, 1, 1), translate=(100, -1, 0, 0))
    viewer.dims.set_point((0, 1), (121, 0.4))
    assert current_index(viewer, layer, 2) == (2, 3)
    used = pixels(viewer, layer, SLICES)
    assert np.array_equal(used.read(), SERIES[2, 3])
    assert used.shape == (6, 7)
    used = pixels(viewer, layer, FRAMES)
    assert np.array_equal(used.read(), SERIES[2])
    assert said(used) == ("Current slice of SERIES: axis -4 = 2 (of 0 to 3).",)
    assert said(used, used) == ("Current slice of both: axis -4 = 2 (of 0 to 3).",)


def test_a_slider_beyond_the_layer_gives_its_nearest_slice(viewer: ViewerModel) -> None:
    layer = viewer.add_image(SERIES[:2, 0])
    viewer.add_image(np.zeros((9, 6, 7)))
    viewer.dims.set_point(0, 8)
    assert current_index(viewer, layer, 1) == (1,)


def test_the_current_slice_is_right_among_layers_of_other_units(viewer: ViewerModel) -> None:
    viewer.add_image(np.zeros((3, 6, 7)), units=("mm", "um", "um"))
    layer = viewer.add_image(np.zeros((4000, 6, 7)), units=("um", "um", "um"))
    viewer.dims.set_point(0, 2 if str(viewer.layers.units[0]) == "millimeter" else 2000)
    assert current_index(viewer, layer, 1) == (2000,)


@pytest.mark.parametrize("channels", [3, 4])
def test_colours_turn_grey_by_luminance(channels: int, viewer: ViewerModel) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (6, 7, channels), dtype=np.uint8)
    used = pixels(viewer, viewer.add_image(colours, rgb=True), FRAMES)
    assert used.read().dtype == np.float32
    assert np.allclose(used.read() / 255, rgb2gray(colours[..., :3]), atol=1e-5)
    assert "0.2125 R + 0.7154 G + 0.0721 B" in said(used)[0]


def test_lazy_pixels_stay_lazy(viewer: ViewerModel) -> None:
    lazy = da.from_array(SERIES, chunks=(1, 5, 6, 7))
    assert isinstance(pixels(viewer, viewer.add_image(lazy), FRAMES).read(), da.Array)
    colours = da.zeros((6, 7, 3), dtype=np.uint8)
    assert isinstance(pixels(viewer, viewer.add_image(colours, rgb=True), FRAMES).read(), da.Array)


def test_a_pyramid_gives_its_finest_level(viewer: ViewerModel) -> None:
    levels = [SERIES[0, 0], SERIES[0, 0, ::2, ::2]]
    used = pixels(viewer, viewer.add_image(levels, multiscale=True), FRAMES)
    assert np.array_equal(used.read(), SERIES[0, 0])


def test_the_centre_leaves_the_margin_on_each_side() -> None:
    cut = centre((20, 31), 4)
    assert cut.size == (12, 23)
    assert cut.zero == (4, 4)
    with pytest.raises(ValueError, match="margin of 10 px"):
        centre((20, 31), 10)


def test_what_a_search_has_found_is_a_result_and_a_moved_sample_is_none(
    viewer: ViewerModel,
) -> None:
    layer = viewer.add_image(SERIES)
    layer.metadata["shiftfield"] = {"moved": {}}
    assert not is_result(layer)
    layer.metadata["shiftfield"] = {"quantity": "score"}
    assert is_result(layer)


def box_template(viewer: ViewerModel, layer: Image, corners: Any, **arguments: Any) -> Any:
    shapes = viewer.add_shapes([np.array(corners, float)], shape_type="rectangle", **arguments)
    return rectangle(shapes, layer, pixels(viewer, layer, FRAMES), 3)


def box(top: float, left: float, bottom: float, right: float) -> list[list[float]]:
    return [[top, left], [top, right], [bottom, right], [bottom, left]]


def test_pixels_whose_centres_lie_in_the_rectangle_are_taken(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((30, 40)))
    cut = box_template(viewer, layer, box(9.6, 4.4, 15.5, 12))
    assert cut.box == (slice(10, 16), slice(5, 13))
    assert cut.area == (slice(7, 19), slice(2, 16))
    assert cut.zero == (3, 3)


def test_the_search_ends_with_the_image(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((30, 40)))
    cut = box_template(viewer, layer, box(-5, 1, 8, 39.5))
    assert cut.box == (slice(0, 9), slice(1, 40))
    assert cut.area == (slice(0, 12), slice(0, 40))
    assert cut.zero == (0, 1)


def test_layers_of_other_scales_and_units_meet_in_the_world(viewer: ViewerModel) -> None:
    layer = viewer.add_image(
        np.zeros((5, 30, 40)), scale=(1, 0.5, 0.5), translate=(0, 10, 20), units="um"
    )
    world = np.array(box(10, 5, 15, 12)) * 0.5 + (10, 20)
    cut = box_template(viewer, layer, world / 1000 / 2, scale=(2, 2), units=("mm", "mm"))
    assert cut.box == (slice(10, 16), slice(5, 13))


def test_a_turned_image_takes_the_box_around_the_shape(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((30, 40)), rotate=90)
    corners = [layer.data_to_world(corner) for corner in box(10, 5, 15, 12)]
    assert box_template(viewer, layer, corners).box == (slice(10, 16), slice(5, 13))


def test_a_rectangle_beside_the_image_and_an_empty_layer_are_refused(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((30, 40)), name="speckle")
    with pytest.raises(ValueError, match="covers no pixel of 'speckle'"):
        box_template(viewer, layer, box(50, 50, 60, 60))
    with pytest.raises(ValueError, match="holds no shape"):
        rectangle(viewer.add_shapes(name="part"), layer, pixels(viewer, layer, FRAMES), 3)
