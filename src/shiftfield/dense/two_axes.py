"""The 2-D search, both axes together, and what is measured on the images before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shiftfield.dense.patches import apart_of, patches_of
from shiftfield.dense.plans import plan_of, search_of
from shiftfield.dense.running import Normalise, as_given, run_plans, warn_refused, warn_unknown
from shiftfield.engine import Answer, Search
from shiftfield.inputs.frames import Frames
from shiftfield.inputs.weights import NO_WEIGHTS, Weights, unmasked_frames
from shiftfield.quality import Quality
from shiftfield.settings import Settings
from shiftfield.stream.bands import Input, Watch, Work
from shiftfield.stream.pieces import Starts
from shiftfield.stream.rows import make_readable

ROWS_ALONE = 32  # px of step from which on a preview computes wanted rows alone, at 6 times their cost in a tile
_LONG = 4096  # px of such a row; with 1024 threads take twice the time, in Python


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
        from shiftfield.dense.template_gradient import smoothing  # with SciPy's filters

        passes, flatter = smoothing(search, *known, middle)
        search = replace(search, smoothing=passes, flatter=flatter)
    if search.quality:
        search = replace(search, apart=apart_of(patches_of(*known, settings)[0]))
    return search
