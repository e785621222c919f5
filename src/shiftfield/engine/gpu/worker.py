"""One device at work on pieces of a search: memory of a piece in work, copies, kernels, and its answer.

Two pieces may be in work at once, so that copies run beside kernels. What does not fit is halved by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from math import prod
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine.base import MOST_THREADS, Answer, Block, Search, Stop, Tile, cuts
from shiftfield.engine.gpu.device import Device, Sizes
from shiftfield.engine.gpu.layout import layout, turned
from shiftfield.engine.gpu.piece import Images, Launches, Stack, Target

_SHARE = 0.8  # of the free memory
_BUSY = 4  # tiles for each multiprocessor in a piece: more gain nothing
_WORK = 2e11  # products of a piece: a second on a slow device, so that a cancel is heard
_AT_ONCE = 2  # pieces in work: copies of one run beside the kernels of the other
_COPIED_ROWS = 256  # by one thread at a time
_COPIERS = 4  # threads that copy into pinned memory
T = TypeVar("T")
_NAMES = ("reference", "sample", "raw_reference", "raw_sample")


class Piece:
    """Rows of the answer in work: the memory on the device, and the host's ends of the copies."""

    def __init__(
        self, device: Device, tiles: int, scratch: Sizes, inputs: Sizes, images: int, outputs: int
    ) -> None:
        self.tiles, self.outputs = tiles, outputs
        self.inputs = {
            name: (prod(shape), np.dtype(kind)) for name, (shape, kind) in inputs.items()
        }
        sizes: Sizes = {f"in_{name}": ((size,), kind) for name, (size, kind) in self.inputs.items()}
        self.memory = device.allocate(
            {**scratch, **sizes, "out": ((images * outputs,), np.float32)}
        )
        self.staged = {
            name: device.pinned((size,), kind) for name, (size, kind) in self.inputs.items()
        }
        self.out = device.pinned((images * outputs,), np.float32)
        self.lossy = device.pinned((tiles,), np.uint8)
        self.stream = device.stream()
        self.table: NDArray[np.int32] = np.zeros((0, 4), np.int32)
        self.where = Tile(0, 0, 0, 0)
        self.images: Images | None = None
        self.target: Target | None = None

    def holds(self, tiles: int, inputs: Sizes, outputs: int) -> bool:
        """Return whether a piece of this size fits."""
        wanted = {name: (prod(shape), np.dtype(kind)) for name, (shape, kind) in inputs.items()}
        return (
            tiles <= self.tiles
            and outputs <= self.outputs
            and wanted.keys() == self.inputs.keys()
            and all(size <= self.inputs[name][0] for name, (size, _) in wanted.items())
            and all(kind == self.inputs[name][1] for name, (_, kind) in wanted.items())
        )


