"""Dense searches behind the public functions: the 2-D search, the two 1-D searches, and what they warn of.

Arguments are checked before they get here; arrays of the seven functions are made in `correlation`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine import Answer, Search, backend, choose, no_gpu
from shiftfield.inputs.device_arrays import to_host
from shiftfield.inputs.frames import Frames
from shiftfield.inputs.normalisation import AsGiven, Normaliser
from shiftfield.inputs.weights import NO_WEIGHTS, Weights, unmasked_frames
from shiftfield.peaks.locate import locate_peaks
from shiftfield.quality import Quality
from shiftfield.scores import METHODS
from shiftfield.settings import Settings
from shiftfield.starts.pieces import Starts
from shiftfield.stream.bands import Input, Watch, Work, run
from shiftfield.stream.plan import Plan, make_plan, window_weights
from shiftfield.stream.rows import bytes_of_a_row, make_readable

Normalise = Callable[[Frames], Normaliser]
as_given: Normalise = AsGiven
_ON_CPU = "searches that have a start run on the CPU"
MOST_THREADS = 256  # of a block on a GPU that searches
ROWS_ALONE = 32  # px of step from which on a preview computes wanted rows alone, at 6 times their cost in a tile
_LONG = 4096  # px of such a row; with 1024 threads take twice the time, in Python
_NO_ANSWER = (
    "the window in the sample is constant",
    "a NaN or inf is in reach",
    "the denominators of the score vanish",
    "the refinement did not converge",
)
_PROBES = 4  # windows along each axis that the check of a 1-D search looks at


def search_of(settings: Settings, frames: int, axis: str = "both") -> Search:
    """Return the search that settings ask for: in both axes, or along "x" or "y" alone (1-D)."""
    one = np.ones(1)
    weights = window_weights(settings.window, settings.weight)
    margin = settings.margin
    return Search(
        method=settings.method,
        frames=frames,
        weights=(one if axis == "x" else weights, one if axis == "y" else weights),
        margin=(0 if axis == "x" else margin, 0 if axis == "y" else margin),
        peak=settings.peak,
        peak_size=settings.peak_size,
        step=settings.step,
        refine=settings.refine,
        shape_order=settings.shape_order,
        uncertainty=settings.uncertainty,
        quality=settings.quality,
        coverage=settings.coverage,
    )


def plan_of(
    settings: Settings,
    search: Search,
    inputs: tuple[Frames, Frames],
    *,
    chunk_rows: int | None = None,
    normalised: int = 0,
    threads: int | None = None,
    starts: Starts | None = None,
    weights: Weights = NO_WEIGHTS,
) -> Plan:
    """Return the plan for one search on the device that settings ask for.

    `normalised` says how many times a band is normalised, for searches that are run together. `threads` is the
    most a caller wants in a block on a GPU; what is not possible is noted. Images that lie on a GPU are searched
    there, or a ValueError says why they cannot be.
    """
    reference = inputs[0]
    if settings.borders == "partial":
        search = replace(search, beyond=True)
    if weights != NO_WEIGHTS:
        search = replace(search, weighted=True)
    if (search.partial or search.around) and not METHODS[search.method].refined:
        known = ", ".join(repr(name) for name, method in METHODS.items() if method.refined)
        raise ValueError(
            f"method is {search.method!r}; refinement, uncertainty, partial windows and weights are for {known}."
        )
    resident = reference.device is not None
    if resident:
        check_resident(settings.device, search)
    name, refused = ("gpu", "") if resident else choose(settings.device, search)
    if starts is not None and name in ("gpu", "hybrid"):
        if resident:
            raise ValueError(
                f"The images lie on a GPU, but {_ON_CPU}; give NumPy arrays (cupy.asnumpy) to use the CPU."
            )
        name, refused = "cpu", "" if settings.device == "auto" else no_gpu(_ON_CPU)
    used, note = block_threads(threads)
    notes = [refused] if refused else []
    if note and name in ("gpu", "hybrid"):
        notes.append(note)
    return make_plan(
        search,
        reference.size,
        backend_name=name,
        bytes_of_a_row=sum(bytes_of_a_row(frames, normalised=normalised) for frames in inputs)
        + sum(bytes_of_a_row(frames, normalised=0) for frames in weights if frames),
        normalised=bool(normalised),
        workers=settings.ncore,
        chunk_rows=chunk_rows,
        memory=settings.memory,
        threads=used,
        notes=tuple(notes),
        starts=None if starts is None else starts.rows,
    )


def check_resident(device: str, search: Search) -> None:
    """Raise a ValueError that says why images on a GPU cannot be searched there."""
    reason = backend("gpu").can_run(search)
    if device in ("cpu", "reference"):
        reason = f"device is {device!r}"
    if reason:
        raise ValueError(
            f"The images lie on a GPU, but {reason}; give NumPy arrays (cupy.asnumpy) to use the CPU."
        )


def block_threads(threads: int | None) -> tuple[int, str]:
    """Return the threads of a block that are used when so many are asked for, and why not those, if so."""
    if threads is None:
        return MOST_THREADS, ""
    used = min(max(threads // 32, 1), MOST_THREADS // 32) * 32
    if used == threads:
        return used, ""
    return used, (
        f"block asks for {threads} threads; the GPU's kernels take whole warps of 32, up to {MOST_THREADS} "
        f"threads, and use {used}."
    )


def search_2d(
    reference: Frames,
    sample: Frames,
    settings: Settings,
    watch: Watch,
    *,
    chunk_rows: int | None = None,
    normalise: Normalise = as_given,
    threads: int | None = None,
    starts: Starts | None = None,
    weights: Weights = NO_WEIGHTS,
    soon: bool = False,
    stacklevel: int = 3,
) -> Answer:
    """Search both axes together; NaN where there is no answer, counted in one warning.

    With `soon` tiles suit a preview; the last bits differ.
    """
    reference.look = sample.look = watch.look
    inputs = reference, sample
    plan = plan_of(
        settings, search_of(settings, reference.shape[0]), inputs,
        chunk_rows=chunk_rows, normalised=int(normalise is not as_given), threads=threads, starts=starts,
        weights=weights,
    )  # fmt: skip
    if soon and plan.backend == "cpu":
        plan = replace(plan, tile=_tile_of_a_preview(plan.tile, settings.step))
    warn_refused(plan, stacklevel + 1)
    flat, dark = normalise is not as_given, settings.method == "umpa_dark"
    make_readable(inputs, settings.memory, several_passes=(flat or dark, flat))
    make_readable(weights, settings.memory, several_passes=(dark, False))
    known = unmasked_frames(inputs, weights)
    middle = starts.middle if starts else (0, 0)
    plan = replace(plan, search=measured(plan.search, known, settings, middle))
    work = Work(
        plan,
        Input(reference, normalise(reference)),
        Input(sample, normalise(sample)),
        starts,
        weights,
    )
    (answer,) = run_plans([work], replace(watch, total=plan.count()), stacklevel + 1)
    x = answer.x
    if plan.search.partial:  # nobody expects an answer under a mask
        x = np.where(answer.flags & Quality.LOW_COVERAGE, np.float32(0), x)
    warn_unknown([(plan, x)], stacklevel + 1)
    return answer


def _tile_of_a_preview(usual: tuple[int, int], step: int) -> tuple[int, int]:
    """Return a tile (rows, columns) px that takes fewer steps in Python: they wait for a viewer that draws.

    Of four usual tiles (64, 256) made one, 512 x 512 px took 0.7 of the time at a step of 4 px.
    """
    if step >= ROWS_ALONE:
        return 1, _LONG
    rows, columns = usual
    return (2 * rows, 2 * columns) if rows * columns >= 64 * 256 else usual


def measured(
    search: Search, known: tuple[Frames, Frames], settings: Settings, middle: tuple[int, int]
) -> Search:
    """Return a search with what is measured on the images before it: level, gradient, size of speckles.

    Searches begin at `middle`, px, (y, x).
    """
    if search.method == "umpa_dark":  # the one number that takes a pass over the input
        search = replace(search, reference_mean=known[0].totals().mean)
    if search.around:
        from shiftfield.search.template_gradient import smoothing  # with SciPy's filters

        passes, flatter = smoothing(search, *known, middle)
        search = replace(search, smoothing=passes, flatter=flatter)
    if search.quality:
        search = replace(search, apart=apart_of(_probe(*known, settings)[0]))
    return search


def apart_of(patches: NDArray[np.float64]) -> int:
    """Return the least distance of a second peak from the best, px; patches of the reference `(N, K, h, w)`."""
    return max(int(np.ceil(2 * _speckle_radius(patches))), 2)


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


def run_plans(works: list[Work], watch: Watch, stacklevel: int) -> list[Answer]:
    """Run plans where they say; warn of what happened to a device on the way."""
    if works[0].plan.backend not in ("gpu", "hybrid"):
        return run(works, watch)
    from shiftfield.stream import resident, sharing  # with all of the GPU engine

    told: list[str] = []
    way = sharing if works[0].reference.frames.device is None else resident
    answers: list[Answer] = []
    for work in works:
        answers.append(way.run(work, watch, told))
        watch = replace(watch, done=watch.done + work.plan.count())
    for sentence in told:
        warnings.warn(sentence, UserWarning, stacklevel=stacklevel)
    return answers


def warn_refused(plan: Plan, stacklevel: int) -> None:
    """Warn why the device that was asked for is not used."""
    for note in plan.notes:
        warnings.warn(note, UserWarning, stacklevel=stacklevel)


def warn_unknown(parts: list[tuple[Plan, NDArray[np.float32]]], stacklevel: int) -> None:
    """Count the pixels inside the borders that have no answer, in one warning."""
    unknown = total = 0
    for plan, shift in parts:
        rows, columns = inner(plan)
        inside = shift[rows, columns]
        unknown += int(np.count_nonzero(np.isnan(inside)))
        total += inside.size
    if unknown:
        *reasons, last = _NO_ANSWER[: 3 + any(plan.search.refine is not None for plan, _ in parts)]
        warnings.warn(
            f"{unknown} of {total} pixels have no answer (NaN): {', '.join(reasons)}, or {last}.",
            UserWarning,
            stacklevel=stacklevel,
        )


def inner(plan: Plan) -> tuple[slice, slice]:
    """Return the (row, column) slices of the answer that lie inside the borders."""
    step = plan.search.step
    first_y, first_x = (-(-edge // step) for edge in plan.border)
    last_y, last_x = (
        -(-(n - edge) // step) for n, edge in zip(plan.shape, plan.border, strict=True)
    )
    return slice(first_y, last_y), slice(first_x, last_x)


def warn_across(reference: Frames, sample: Frames, settings: Settings, stacklevel: int) -> None:
    """Warn when a few 2-D searches find a shift across the 1-D ones that makes those invalid.

    A row of the sample still looks like the same row of the reference only while the shift across it
    is well below the speckle size, taken as the half width of the reference's autocorrelation.
    """
    from shiftfield.maps.pearson import pearson_maps  # SciPy's FFT takes half a second to import

    ref, sam = _probe(reference, sample, settings)
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
    size = max(_speckle_radius(ref), 1.0)
    for search, other in (("x", "y"), ("y", "x")):
        if across[other] > 0.5 * size:
            warnings.warn(
                f"The {search} shifts of the 1-D search are not to be trusted: the median shift along {other} "
                f"is about {across[other]:.1f} px and the speckle radius {size:.1f} px; use the 2-D search "
                "(dim=2, or search='2d').",
                UserWarning,
                stacklevel=stacklevel,
            )


def _probe(
    reference: Frames, sample: Frames, settings: Settings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a few patches `(N, K, h, w)` of reference and sample on a grid, as large as fits."""
    margin, (_, height, width) = settings.margin, reference.shape
    window = min(max(settings.window, 15), height - 2 * margin, width - 2 * margin)
    radius = window // 2
    window = 2 * radius + 1 if 2 * radius + 1 + 2 * margin <= min(height, width) else 2 * radius - 1
    radius, edge = window // 2, window // 2 + margin
    rows = np.unique(np.linspace(edge, height - edge - 1, _PROBES).astype(int))
    columns = np.unique(np.linspace(edge, width - edge - 1, _PROBES).astype(int))
    ref, sam = [], []
    for i in rows:
        band_r = reference.rows(i - edge, i + edge + 1).astype(np.float64)
        band_s = sample.rows(i - radius, i + radius + 1).astype(np.float64)
        for j in columns:
            ref.append(to_host(band_r[:, :, j - edge : j + edge + 1]))
            sam.append(to_host(band_s[:, :, j - radius : j + radius + 1]))
    return np.stack(ref), np.stack(sam)


def _speckle_radius(patches: NDArray[np.float64]) -> float:
    """Return the shift along x, px, at which the reference's autocorrelation falls to half."""
    known = np.isfinite(patches)
    count = np.maximum(known.sum(axis=(2, 3), keepdims=True), 1)
    mean = patches.sum(axis=(2, 3), keepdims=True, where=known) / count
    patches = np.where(known, patches - mean, 0)
    power = float(np.mean(patches * patches))
    for lag in range(1, patches.shape[3] - 1):
        if np.mean(patches[..., lag:] * patches[..., :-lag]) < 0.5 * power:
            return float(lag)
    return float(patches.shape[3])
