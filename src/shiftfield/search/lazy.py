"""Dask arrays in, dask arrays out: the same search for each chunk with a halo, where and when dask decides.

No pixel is read here. A chunk is a small image of its own; what it needs of its neighbours is shared by
`dask.array.overlap`.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.arrays.converted import as_array, unmasked
from shiftfield.arrays.on_device import is_lazy
from shiftfield.dense.plans import axes_of, check_room, plan_of, search_of
from shiftfield.dense.running import run_plans
from shiftfield.engine import backend
from shiftfield.field import ShiftField
from shiftfield.inputs.frames import Frames, pair
from shiftfield.inputs.normalisation import AsGiven
from shiftfield.scores import METHODS
from shiftfield.settings import Settings
from shiftfield.sources import is_address, open_images
from shiftfield.stream.bands import Input, Watch, Work

Image = NDArray[np.float32]
# What is not known of a chunk alone.
_IN_MEMORY = {
    "refine": None, "uncertainty": False, "quality": False, "start": None,
}  # fmt: skip


def lazy_field(reference: Any, sample: Any, settings: Settings) -> ShiftField:
    """Return the field of two stacks or images, of which one at least is dask's; its arrays are dask's.

    Nothing is computed. The chunks are those of the sample along y and x, borders moved to multiples of `step`,
    and no smaller than what a search needs.

    Raises
    ------
    ValueError
        When shapes do not fit, or the sizes of chunks are unknown.

    Warns
    -----
    UserWarning
        That there is no GPU here.
    """
    for name, nothing in _IN_MEMORY.items():
        if getattr(settings, name) != nothing:
            raise ValueError(
                f"{name} is {getattr(settings, name)!r} for dask arrays; it needs arrays that are read at once "
                "(give progress or cancel too, and they are)."
            )
    da = import_module("dask.array")
    frames, height, width = pair(reference, sample)[0].shape
    check_room((height, width), settings)
    _warn_of_no_gpu(settings, frames)
    edge = settings.window // 2 + settings.margin
    halo = -(-edge // settings.step) * settings.step
    like = sample if is_lazy(sample) else reference
    rows, columns = (_chunks(sizes, settings.step, 2 * halo + 1) for sizes in like.chunks[-2:])
    chunks = rows, columns
    inputs = [_array(da, one, (frames, height, width), chunks) for one in (reference, sample)]
    depth = {0: 0, 1: halo * (len(rows) > 1), 2: halo * (len(columns) > 1)}
    around = [da.overlap.overlap(one, depth, "none") for one in inputs]
    if settings.method == "umpa_dark":
        around.append(_mean(da, inputs[0]))
    known = METHODS[settings.method].known
    steps = tuple(tuple(-(-size // settings.step) for size in sizes) for sizes in chunks)
    found = da.map_blocks(
        _block, *around, chunks=((known,), *steps), dtype=np.float32, meta=np.empty((0, 0, 0), np.float32),
        settings=settings.as_dict(), halo=halo, name="shiftfield-" + _token(inputs, settings),
    )  # fmt: skip
    x, y, score, *more = (found[n] for n in range(known))
    return ShiftField(
        x=x, y=y, valid=da.isfinite(x) & da.isfinite(y), score=score,
        transmission=more[0] if more else None, dark_field=more[1] if len(more) > 1 else None,
        settings=settings, image_shape=(height, width), frames=frames,
    )  # fmt: skip


def _warn_of_no_gpu(settings: Settings, frames: int) -> None:
    """Warn of a GPU that is asked for and is not here; who computes chunks elsewhere may have one."""
    if settings.device not in ("gpu", "hybrid"):
        return
    search = search_of(settings, frames, axes_of(settings, frames)[0])
    search = replace(search, beyond=settings.borders == "partial")
    if reason := backend("gpu").can_run(search):
        warnings.warn(
            f"A GPU was asked for, but {reason}; chunks that are computed here take the CPU.",
            UserWarning,
            stacklevel=4,
        )


def _block(
    reference: Any,
    sample: Any,
    *mean: Any,
    settings: dict[str, Any],
    halo: int,
    block_info: Any = None,
) -> Image:
    """Return (x, y, score, T, V), as many as known, of the wanted pixels of one chunk; NaN where unknown."""
    chosen = Settings(**settings)
    where = block_info[1]
    first = [n > 0 for n in where["chunk-location"][-2:]]
    last = [
        n + 1 < count for n, count in zip(where["chunk-location"], where["num-chunks"], strict=True)
    ][-2:]
    ref, sam = (
        Frames(np.asarray(reference), "The reference"),
        Frames(np.asarray(sample), "The sample"),
    )
    answers = _answers(ref, sam, chosen, float(mean[0].ravel()[0]) if mean else 0.0)
    inside = tuple(
        slice(halo // chosen.step * before, -(-(size - halo * after) // chosen.step))
        for before, after, size in zip(first, last, ref.size, strict=True)
    )
    return np.stack([image[inside] for image in answers])


def _answers(reference: Frames, sample: Frames, settings: Settings, mean: float) -> list[Image]:
    """Return the images of one search, or of two along one axis each."""
    frames = reference.shape[0]
    works = []
    for axis in axes_of(settings, frames):
        search = replace(search_of(settings, frames, axis), reference_mean=mean)
        plan = plan_of(settings, search, (reference, sample))
        works.append(
            Work(plan, Input(reference, AsGiven(reference)), Input(sample, AsGiven(sample)))
        )
    found = run_plans(works, Watch(), stacklevel=2)
    if len(found) == 2:
        return [found[0].x, found[1].y, np.fmin(found[0].score, found[1].score)]
    names = ("x", "y", "score", "transmission", "dark_field")[: works[0].plan.search.known]
    return [getattr(found[0], name) for name in names]


def _mean(da: Any, reference: Any) -> Any:
    """Return the mean of all finite pixels, 0 when there is none, as an array of one element."""
    known = da.isfinite(reference)
    total = da.where(known, reference, 0).sum(dtype=np.float64)
    return (total / da.maximum(known.sum(), 1)).reshape(1, 1, 1)


def _array(da: Any, data: Any, shape: tuple[int, int, int], chunks: tuple[Any, Any]) -> Any:
    """Return a stack `(frame, y, x)` of dask's with all frames in one chunk."""
    if is_address(data):
        data = open_images(data)[:]
    array = unmasked(data) if is_lazy(data) else da.from_array(as_array(data, "The input"))
    return array.reshape(shape).rechunk((shape[0], *chunks))


def _chunks(sizes: tuple[int, ...], step: int, least: int) -> tuple[int, ...]:
    """Return sizes whose borders are multiples of `step` and that are no smaller than `least`."""
    end = sum(sizes)
    borders = [0]
    for border in np.cumsum(sizes)[:-1]:
        near = round(border / step) * step
        if near - borders[-1] >= least and end - near >= least:
            borders.append(near)
    return tuple(b - a for a, b in pairwise([*borders, end]))


def _token(inputs: list[Any], settings: Settings) -> str:
    """Return the same name for the same work, so that dask knows what it has computed already."""
    tokenize = import_module("dask.base").tokenize
    return str(tokenize(*(one.name for one in inputs), settings.as_dict()))
