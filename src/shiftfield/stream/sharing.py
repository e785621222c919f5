"""A plan on GPUs, and on CPU and GPUs together: workers that share the strips of an image until none is left.

A device that runs out of memory gets half as many strips at a time; one that fails leaves the rest to the
others, or to the CPU. What the caller should know of that is told in sentences.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from shiftfield.engine import Answer, Stop, Tile, backend
from shiftfield.engine.base import Block, blank, cuts
from shiftfield.engine.device import first_line
from shiftfield.engine.gpu import devices
from shiftfield.engine.gpu.backend import pixels_of
from shiftfield.engine.gpu.device import Device, OutOfDeviceMemoryError
from shiftfield.engine.gpu.worker import Piece, Worker
from shiftfield.stream.bands import LATENCY, Watch, Work, bands, compute, cut, place
from shiftfield.stream.plan import Plan
from shiftfield.stream.strips import Strip, Strips


def run(work: Work, watch: Watch, told: list[str]) -> Answer:
    """Compute a plan for "gpu" or "hybrid"; `told` gets what happened on the way.

    Raises
    ------
    Cancelled
        When the caller's `cancel` says so.
    """
    plan = work.plan
    out = blank(plan.search, plan.output_shape)
    strips, stop = Strips(), Stop()
    team = _Team(plan, strips, out, stop, told)
    watch.step(0)
    try:
        for _, band, tiles in bands([work]):
            strips.add(band, tiles)
            while strips.bands() > 1:
                team.look(watch)
        strips.close()
        while strips.left():
            team.look(watch)
        watch.step(strips.done)
    finally:
        stop.set()
        strips.call_off()
        team.end()
    return out


class _Team:
    """The threads of a run: one for each device, and one for the CPU when it takes part."""

    def __init__(
        self, plan: Plan, strips: Strips, out: Answer, stop: Stop, told: list[str]
    ) -> None:
        self.plan, self.strips, self.out, self.stop, self.told = plan, strips, out, stop, told
        self.failures: list[BaseException] = []
        self._reported = 0
        self._cpu = False
        self._threads: list[threading.Thread] = []
        for device in devices.devices()[0]:
            self._start(_on_device, device)
        if plan.backend == "hybrid":
            self._start_cpu()

    def _start(self, work: object, *args: object) -> None:
        def guarded() -> None:
            try:
                work(self, *args)  # type: ignore[operator]
            except BaseException as error:  # the caller's thread raises it
                self.failures.append(error)

        thread = threading.Thread(target=guarded, name="shiftfield-share", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _start_cpu(self) -> None:
        self._cpu = True
        self._start(_on_cpu)

    def look(self, watch: Watch) -> None:
        """Wait a moment; report what is done, raise what went wrong, and let the CPU finish what devices left."""
        alive = [thread for thread in self._threads if thread.is_alive()]
        if self.failures:
            raise self.failures[0]
        if not alive and self.strips.left() and not self._cpu:
            self._start_cpu()
        if alive:
            alive[0].join(LATENCY)
        if self.strips.done > self._reported:
            self._reported = self.strips.done
            watch.step(self._reported)
        else:
            watch.look()

    def end(self) -> None:
        """Wait for the threads, which were told to stop."""
        for thread in self._threads:
            thread.join(10)

    def deliver(self, strip: Strip, answer: Answer) -> None:
        """Write the answer of a strip, unless another was first."""
        if not self.stop.is_set() and self.strips.finish(strip):
            place(answer, strip.tile, self.plan.search.step, self.out)


def _on_device(team: _Team, device: Device) -> None:
    """Take strips in pieces as large as the device likes, two in work at a time."""
    who = f"{device.name} {id(device)}"
    try:
        _Feeder(team, device, who).run()
    except Exception as error:  # whatever a driver says; the others go on
        team.strips.give_back(who)
        team.told.append(
            f"{device.name} failed ({first_line(error)}); what it had not finished was computed elsewhere."
        )


class _Feeder:
    """One device's share of a run."""

    def __init__(self, team: _Team, device: Device, who: str) -> None:
        self.team, self.device, self.who = team, device, who
        self.worker: Worker | None = None
        self.most = self.at_once = 0
        self.pending: deque[tuple[Piece, list[Strip]]] = deque()

    def run(self) -> None:
        """Work until nothing is left."""
        try:
            while not self.team.stop.is_set():
                taken = self.team.strips.take(self.who, self._most(), wait=not self.pending)
                if taken and not self._begin(taken):
                    continue
                if len(self.pending) >= self.at_once or not taken:
                    if not self.pending:
                        return
                    self._finish()
        finally:
            while self.pending:  # the device still writes into their memory
                self.device.wait(self.pending.popleft()[0].stream)
            if self.worker:
                self.worker.close()

    def _most(self) -> int:
        """Return how many strips to take: no more than a quarter of the rest when the CPU works too."""
        share = (
            -(-self.team.strips.left() // 4) if self.team.plan.backend == "hybrid" else self.most
        )
        return max(1, min(self.most, share) if self.worker else 1)

    def _begin(self, taken: list[Strip]) -> bool:
        """Start a piece; on no memory give it back and ask for half of it next time."""
        plan = self.team.plan
        first, last = taken[0].tile, taken[-1].tile
        where = Tile(first.y0, last.y1, first.x0, first.x1)
        block = pixels_of(cut(plan, taken[0].band, where))
        worker = self._worker(block)
        if not self.most:
            self.most, self.at_once = worker.pieces(where.x0, where.x1)
            if not self.most:
                raise OutOfDeviceMemoryError(
                    "not even one row of tiles fits into what is free or allowed"
                )
            if self.most > 1:
                self.team.strips.give_back(self.who, taken)
                return False
        try:
            self.pending.append((worker.begin(where, block), taken))
        except OutOfDeviceMemoryError:
            self._take_less(len(taken))
            self.team.strips.give_back(self.who, taken)
            return False
        return True

    def _take_less(self, strips: int) -> None:
        """Halve the pieces after one of so many strips did not fit, then have one in work at a time, or raise."""
        wanted = f"{self.device.name} had no memory for"
        if strips > 1:
            self.most = strips // 2
            self.team.told.append(
                f"{wanted} {strips} rows of tiles at a time; it went on with {self.most}."
            )
        elif self.at_once > 1 and self.pending:
            self.at_once = 1
            self.team.told.append(f"{wanted} a second piece beside the first; it went on with one.")
        else:
            raise
        while self.pending:  # what is in work holds the memory
            self._finish()

    def _worker(self, block: Block) -> Worker:
        if self.worker is None:
            plan = self.team.plan
            self.worker = Worker(
                self.device, plan.search, block.reference.dtype, block.raw_reference.dtype,
                self.team.stop, memory=plan.memory, threads=plan.threads,
            )  # fmt: skip
        return self.worker

    def _finish(self) -> None:
        """Wait for the oldest piece and deliver its strips, several at a time."""
        assert self.worker is not None
        piece, strips = self.pending[0]
        out = self.worker.finish(piece)
        self.pending.popleft()
        step, top = self.team.plan.search.step, -(-piece.where.y0 // self.team.plan.search.step)

        def deliver(strip: Strip) -> None:
            rows = slice(-(-strip.tile.y0 // step) - top, -(-strip.tile.y1 // step) - top)
            self.team.deliver(strip, out.rows(rows))

        self.worker.side_by_side(deliver, strips)


def _on_cpu(team: _Team) -> None:
    """Take one strip at a time, from the end, and share its tiles among the cores."""
    plan, engine = team.plan, backend("cpu")
    tile_rows, tile_columns = engine.tile_shape(plan.search)
    with ThreadPoolExecutor(plan.workers, thread_name_prefix="shiftfield") as pool:
        while not team.stop.is_set():
            taken = team.strips.take("cpu", 1, last=True)
            if not taken:
                return
            strip, where = taken[0], taken[0].tile
            tiles = [
                Tile(y0, y1, x0, x1)
                for y0, y1 in cuts(where.y0, where.y1, tile_rows)
                for x0, x1 in cuts(where.x0, where.x1, tile_columns)
            ]
            blocks = [cut(plan, strip.band, tile) for tile in tiles]
            found = pool.map(
                lambda block, tile, stop=strip.stop: compute(plan, engine, block, tile, stop),
                blocks,
                tiles,
            )
            answer = blank(plan.search, _shape(where, plan.search.step))
            for tile, part in zip(tiles, found, strict=True):
                if part is not None:
                    place(part, _within(tile, where, plan.search.step), 1, answer)
            if not strip.stop.is_set():
                team.deliver(strip, answer)


def _shape(where: Tile, step: int) -> tuple[int, int]:
    """Return (rows, columns) of the wanted pixels of a strip."""
    rows, columns = (
        -(-last // step) - -(-first // step)
        for first, last in ((where.y0, where.y1), (where.x0, where.x1))
    )
    return rows, columns


def _within(tile: Tile, where: Tile, step: int) -> Tile:
    """Return where the wanted pixels of a tile lie among those of a strip."""
    y, x = (-(-first // step) for first in (where.y0, where.x0))
    return Tile(*(-(-n // step) - first for n, first in
                  ((tile.y0, y), (tile.y1, y), (tile.x0, x), (tile.x1, x))))  # fmt: skip
