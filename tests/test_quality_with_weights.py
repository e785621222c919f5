"""What speaks against a pixel beside a mask and beyond an edge, and what a start makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scenes import moved

from shiftfield import Quality, find_shift_field
from shiftfield.dense.two_axes import search_2d
from shiftfield.engine.base import Answer
from shiftfield.inputs.frames import Frames
from shiftfield.inputs.weights import weights_of
from shiftfield.settings import Settings
from shiftfield.stream.bands import Watch

Array = NDArray[Any]
SHAPE = (90, 120)


def holes(shape: tuple[int, int] = SHAPE) -> Array:
    """Return a mask that is False in a large part and in single pixels."""
    mask = np.random.default_rng(0).random(shape) > 0.02
    mask[20:70, 30:90] = False
    return mask


NO_ANSWER = pytest.mark.filterwarnings("ignore:.*pixels have no answer:UserWarning")


@NO_ANSWER
@pytest.mark.parametrize(
    ("method", "frames", "weight", "step", "borders"),
    [
        ("pearson", 1, None, 1, "partial"),
        ("pearson", 2, "hamming", 1, "unknown"),
        ("umpa", 2, None, 2, "partial"),
        ("umpa_dark", 2, "hann", 3, "unknown"),
    ],
)
def test_beside_masks_it_is_what_the_maps_say(
    method: str, frames: int, weight: str | None, step: int, borders: str
) -> None:
    """Second peak, texture and bits of every pixel, with pixels of weight 0 and between 0 and 1."""
    random = np.random.default_rng(3)
    shape = 44, 60
    reference, sample = (
        image.reshape(frames, *shape) + random.normal(0, 0.05, (frames, *shape))
        for image in moved(shape, (3.6, 1.0), frames=frames)
    )
    inputs = Frames(reference, "The reference"), Frames(sample, "The sample")
    weights = random.random(shape) * (random.random(shape) > 0.03)
    weights[:16] = 1
    weights[30:36, 30:40] = 0
    answers: list[Answer] = []
    for device in ("cpu", "reference"):
        settings = Settings(
            method=method, window=7, margin=4, weight=weight, step=step, quality=True, borders=borders,
            device=device,
        )  # fmt: skip
        both = weights_of(weights > 0, weights, inputs[0])
        answers.append(search_2d(*inputs, settings, Watch(), weights=both))
    found, wanted = answers
    known = np.isfinite(wanted.x)
    assert np.count_nonzero(known) > 60
    np.testing.assert_array_equal(np.isfinite(found.second_peak), known)
    for name in ("second_peak", "texture"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(wanted, name), rtol=1e-3, atol=1e-5
        )
    np.testing.assert_array_equal(found.flags, wanted.flags)
    assert (wanted.flags & Quality.PEAK_AT_BORDER).any()


def test_a_large_mask_is_no_warning_and_hides_what_it_holds() -> None:
    """What masked pixels hold neither warns nor makes texture; beside the mask nothing is flagged."""
    reference, sample = moved(SHAPE, (1.3, -0.6))
    mask = holes()
    chosen: dict[str, Any] = {
        "window": 9, "margin": 4, "quality": True, "reference_weights": mask, "sample_weights": mask,
    }  # fmt: skip
    plain = find_shift_field(reference, sample, **chosen)
    reference[~mask], sample[~mask] = 2.0**32, np.nan
    field = find_shift_field(reference, sample, **chosen)
    np.testing.assert_array_equal(field.quality, plain.quality)
    known = np.isfinite(field.x)
    assert np.count_nonzero(known) > 4000
    assert field.valid[known].mean() > 0.99


def test_a_margin_too_small_is_said_beside_a_mask_too() -> None:
    reference, sample = moved(SHAPE, (6.0, 0.0), sigma=4.0)
    mask = np.random.default_rng(0).random(SHAPE) > 0.01
    field = find_shift_field(
        reference, sample, window=11, margin=4, quality=True, sample_weights=mask, coverage=0.3
    )
    assert field.quality is not None
    known = np.isfinite(field.x)
    assert np.mean((field.quality & Quality.PEAK_AT_BORDER)[known] != 0) > 0.9
    assert not field.valid.any()


@NO_ANSWER
def test_a_start_trusts_only_what_is_valid_or_was_filled() -> None:
    """A wrong patch that is flagged starts no search; that of its neighbours does."""
    reference, sample = moved(SHAPE, (9.3, 0.0))
    field = find_shift_field(reference, sample, window=11, margin=12, quality=True, start=None)
    patch = np.s_[40:50, 50:60]
    wrong = field.x.copy()
    wrong[patch] = -9
    assert field.quality is not None
    for quality, expected in ((Quality.MEDIAN_TEST, 1.0), (Quality.FILLED, 0.0)):
        bits, valid = field.quality.copy(), field.valid.copy()
        bits[patch], valid[patch] = quality, False
        start = type(field)(x=wrong, y=field.y, valid=valid, score=field.score, quality=bits,
                            settings=field.settings, image_shape=SHAPE)  # fmt: skip
        again = find_shift_field(reference, sample, window=11, margin=3, start=start)
        right = np.abs(again.x[patch] - 9.3) < 0.2
        assert np.mean(right) == expected


def test_other_thresholds_than_thresholds_are_refused() -> None:
    images = moved()
    with pytest.raises(
        ValueError, match=r"thresholds is 0\.5; it must be a shiftfield\.Thresholds"
    ):
        find_shift_field(*images, quality=True, thresholds=0.5)  # type: ignore[arg-type]
