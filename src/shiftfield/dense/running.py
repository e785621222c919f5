"""Plans run where they say; what a caller is warned of: a device that is not used, pixels without an answer."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine import Answer
from shiftfield.inputs.frames import Frames
from shiftfield.inputs.normalisation import AsGiven, Normaliser
from shiftfield.scores import METHODS
from shiftfield.stream.bands import Watch, Work, run
from shiftfield.stream.plan import Plan

Normalise = Callable[[Frames], Normaliser]
as_given: Normalise = AsGiven
_NO_ANSWER = (
    "the window in the sample is constant",
    "a NaN or inf is in reach",
    "the denominators of the score vanish",
    "the refinement did not converge",
)


def run_plans(works: list[Work], watch: Watch, stacklevel: int) -> list[Answer]:
    """Run plans where they say; warn of what happened to a device on the way.

    Where any shift fits a window there is no answer.
    """
    answers = _run(works, watch, stacklevel + 1)
    for work, answer in zip(works, answers, strict=True):
        if not work.plan.search.determined:
            for image in fields(answer):
                found = getattr(answer, image.name)
                if found.dtype.kind == "f" and getattr(found.flags, "writeable", True):
                    found[...] = np.nan
    return answers


def _run(works: list[Work], watch: Watch, stacklevel: int) -> list[Answer]:
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
    search = parts[0][0].search
    if unknown and not search.determined:
        warnings.warn(
            f"{unknown} of {total} pixels have no answer (NaN): {search.method!r} needs more than "
            f"{METHODS[search.method].fits} pixels with weight, all frames of a window together; there are "
            f"{search.pixels}.",
            UserWarning,
            stacklevel=stacklevel,
        )
    elif unknown:
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
