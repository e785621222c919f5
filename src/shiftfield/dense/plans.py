"""What settings ask of the engine: the search of each axis, and the plan on the device that is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shiftfield.engine import MOST_THREADS, Search, backend, choose, no_gpu
from shiftfield.inputs.frames import Frames
from shiftfield.inputs.weights import NO_WEIGHTS, Weights
from shiftfield.scores import METHODS
from shiftfield.settings import Settings
from shiftfield.stream.pieces import Starts
from shiftfield.stream.plan import Plan, check_size, make_plan, window_weights
from shiftfield.stream.rows import bytes_of_a_row

_ON_CPU = "searches that have a start run on the CPU"


def axes_of(settings: Settings, frames: int) -> tuple[str, ...]:
    """Return the axes of the searches that settings ask for; a single pair is always searched in both."""
    return ("x", "y") if settings.search == "1d" and frames > 1 else ("both",)


def check_room(size: tuple[int, int], settings: Settings) -> None:
    """Raise a ValueError when images are smaller than window + 2 margin; before a window has weights."""
    check_size(size, (settings.window,) * 2, (settings.margin,) * 2)


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
        check_resident(settings.device, search, has_starts=starts is not None)
    name, refused = ("gpu", "") if resident else choose(settings.device, search)
    if starts is not None and name in ("gpu", "hybrid"):
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


def check_resident(device: str, search: Search, *, has_starts: bool) -> None:
    """Raise a ValueError that says why images on a GPU cannot be searched there."""
    reason = backend("gpu").can_run(search) or (_ON_CPU if has_starts else "")
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
