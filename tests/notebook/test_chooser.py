"""Settings chosen by looking: fields are the declarations, the picture is what the search finds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ipywidgets")

from shiftfield import find_shift_field, notebook
from shiftfield.inputs.frames import pair
from shiftfield.live.preview import Part
from shiftfield.notebook.chooser import _find
from shiftfield.settings import Settings, parameters
from shiftfield.synthetic import speckle

SHIFT = (1.6, -2.3)


@pytest.fixture(scope="module")
def images() -> tuple[Any, Any]:
    return speckle((120, 300), seed=2), speckle((120, 300), seed=2, shift=SHIFT)


@pytest.fixture
def chooser(images: Any) -> Iterator[Any]:
    chooser = notebook.choose(*images, margin=5)
    settle(chooser)
    yield chooser
    chooser.close()


def settle(chooser: Any) -> None:
    end = time.monotonic() + 60
    while chooser.busy and time.monotonic() < end:
        time.sleep(0.005)


def test_fields_are_the_declarations(chooser: Any) -> None:
    declared = parameters(Settings)
    for name, field in chooser._fields.items():
        assert field.tooltip == declared[name].help
        assert field.description.startswith(declared[name].label)
    assert (chooser._fields["window"].min, chooser._fields["window"].max) == (1, 301)
    assert dict(chooser._fields["refine"].options) == {"none": "none", "icgn": "icgn"}
    assert chooser.settings == Settings(margin=5)


def test_the_picture_is_what_a_search_finds(chooser: Any, images: Any) -> None:
    field = chooser.field
    assert field.image_shape == (120, 256)
    assert np.nanmedian(field.x) == pytest.approx(SHIFT[0], abs=0.05)
    whole = find_shift_field(*images, margin=5)
    same = np.isclose(field.x, whole.x[:, 22:278], atol=1e-3, equal_nan=True)
    assert same.mean() > 0.999, "all but ties between two whole pixels"
    assert bytes(chooser._picture.value).startswith(b"\x89PNG")


def test_a_change_renews_it(chooser: Any) -> None:
    before = bytes(chooser._picture.value)
    chooser._fields["window"].value = 21
    settle(chooser)
    assert bytes(chooser._picture.value) != before
    assert chooser.field.settings.window == 21
    assert (
        chooser.as_python()
        == "field = shiftfield.find_shift_field(reference, sample, window=21, margin=5)"
    )


def test_settings_that_exclude_each_other_are_said(chooser: Any) -> None:
    chooser._fields["search"].value = "1d"
    chooser._fields["method"].value = "umpa"
    settle(chooser)
    assert "a 1-D search is only defined for" in chooser._words.value
    chooser._fields["method"].value = "pearson"
    settle(chooser)
    assert "valid" in chooser._words.value


def test_the_whole_image_is_searched_on_request(chooser: Any, images: Any) -> None:
    assert chooser.run().x.shape == images[0].shape
    chooser._whole.click()
    settle(chooser)
    assert chooser.field.x.shape == images[0].shape


def test_bad_input_is_refused(images: Any) -> None:
    with pytest.raises(ValueError, match="windo"):
        notebook.choose(*images, windo=3)
    with pytest.raises(ValueError, match="shape"):
        notebook.choose(images[0], images[1][:-1])


@pytest.mark.parametrize("top", [48, 50])
def test_a_part_may_begin_between_the_pixels_of_the_step(top: int) -> None:
    reference = np.random.default_rng(0).random((120, 130), np.float32)
    sample = np.roll(reference, (1, -2), (0, 1))
    found = _find(
        pair(reference, sample), Part(top, top + 50, 30, 100), Settings(margin=4, step=3), Event()
    )
    rows = [row for row in range(top, top + 50) if row % 3 == 0]
    assert found.shape[0] == len(rows)
    assert np.nanmedian(found.x) == pytest.approx(2, abs=0.01)
