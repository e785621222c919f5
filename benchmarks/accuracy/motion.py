"""Large and uneven motion: how much of it is found with each start, and at what cost."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield import find_shift_field
from shiftfield.synthetic import speckle

Real = NDArray[Any]
_ROUNDS = 3


def trials() -> list[dict[str, Any]]:
    """Return one row for each scene and start: share of pixels that are right, median error, px, and cost."""
    y, x = np.mgrid[:720, :960]
    scenes = {
        "small, margin 5": ((2.0 * np.sin(x / 60), 1.5 * np.cos(y / 50)), 5, 11),
        "60 px, strain 2 to 4 %": (
            (60 + 0.04 * (x - 480) + 0.02 * (y - 360), -30 + 0.03 * (y - 360)), 5, 15,
        ),
        "waves of 25 px, slopes to 12 %": ((25 * np.sin(x / 200), 15 * np.cos(y / 160)), 5, 15),
    }  # fmt: skip
    rows = []
    for scene, (truth, margin, window) in scenes.items():
        reference = speckle(truth[0].shape, seed=3)
        random = np.random.default_rng(0)
        sample = speckle(truth[0].shape, seed=3, shift=truth)
        sample = sample + 0.01 * random.standard_normal(sample.shape, dtype=np.float32)
        inside = _answerable(truth, x, y)
        rows += _scene(
            scene, reference, sample, truth, inside, {"margin": margin, "window": window}
        )
    rows += _stereo()
    return rows


def _scene(
    scene: str, reference: Real, sample: Real, truth: Any, inside: Real, asked: dict[str, Any]
) -> list[dict[str, Any]]:
    rows, plain = [], 1.0
    for start in (None, "global", "pyramid"):
        seconds = []
        for _ in range(_ROUNDS):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                began = time.perf_counter()
                field = find_shift_field(reference, sample, start=start, device="cpu", **asked)
                seconds.append(time.perf_counter() - began)
        plain = float(np.median(seconds)) if start is None else plain
        error = np.hypot(field.x - truth[0], field.y - truth[1])[inside]
        rows.append(
            {
                "scene": scene, "start": start or "none", "right": float(np.mean(error < 0.5)),
                "median": float(np.nanmedian(error)), "times": float(np.median(seconds)) / plain,
            }
        )  # fmt: skip
    return rows


def _answerable(truth: tuple[Real, Real], x: Real, y: Real) -> Real:
    """Return where the match lies well inside the reference, and the window inside the sample."""
    height, width = x.shape
    inside: Real = (x > 16) & (x < width - 16) & (y > 16) & (y < height - 16)
    u, v = x + truth[0], y + truth[1]
    inside &= (u > 16) & (u < width - 16) & (v > 16) & (v < height - 16)
    return inside


def _stereo() -> list[dict[str, Any]]:
    """Return the same for scikit-image's motorcycle, a stereo pair with measured disparities; none without it."""
    try:
        from skimage.data import stereo_motorcycle

        left, right, disparity = stereo_motorcycle()
    except (ImportError, OSError, ValueError):
        return []
    left, right = (image.mean(axis=2).astype(np.float32) for image in (left, right))
    y, x = np.indices(left.shape)
    truth = -np.where(np.isfinite(disparity), disparity, np.nan), np.zeros(left.shape)
    inside = _answerable(truth, x, y) & np.isfinite(truth[0])
    return _scene(
        "stereo pair (scikit-image's motorcycle)", right, left, truth, inside, {"margin": 8, "window": 15}
    )  # fmt: skip
