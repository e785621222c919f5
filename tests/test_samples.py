"""The real images come with the package, whole and with their licences."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest

import shiftfield
from shiftfield import samples


def test_the_cylinder_flow_is_a_pair_that_moved_to_the_left() -> None:
    """Below the wake the flow is even: about 2 px to the left, so the match is to the right."""
    reference, sample = samples.cylinder_flow()
    for image in (reference, sample):
        assert image.shape == (765, 1024)
        assert image.dtype == np.uint8
    field = shiftfield.find_shift_field(
        reference[560:720, 100:300], sample[560:720, 100:300], window=31, margin=5, step=4
    )
    assert np.median(field.x[field.valid]) == pytest.approx(2, abs=0.3)
    assert np.median(field.y[field.valid]) == pytest.approx(0, abs=0.3)


def test_the_tensile_test_is_pulled_further_in_every_image() -> None:
    images = samples.tensile_test()
    assert images.shape == (4, 582, 1514)
    assert images.dtype == np.uint8
    part = images[:, 250:330, 150:280]
    pulled = [
        float(np.median(field.x[field.valid]))
        for field in (
            shiftfield.find_shift_field(part[0], image, window=31, margin=18, step=8)
            for image in part
        )
    ]
    assert pulled[0] == pytest.approx(0, abs=1e-3)
    assert pulled == sorted(pulled)
    assert pulled[3] > pulled[1] + 2


@pytest.mark.parametrize(
    ("folder", "owner"), [("karman", "Thielicke"), ("tension", "Stellenbosch")]
)
def test_a_licence_lies_beside_the_images(folder: str, owner: str) -> None:
    text = (files("shiftfield") / "data" / folder / "LICENSE.txt").read_text(encoding="utf-8")
    assert text.startswith("MIT License")
    assert owner in text


def test_nothing_else_is_shipped() -> None:
    assert {entry.name for entry in (files("shiftfield") / "data").iterdir()} == {
        "karman",
        "tension",
    }


def test_pillow_is_loaded_only_to_read_an_image() -> None:
    code = "import sys, shiftfield.samples; print('PIL' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