class Worker:
    """One search on one device; used by one thread at a time.

    Parameters
    ----------
    device : Device
    search : Search, not turned
    pixel, raw : dtypes of the pixels that are compared, and of those before normalisation; of `PIXELS`.
    memory : bytes that all pieces in work may take on the device; None for a share of what is free.
    threads : most threads of a block that searches.
    """

    def __init__(
        self, device: Device, search: Search, pixel: Any, raw: Any, stop: Stop, *,
        memory: int | None = None, threads: int = MOST_THREADS,
    ) -> None:  # fmt: skip
        self.device, self.search, self.stop, self.memory = device, search, stop, memory
        self.pixel, self.raw = np.dtype(pixel), np.dtype(raw)
        self.turned = search.upright
        self.layout, self._double = (
            layout(
                turned(search), self.pixel.name, self.raw.name, device.shared_limit,
                double=double, threads=threads,
            )
            for double in (False, True)
        )  # fmt: skip
        self._idle: list[Piece] = []
        self._copiers = ThreadPoolExecutor(_COPIERS, thread_name_prefix="shiftfield-copy")

    def close(self) -> None:
        """Let go of all memory and threads."""
        self._idle.clear()
        self._copiers.shutdown()

    def pieces(self, x0: int, x1: int) -> tuple[int, int]:
        """Return how many strips of the outputs [x0, x1) make a piece, and how many pieces to have in work.

        (0, 0) when not even one strip fits into what is free or allowed.
        """
        search, height, width = self.search, rows_of_a_strip(self.search), x1 - x0
        tiles = sum(1 for _ in cuts(x0, x1, self.layout.tile[0 if self.turned else 1]))
        budget = int(self.device.free() * _SHARE) if self.memory is None else self.memory
        kinds = self.pixel.itemsize + (self.raw.itemsize if self.raw != self.pixel else 0)
        per_row = 2 * search.frames * (width + 2 * search.edge[1]) * kinds
        per_strip = tiles * self.layout.bytes_of_a_tile() + height * (
            per_row + 4 * search.known * width
        )
        edges = 2 * search.edge[0] * per_row
        at_once = _AT_ONCE if _AT_ONCE * (per_strip + edges) <= budget else 1
        fits = (budget // at_once - edges) // per_strip
        if fits < 1:
            return 0, 0
        enough = -(-_BUSY * self.device.multiprocessors // tiles)
        work = height * width * prod(search.shifts) * (search.frames + 4)
        return max(1, min(fits, enough, int(_WORK // work))), at_once

    def begin(self, where: Tile, block: Block) -> Piece:
        """Copy the pixels of a piece, launch its kernels, and copy its answer back; return without waiting.

        Raises
        ------
        OutOfDeviceMemoryError
            When the piece does not fit.
        """
        stacks = [block.reference, block.sample]
        if block.raw_reference is not block.reference:
            stacks += [block.raw_reference, block.raw_sample]
        table, shape = self._table(where), self._shape(where)
        sizes: Sizes = {
            name: (stack.shape, stack.dtype) for name, stack in zip(_NAMES, stacks, strict=False)
        }
        piece = self._piece(len(table), sizes, prod(shape))
        found = [
            self._upload(piece, name, stack) for name, stack in zip(_NAMES, stacks, strict=False)
        ]
        images = Images(*found, *found) if len(found) == 2 else Images(*found)
        self._launch(
            piece, where, table, images, Target(piece.memory["out"], prod(shape), shape[1])
        )
        self._download(piece)
        return piece

    def compute(self, where: Tile, images: Images, target: Target) -> None:
        """Compute a piece whose frames lie on the device, on the caller's stream; its answer stays there.

        Raises
        ------
        OutOfDeviceMemoryError
            When the piece does not fit.
        """
        table = self._table(where)
        piece = self._piece(len(table), {}, 0)
        piece.stream = self.device.current_stream()
        self._launch(piece, where, table, images, target)
        self.device.wait(piece.stream)
        self._again_in_double(piece)
        self._idle.append(piece)

    def _launch(
        self, piece: Piece, where: Tile, table: NDArray[np.int32], images: Images, target: Target
    ) -> None:
        """Launch the kernels of a piece, and copy back which of its tiles float is too short for."""
        piece.where, piece.table = where, table
        turned = self.turned
        piece.images, piece.target = (
            (images.turned(), target.turned()) if turned else (images, target)
        )
        self.device.upload(table, piece.memory["tiles"], piece.stream)
        launches = Launches(self.device, self.layout, piece.memory, piece.stream)
        launches.run(piece.images, len(table), self._offset(where), piece.target,
                     is_turned=turned, stop=self.stop)  # fmt: skip
        self.device.download(piece.memory["lossy"], piece.lossy[: len(table)], piece.stream)

    def _download(self, piece: Piece) -> None:
        size = self.search.known * prod(self._shape(piece.where))
        self.device.download(piece.memory["out"], piece.out[:size], piece.stream)

    def finish(self, piece: Piece) -> Answer:
        """Wait for a piece; return its wanted pixels, in memory that the next piece may take."""
        self.device.wait(piece.stream)
        shape, known = self._shape(piece.where), self.search.known
        if self._again_in_double(piece):
            self._download(piece)
            self.device.wait(piece.stream)
        self._idle.append(piece)
        return Answer.of(list(piece.out[: known * prod(shape)].reshape(known, *shape)))

    def side_by_side(self, work: Callable[[T], object], things: Iterable[T]) -> None:
        """Do some copying in the threads that copy."""
        list(self._copiers.map(work, things))

    def _again_in_double(self, piece: Piece) -> bool:
        """Search the tiles whose texture float would lose once more, in double; return whether there are any."""
        lossy = np.flatnonzero(piece.lossy[: len(piece.table)])
        if not lossy.size or self.stop.is_set():
            return False
        table, batch = piece.table[lossy], max(1, piece.tiles // 4)
        assert piece.images is not None
        assert piece.target is not None
        for start in range(0, len(table), batch):
            part = np.ascontiguousarray(table[start : start + batch])
            memory = self.device.allocate(self._double.scratch(len(part)))
            self.device.upload(part, memory["tiles"], piece.stream)
            self.device.upload(np.ones(len(part), np.uint8), memory["lossy"], piece.stream)
            launches = Launches(self.device, self._double, memory, piece.stream)
            launches.run(piece.images, len(part), self._offset(piece.where), piece.target,
                         is_turned=self.turned, stop=self.stop)  # fmt: skip
            self.device.wait(piece.stream)
        return True

    def _table(self, where: Tile) -> NDArray[np.int32]:
        """Return the tiles of a piece, in the kernels' orientation."""
        height, width = where.y1 - where.y0, where.x1 - where.x0
        size = (width, height) if self.turned else (height, width)
        return self.layout.table(*size, *self._offset(where))

    def _offset(self, where: Tile) -> tuple[int, int]:
        """Return the first output of a piece in the kernels' orientation."""
        return (where.x0, where.y0) if self.turned else (where.y0, where.x0)

    def _shape(self, where: Tile) -> tuple[int, int]:
        """Return (rows, columns) of the wanted pixels of a piece."""
        step = self.search.step
        rows, columns = (
            len(range(-first % step, last - first, step))
            for first, last in ((where.y0, where.y1), (where.x0, where.x1))
        )
        return rows, columns

    def _piece(self, tiles: int, inputs: Sizes, outputs: int) -> Piece:
        """Return memory for a piece: of one that is done, or new."""
        fitting = [n for n, piece in enumerate(self._idle) if piece.holds(tiles, inputs, outputs)]
        if fitting:
            return self._idle.pop(fitting[0])
        self._idle.clear()  # the only names of these pieces: their memory is free before more is asked for
        return Piece(
            self.device, tiles, self.layout.scratch(tiles), inputs, self.search.known, outputs
        )

    def _upload(self, piece: Piece, name: str, stack: NDArray[Any]) -> Stack:
        """Copy frames to the device by way of pinned memory, several at a time."""
        frames, rows, columns = stack.shape
        staged = piece.staged[name][: stack.size]
        to = staged.reshape(stack.shape)
        parts = [
            (k, slice(first, first + _COPIED_ROWS))
            for k in range(frames)
            for first in range(0, rows, _COPIED_ROWS)
        ]
        self.side_by_side(lambda part: np.copyto(to[part], stack[part]), parts)
        array = piece.memory["in_" + name]
        self.device.upload(staged, array, piece.stream)
        return Stack(array, rows * columns, columns)


def rows_of_a_strip(search: Search) -> int:
    """Return the rows of the answer in one row of tiles; it depends on the search only."""
    tall, wide = layout(turned(search), "float32", "float32", 0).tile
    return wide if search.upright else tall
