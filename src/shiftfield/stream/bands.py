"""Bands of rows in, tiles to threads, answers out, with progress and cancelling between tiles.

At most two bands are held: one is computed while the next is read. No pixel is computed here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from shiftfield import machine
from shiftfield.engine import Answer, Backend, Block, Stop, Tile, backend
from shiftfield.engine.base import blank, put
from shiftfield.inputs.frames import Frames, as_floats
from shiftfield.inputs.normalisation import Divisors, Normaliser
from shiftfield.inputs.weights import NO_WEIGHTS, Weights, padded, unmasked, weights_of_tile
from shiftfield.stream.pieces import Starts, pieces, tile_of
from shiftfield.stream.plan import Plan
from shiftfield.stream.rows import Reader

Progress = Callable[[int, int], object]
LATENCY = 0.05  # s between looks at cancel
_CORES = threading.BoundedSemaphore(machine.available_cores())


class Cancelled(RuntimeError):  # noqa: N818 - it is no error, the caller asked for it
    """The caller asked to stop; nothing was returned."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What the caller sees of a run, how it is stopped, and the cores that runs beside it share with it."""

    progress: Progress | None = None
    cancel: Any = None
    done: int = 0
    total: int = 0
    cores: AbstractContextManager[Any] = field(default_factory=nullcontext)

    def __post_init__(self) -> None:
        """Refuse what could only fail once the work has begun."""
        if self.progress is not None and not callable(self.progress):
            raise ValueError(
                f"progress is {self.progress!r}; it must be callable as progress(done, total), or None."
            )
        if not (self.cancel is None or hasattr(self.cancel, "is_set") or callable(self.cancel)):
            raise ValueError(
                f"cancel is {self.cancel!r}; it must be callable, have is_set() as a threading.Event, "
                "or be None."
            )

    def step(self, done: int) -> None:
        """Report `done` tiles of this part; raise `Cancelled` when asked to stop."""
        self.look()
        if self.progress is not None:
            self.progress(self.done + done, self.total)

    def part(self, before: int, after: int) -> Watch:
        """Return what is seen of one of several searches, with so many tiles of others before and after it."""
        report = self.progress
        if report is None:
            return self
        return replace(
            self, progress=lambda done, total: report(before + done, before + total + after)
        )

    def look(self) -> None:
        """Raise `Cancelled` when the caller asked to stop."""
        if self.cancel is None:
            return
        asked = self.cancel.is_set() if hasattr(self.cancel, "is_set") else self.cancel()
        if asked:
            raise Cancelled("The search was cancelled.")


@dataclass(frozen=True, slots=True)
class Input:
    """One input and how its pixels are normalised."""

    frames: Frames
    normaliser: Normaliser


@dataclass(frozen=True, slots=True)
class Work:
    """A plan and what it is for."""

    plan: Plan
    reference: Input
    sample: Input
    starts: Starts | None = None
    weights: Weights = NO_WEIGHTS


@dataclass(frozen=True, slots=True)
class Band:
    """Rows of both inputs as they are stored, and how they are normalised; `top` is the first of them."""

    top: int
    raw: tuple[Any, Any]
    divisors: tuple[Divisors | None, Divisors | None] = (None, None)
    weights: tuple[Any, Any] = (None, None)


def run(works: list[Work], watch: Watch) -> list[Answer]:
    """Compute plans for the same two inputs, which are read once; an `Answer` for each.

    Arrays have `plan.output_shape`, with NaN where there is no answer or no pixel was asked.

    Raises
    ------
    Cancelled
        When the caller's `cancel` says so; at the latest 0.1 s after it does.
    """
    outs = {id(work): blank(work.plan.search, work.plan.output_shape) for work in works}
    stop = Stop()
    watch.step(0)
    pool = ThreadPoolExecutor(works[0].plan.workers, thread_name_prefix="shiftfield")
    try:
        done = 0
        waiting: deque[set[Future[None]]] = deque()
        for work, band, tiles in bands(works):
            engine, out = backend(work.plan.backend), outs[id(work)]
            waiting.append(
                {
                    pool.submit(_compute, work, engine, band, tile, out, stop, watch)
                    for tile in tiles
                }
            )
            if len(waiting) == 2:
                done = _finish(waiting.popleft(), done, watch)
            watch.look()
        while waiting:
            done = _finish(waiting.popleft(), done, watch)
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
    return [outs[id(work)] for work in works]


