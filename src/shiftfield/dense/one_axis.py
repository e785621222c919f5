"""The two 1-D searches, each row along x and each column along y, and the check that they may be trusted."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from shiftfield.dense.patches import patches_of, speckle_radius
from shiftfield.dense.plans import plan_of, search_of
from shiftfield.dense.running import Normalise, as_given, run_plans, warn_refused, warn_unknown
from shiftfield.engine import Answer
from shiftfield.inputs.frames import Frames
from shiftfield.peaks.locate import locate_peaks
from shiftfield.settings import Settings
from shiftfield.stream.bands import Input, Watch, Work
from shiftfield.stream.rows import make_readable


def search_1d(
    reference: Frames,
    sample: Frames,
    settings: Settings,
    watch: Watch,
    *,
    chunk_rows: int | None = None,
    normalise: tuple[Normalise, Normalise] = (as_given, as_given),
    threads: int | None = None,
    stacklevel: int = 3,
) -> Answer:
    """Search each row along x and each column along y, on their own; `normalise` is for (x, y)."""
    reference.look = sample.look = watch.look
    inputs = reference, sample
    normalised = sum(rule is not as_given for rule in normalise)
    plans = [
        plan_of(
            settings, search_of(settings, reference.shape[0], axis), inputs,
            chunk_rows=chunk_rows, normalised=normalised, threads=threads,
        )
        for axis in "xy"
    ]  # fmt: skip
    warn_refused(plans[0], stacklevel + 1)
    make_readable(inputs, settings.memory, several_passes=(bool(normalised),) * 2)
    works = [
        Work(plan, Input(reference, rule(reference)), Input(sample, rule(sample)))
        for plan, rule in zip(plans, normalise, strict=True)
    ]
    total = sum(plan.count() for plan in plans)
    along_x, along_y = run_plans(works, replace(watch, total=total), stacklevel + 1)
    warn_unknown([(plans[0], along_x.x), (plans[1], along_y.y)], stacklevel + 1)
    warn_across(reference, sample, settings, stacklevel + 1)
    score = np.fmin(along_x.score, along_y.score, out=along_x.score)
    return replace(along_x, y=along_y.y, score=score)


def warn_across(reference: Frames, sample: Frames, settings: Settings, stacklevel: int) -> None:
    """Warn when a few 2-D searches find a shift across the 1-D ones that makes those invalid.

    A row of the sample still looks like the same row of the reference only while the shift across it
    is well below the speckle size, taken as the half width of the reference's autocorrelation.
    """
    from shiftfield.maps.pearson import pearson_maps  # SciPy's FFT takes half a second to import

    ref, sam = patches_of(reference, sample, settings)
    maps = pearson_maps(ref, sam)
    margin = settings.margin
    x, y = locate_peaks(maps, method="diff", dim=2, size=3)
    known = np.isfinite(x) & (np.nan_to_num(maps, nan=-1).max(axis=(1, 2)) > 0.3)
    if np.count_nonzero(known) < max(1, known.size // 4):
        return
    across = {
        axis: float(np.median(np.abs(shift[known] - margin)))
        for axis, shift in (("x", x), ("y", y))
    }
    size = max(speckle_radius(ref), 1.0)
    for search, other in (("x", "y"), ("y", "x")):
        if across[other] > 0.5 * size:
            warnings.warn(
                f"The {search} shifts of the 1-D search are not to be trusted: the median shift along {other} "
                f"is about {across[other]:.1f} px and the speckle radius {size:.1f} px; use the 2-D search "
                "(dim=2, or search='2d').",
                UserWarning,
                stacklevel=stacklevel,
            )
