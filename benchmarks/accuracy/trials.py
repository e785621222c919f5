"""The trials: images with a known truth, and what is asked of every entrant on them.

Truth is a formula (`shiftfield.synthetic`), or comes with the images of DIC Challenge sample 14.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from benchmarks.accuracy.entrants import Entrant, Found
from shiftfield import find_shift_field
from shiftfield.synthetic import speckle

Real = NDArray[Any]
WINDOW, MARGIN, SIDE = 21, 3, 120
SHIFTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SIGMAS = (1.0, 1.5, 2.5)
NOISES = (0.005, 0.01, 0.02, 0.05)
NOISY_SHIFT = (0.3, 0.2)
CROP = 170


def pair(
    side: int, shift: tuple[float, float], *, sigma: float, noise: float = 0.0, frames: int = 1, seed: int = 1
) -> tuple[Real, Real]:  # fmt: skip
    """Return stacks of speckle of contrast 0.15 and mean 1, the second moved, both with white noise."""
    random = np.random.default_rng(seed)
    images = [
        speckle((side, side), sigma=sigma, frames=frames, seed=seed, shift=by)
        for by in ((0.0, 0.0), shift)
    ]
    reference, sample = (
        image.reshape(frames, side, side)
        + noise * random.standard_normal((frames, side, side), dtype=np.float32)
        for image in images
    )
    return reference, sample


def bias(entrant: Entrant) -> dict[str, Any]:
    """Return the median error along x at each shift, px, for each speckle size; and seconds for a pixel."""
    curves, seconds = {}, []
    for sigma in SIGMAS:
        errors = []
        for shift in SHIFTS:
            found = entrant.run(*pair(SIDE, (shift, 0.0), sigma=sigma), WINDOW, MARGIN)
            errors.append(float(np.nanmedian(found.x - shift)))
            seconds.append(found.seconds)
        curves[str(sigma)] = errors
    return {"curves": curves, "us_per_px": 1e6 * float(np.median(seconds))}


def scatter(entrant: Entrant) -> list[float]:
    """Return the rms error along x at each noise, sigma 1.5, over the bound of Cramer and Rao."""
    over = []
    for noise in NOISES:
        found = entrant.run(*pair(SIDE, NOISY_SHIFT, sigma=1.5, noise=noise), WINDOW, MARGIN)
        error = found.x - NOISY_SHIFT[0]
        error = error[np.isfinite(error) & (np.abs(error) < 1)]
        over.append(float(np.sqrt(np.mean(error**2)) / bound(noise)))
    return over


def bound(noise: float) -> float:
    """Return the rms over windows of the least scatter there can be, px: 2 noise^2 / sum of (dS/dx)^2."""
    left, right = (
        speckle((SIDE, SIDE), sigma=1.5, seed=1, shift=(by, 0.0)).astype(float)
        for by in (-0.01, 0.01)
    )
    sums = WINDOW**2 * uniform_filter(((right - left) / 0.02) ** 2, WINDOW)
    edge = WINDOW // 2 + MARGIN
    return float(np.sqrt(np.mean(2 * noise**2 / sums[edge:-edge, edge:-edge])))


def sinusoid(entrant: Entrant, folder: Path) -> dict[str, float]:
    """Return gain and rms error, px, on crops of DIC Challenge sample 14, L3, where the period is long enough."""
    errors, found_all, truth_all = [], [], []
    for reference, sample, truth in _crops(folder):
        found: Found = entrant.run(reference[None], sample[None], WINDOW, MARGIN)
        known = np.isfinite(found.x)
        true = truth[found.columns][known]
        errors.append(found.x[known] - true)
        found_all.append(found.x[known])
        truth_all.append(true)
    error, x, true = (np.concatenate(parts) for parts in (errors, found_all, truth_all))
    return {
        "gain": float(np.sum(x * true) / np.sum(true * true)),
        "rms": float(np.sqrt(np.mean(error**2))),
    }


def _crops(folder: Path) -> Iterator[tuple[Real, Real, Real]]:
    """Yield squares of the images with the truth of their columns, in our sign."""
    from PIL import Image

    reference, sample = (
        np.asarray(Image.open(folder / f"{name}.png"), dtype=np.float32)
        for name in ("reference", "deformed_L3")
    )
    truth = -np.loadtxt(folder / "truth_L3.csv")
    for top in (0, 210, 419):
        for left in range(0, reference.shape[1] - CROP, 313):
            square = np.s_[top : top + CROP, left : left + CROP]
            yield reference[square], sample[square], truth[left : left + CROP]


def whole_sinusoid(folder: Path, **settings: Any) -> dict[str, float]:
    """Return gain and rms error of ours on the whole of sample 14, with the default margin."""
    from PIL import Image

    reference, sample = (
        np.asarray(Image.open(folder / f"{name}.png")) for name in ("reference", "deformed_L3")
    )
    truth = -np.loadtxt(folder / "truth_L3.csv")
    if settings.get("method") == "umpa":
        reference, sample = reference[None], sample[None]
    field = find_shift_field(reference, sample, window=WINDOW, device="cpu", **settings)
    known = field.valid
    true = np.broadcast_to(truth, field.shape)[known]
    return {
        "gain": float(np.sum(field.x[known] * true) / np.sum(true * true)),
        "rms": float(np.sqrt(np.mean((field.x[known] - true) ** 2))),
    }


def reliability() -> list[dict[str, Any]]:
    """Return how often errors lie within one sigma, and rms of both, for methods, windows and noises."""
    rows = []
    for method, frames in (("pearson", 1), ("umpa", 1), ("umpa_dark", 3)):
        for refine in (None, "icgn"):
            for window in (7, 15, 31):
                for noise in (0.005, 0.015, 0.05):
                    rows.append(_reliable(method, frames, refine, window, noise))
    return rows


def _reliable(
    method: str, frames: int, refine: str | None, window: int, noise: float
) -> dict[str, Any]:
    errors, sigmas = [], []
    for seed, shift in enumerate(((0.1, 0.3), (1.4, 0.55), (0.75, -0.9), (-0.35, 1.15))):
        images = pair(150, shift, sigma=1.5, noise=noise, frames=frames, seed=seed)
        field = find_shift_field(
            *images, method=method, window=window, margin=3, refine=refine, uncertainty=True, device="cpu"
        )  # fmt: skip
        sure = field.valid & (np.hypot(field.x - shift[0], field.y - shift[1]) < 1)
        for found, true, sigma in (
            (field.x, shift[0], field.uncertainty_x), (field.y, shift[1], field.uncertainty_y),
        ):  # fmt: skip
            assert sigma is not None
            stated = sure & np.isfinite(sigma)  # where nothing is left of the texture it is not
            errors.append((found - true)[stated])
            sigmas.append(sigma[stated])
    error, sigma = np.concatenate(errors), np.concatenate(sigmas)
    return {
        "method": method, "refine": refine or "peak fit", "window": window, "noise": noise,
        "within": float(np.mean(np.abs(error) < sigma)), "rms": float(np.sqrt(np.mean(error**2))),
        "sigma": float(np.sqrt(np.mean(sigma**2))),
    }  # fmt: skip


def speed() -> list[dict[str, Any]]:
    """Return pixels a second of ours on a pair of 512 x 512 px, window 21, on all cores; the median of five."""
    images = pair(512, NOISY_SHIFT, sigma=1.5, noise=0.01)
    rows = []
    for name, settings in (
        ("peak fit", {}),
        ("icgn, zero order", {"refine": "icgn"}),
        ("icgn, first order", {"refine": "icgn", "shape_order": 1}),
        ("peak fit and one sigma", {"uncertainty": True}),
        ("peak fit and quality", {"quality": True}),
    ):
        seconds = []
        for _ in range(6):  # the first one compiles
            began = time.perf_counter()
            field = find_shift_field(
                *images, window=WINDOW, margin=MARGIN, device="cpu", **settings
            )
            seconds.append(time.perf_counter() - began)
        known = int(np.count_nonzero(np.isfinite(field.x)))
        rows.append({"name": name, "pixels_a_second": known / float(np.median(seconds[1:]))})
    return rows