def bands(works: list[Work]) -> Iterator[tuple[Work, Band, list[Tile]]]:
    """Yield bands of rows with their tiles, for each work in turn.

    What lies between is read for all works together: a tile belongs to the band that its row of tiles begins in.
    """
    height = works[0].plan.shape[0]
    pitch = works[0].plan.band_rows
    inputs = works[0].reference.frames, works[0].sample.frames, *works[0].weights
    readers = [frames and Reader(frames) for frames in inputs]
    for start in range(0, height, pitch):
        mine = [(work, rows_of(work.plan, start, start + pitch)) for work in works]
        reach = [work.plan.reach(y0, y1) for work, (y0, y1) in mine if y0 < y1]
        if not reach:
            continue
        top, bottom = min(first for first, _ in reach), max(last for _, last in reach)
        stored = [reader and reader.stored(top, bottom) for reader in readers]
        for work, (y0, y1) in mine:
            tiles = list(work.plan.tiles(y0, y1))
            if tiles:
                yield work, band_of(work, stored, top), tiles


def rows_of(plan: Plan, start: int, stop: int) -> tuple[int, int]:
    """Return the output rows [y0, y1) of the rows of tiles that begin in [start, stop)."""
    tall, edge = plan.tile[0], plan.border[0]
    y0, y1 = (-(-row // tall) * tall for row in (start, stop))
    return max(y0, edge), min(y1, plan.shape[0] - edge)


def band_of(work: Work, stored: list[Any], top: int) -> Band:
    """Return rows of both inputs, as they are stored from row `top` on, and how a work normalises them."""
    ref, sam, *weights = stored
    divisors = work.reference.normaliser.of_band(ref, top), work.sample.normaliser.of_band(sam, top)
    return Band(top, (ref, sam), divisors, (weights[0], weights[1]) if weights else (None, None))


def _finish(futures: set[Future[None]], done: int, watch: Watch) -> int:
    """Wait for some tiles, reporting each; return the number done so far."""
    while futures:
        ready, futures = wait(futures, timeout=LATENCY, return_when=FIRST_COMPLETED)
        for future in ready:
            future.result()
            done += 1
        watch.step(done) if ready else watch.look()
    return done


def _compute(
    work: Work, engine: Backend, band: Band, tile: Tile, out: Answer, stop: Stop, watch: Watch
) -> None:
    """Cut the block of one tile, compute it, and write its answer."""
    plan = work.plan
    with watch.cores:
        if work.starts is None:
            answer = compute(plan, engine, cut(plan, band, tile), tile, stop)
        else:
            answer = _compute_pieces(plan, engine, band, tile, work.starts, stop)
    if answer is not None:
        place(answer, tile, plan.search.step, out)


def _compute_pieces(
    plan: Plan, engine: Backend, band: Band, tile: Tile, starts: Starts, stop: Stop
) -> Answer | None:
    """Compute a tile whose pixels start elsewhere, piece by piece."""
    search, step = plan.search, plan.search.step
    rows = slice(tile.y0 + -tile.y0 % step, tile.y1, step)
    columns = slice(tile.x0 + -tile.x0 % step, tile.x1, step)
    y, x = starts.y[rows, columns], starts.x[rows, columns]
    out = blank(search, y.shape)
    for piece in pieces(y, x, search):
        edge = (-search.reach[0], -search.reach[1]) if search.beyond else search.reach
        part = tile_of(piece, tile, step, plan.shape, edge)
        if part.y0 >= part.y1 or part.x0 >= part.x1:
            continue
        block = cut(plan, band, part, piece.start)
        answer = compute(plan, engine, block, part, stop)
        if answer is None:
            return None
        top, left = (
            -(-first // step) - begin.start // step
            for first, begin in ((part.y0, rows), (part.x0, columns))
        )
        at = slice(top, top + answer.x.shape[0]), slice(left, left + answer.x.shape[1])
        inside = tuple(
            slice(a.start - b.start, a.stop - b.start)
            for a, b in zip(at, (piece.rows, piece.columns), strict=True)
        )
        mine = piece.mine[inside]
        for name in search.images:
            found = getattr(answer, name)
            if name in ("x", "y"):
                found = found + np.float32(piece.start[name == "x"])
            getattr(out, name)[at][mine] = found[mine]
    return out


def compute(plan: Plan, engine: Backend, block: Block, tile: Tile, stop: Stop) -> Answer | None:
    """Compute one tile on a core of its own, unless it was called off."""
    with _CORES:
        return None if stop.is_set() else engine.run(plan.search, tile, in_floats(block), stop)


def in_floats(block: Block) -> Block:
    """Return a block in float32 or float64, whatever was stored."""
    ref, sam = as_floats(block.reference), as_floats(block.sample)
    raw = ref, sam
    if block.raw_reference is not block.reference:
        raw = as_floats(block.raw_reference), as_floats(block.raw_sample)
    around = block.around and (as_floats(block.around[0]), as_floats(block.around[1]))
    return Block(ref, sam, *raw, around, block.weights, block.inside)


def cut(plan: Plan, band: Band, tile: Tile, start: tuple[int, int] = (0, 0)) -> Block:
    """Return the pixels that a tile needs of a band, normalised, else as they are stored.

    The search is centred on `start`, px, (y, x).
    """
    (ey, ex), (my, mx) = plan.search.reach, plan.search.margin
    rows = slice(tile.y0 - ey - band.top, tile.y1 + ey - band.top)
    columns = slice(tile.x0 - ex, tile.x1 + ex)
    inner = slice(rows.start + my, rows.stop - my), slice(columns.start + mx, columns.stop - mx)
    rows = slice(rows.start + start[0], rows.stop + start[0])
    columns = slice(columns.start + start[1], columns.stop + start[1])
    places = (rows, columns), inner
    raw_ref, raw_sam = (padded(raw, *at) for raw, at in zip(band.raw, places, strict=True))
    ref, sam = (
        raw if divisors is None else divisors.apply(raw, *at)
        for raw, divisors, at in zip((raw_ref, raw_sam), band.divisors, places, strict=True)
    )
    around = None
    if plan.search.around:  # only of searches that normalise nothing
        more, size = plan.search.around, plan.shape
        far = (
            ((ey + more, ex + more), _moved(tile, start)),
            ((ey - my + more, ex - mx + more), tile),
        )
        of_r, of_s = (
            unmasked(
                *(None if rows is None else mirrored(rows, band.top, size, *at) for rows in both)
            )
            for *both, at in zip(band.raw, band.weights, far, strict=True)
        )
        around = of_r, of_s
    if not plan.search.partial:
        return Block(ref, sam, raw_ref, raw_sam, around)
    weights = weights_of_tile(band.weights, band.raw[0].shape[1:], places)
    return Block(ref, sam, raw_ref, raw_sam, around, weights, _inside(plan, tile, start))


def _inside(plan: Plan, tile: Tile, start: tuple[int, int]) -> Tile | None:
    """Return the part of a tile whose search, centred on `start` (y, x), lies inside the image; None for all."""
    (ey, ex), (ry, rx), (height, width) = plan.search.reach, plan.search.radius, plan.shape
    found = Tile(
        max(tile.y0, ry, ey - start[0]), min(tile.y1, height - ry, height - ey - start[0]),
        max(tile.x0, rx, ex - start[1]), min(tile.x1, width - rx, width - ex - start[1]),
    )  # fmt: skip
    return None if found == tile else found


def _moved(tile: Tile, by: tuple[int, int]) -> Tile:
    (y, x) = by
    return Tile(tile.y0 + y, tile.y1 + y, tile.x0 + x, tile.x1 + x)


def mirrored(rows: Any, top: int, size: tuple[int, int], reach: tuple[int, int], tile: Tile) -> Any:
    """Return a tile of a band with `reach` px (y, x) around it, mirrored at the edges of the image."""
    wanted = (tile.y0 - reach[0], tile.y1 + reach[0]), (tile.x0 - reach[1], tile.x1 + reach[1])
    inside = [(max(a, 0), min(b, n)) for (a, b), n in zip(wanted, size, strict=True)]
    beyond = [(c - a, b - d) for (a, b), (c, d) in zip(wanted, inside, strict=True)]
    (y0, y1), (x0, x1) = inside
    found = rows[:, y0 - top : y1 - top, x0:x1]
    if not any(n for pair in beyond for n in pair):
        return found
    return np.pad(found, ((0, 0), *beyond), mode="reflect")


def place(answer: Answer, tile: Tile, step: int, out: Answer) -> None:
    """Write the wanted pixels of a tile where they belong in a `blank` answer."""
    put(answer, -(-tile.y0 // step), -(-tile.x0 // step), out)
