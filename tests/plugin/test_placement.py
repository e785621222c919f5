"""A result of the last two axes lies exactly where those axes of its input lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from napari.layers import Image

from shiftfield._napari.layers.placement import placement, plane_matrix, with_origin_at
from shiftfield._napari.maps.moving import home, is_moved, move, move_back


def agree(layer: Image, result: Image, leading: tuple[int, ...]) -> bool:
    return all(
        np.allclose(
            result.data_to_world(pixel), layer.data_to_world((*leading, *pixel))[-2:], atol=1e-9
        )
        for pixel in ((0, 0), (1, 0), (0, 1), (5.5, 7.25))
    )


def turned(rng: np.random.Generator, ndim: int) -> np.ndarray[Any, Any]:
    """Return a random rotation; of the last two axes alone in every other case."""
    if ndim == 2 or rng.integers(2):
        angle, turn = rng.uniform(0, 6), np.eye(ndim)
        turn[-2:, -2:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        return turn
    turn = np.linalg.qr(rng.normal(size=(ndim, ndim)))[0]
    return turn * np.sign(np.linalg.det(turn)) if ndim % 2 else turn


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing:UserWarning")
@settings(deadline=None, max_examples=40)
@given(st.integers(2, 4), st.integers(0, 2**32), st.booleans())
def test_any_transform_is_taken_over(ndim: int, seed: int, affine: bool) -> None:
    rng = np.random.default_rng(seed)
    extra = np.eye(ndim + 1)
    extra[:-1] += 0.2 * rng.normal(size=(ndim, ndim + 1))
    layer = Image(
        np.zeros((*(3,) * (ndim - 2), 9, 11)),
        scale=rng.uniform(0.1, 4, ndim),
        translate=rng.uniform(-9, 9, ndim),
        shear=rng.uniform(-1, 1, ndim * (ndim - 1) // 2) * rng.integers(2),
        rotate=turned(rng, ndim),
        affine=extra if affine else None,
    )
    leading = tuple(rng.integers(0, 3, ndim - 2).tolist())
    assume(np.linalg.cond(plane_matrix(layer, leading)[:2, :2]) < 1e4)
    result = Image(np.zeros((9, 11)), **placement(layer, leading))
    assert agree(layer, result, leading)


@pytest.mark.parametrize("ndim", [2, 3, 4])
def test_the_digits_of_scale_and_translate_are_kept(ndim: int) -> None:
    scale, translate = (3.3, 2.2, 0.1, -0.3)[-ndim:], (7, 8, 1e5 / 3, 0.7)[-ndim:]
    layer = Image(np.zeros((2,) * ndim), scale=scale, translate=translate)
    place = placement(layer, (0,) * (ndim - 2))
    assert np.array_equal(place["scale"], scale[-2:])
    assert np.array_equal(place["translate"], translate[-2:])
    assert np.array_equal(place["rotate"], np.eye(2))


def test_units_and_axis_labels_are_those_of_the_last_two_axes() -> None:
    layer = Image(np.zeros((2, 3, 4)), units=("s", "um", "nm"), axis_labels=("t", "y", "x"))
    place = placement(layer)
    assert [str(unit) for unit in place["units"]] == ["micrometer", "nanometer"]
    assert place["axis_labels"] == ("y", "x")


def test_a_pixel_can_be_laid_on_the_world_origin() -> None:
    layer = Image(
        np.zeros((9, 11)),
        scale=(2, 3),
        rotate=20,
        shear=[0.3],
        translate=(50, 60),
        affine=[[0, 2, 9], [1, 0, 8], [0, 0, 1]],
    )
    made = Image(np.zeros((5, 5)), **with_origin_at(placement(layer), 2, 3))
    assert np.allclose(made.data_to_world((2, 3)), 0)
    step = np.subtract(layer.data_to_world((1, 1)), layer.data_to_world((0, 0)))
    assert np.allclose(made.data_to_world((3, 4)), step)


def moving_layer(**arguments: Any) -> Image:
    return Image(np.zeros((4, 9, 11)), scale=(1, 0.5, 0.25), translate=(3, 4, 5), **arguments)


def test_a_move_is_by_pixels_of_the_layer_and_can_be_taken_back() -> None:
    turn = np.eye(3)
    turn[1:, 1:] = [[0, -1], [1, 0]]
    layer = moving_layer(rotate=turn)
    old = layer.data_to_world((1, 2 + 3, 3 + 4))
    move(layer, (4, 3))
    assert np.allclose(layer.data_to_world((1, 2, 3)), old)
    assert np.allclose(home(layer), (3, 4, 5))
    move(layer, (4, 3))
    assert np.allclose(layer.data_to_world((1, 2, 3)), old), "a second move replaces the first"
    move_back(layer)
    assert np.allclose(layer.translate, (3, 4, 5))
    assert not is_moved(layer)


def test_a_layer_that_a_person_moved_since_is_at_home_there() -> None:
    layer = moving_layer()
    move(layer, (4, 3))
    layer.translate = (0, 0, 0)
    assert np.allclose(home(layer), 0)
    move_back(layer)
    assert np.allclose(layer.translate, 0)


def test_moving_keeps_what_the_metadata_said() -> None:
    layer = moving_layer(metadata={"mine": 1, "shiftfield": {"quantity": "x"}})
    move(layer, (1, 1))
    move_back(layer)
    assert layer.metadata == {"mine": 1, "shiftfield": {"quantity": "x"}}
