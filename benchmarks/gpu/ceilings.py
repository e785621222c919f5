"""The ceilings of a device, in the same run: multiply-adds, bytes of its memory, bytes to and from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu.clock import Clock, milliseconds
from benchmarks.gpu.rows import Row
from shiftfield.engine.gpu.device import Device

SOURCE = Path(__file__).with_name("ceilings.cu")
_REPEATS, _THREADS, _CHAINS, _RUNS = 4096, 256, 8, 5
_BYTES = 1 << 30  # of a copy


@dataclass(frozen=True, slots=True)
class Ceilings:
    """1e9 multiply-adds, and 1e9 bytes, a second; a byte copied within the device counts twice."""

    multiply_adds: float
    memory: float
    upload: float
    download: float

    def rows(self) -> list[Row]:
        """Return them as rows without goals."""
        units = {"multiply_adds": "1e9/s"}
        return [Row(f"ceiling, {name.replace('_', '-')}", value, units.get(name, "GB/s"))
                for name, value in asdict(self).items()]  # fmt: skip


def measure(cupy: Any, clock: Clock, device: Device) -> Ceilings:
    """Return the ceilings of CuPy's current device, the best of several runs each."""
    kernel = cupy.RawModule(code=SOURCE.read_text(encoding="utf-8")).get_function("multiply_adds")
    blocks = 32 * device.multiprocessors
    out = cupy.empty(blocks * _THREADS, np.float32)
    work = blocks * _THREADS * _REPEATS * _CHAINS
    here = cupy.empty(_BYTES // 4, np.float32)
    there = cupy.empty_like(here)
    pinned = cupy.cuda.alloc_pinned_memory(_BYTES)
    host = np.frombuffer(pinned, np.float32, _BYTES // 4)

    def best(amount: float, run: Any) -> float:
        run()
        return amount / min(milliseconds(clock, device, run) for _ in range(_RUNS)) / 1e6

    return Ceilings(
        best(work, lambda: kernel((blocks,), (_THREADS,), (out, np.int32(_REPEATS)))),
        best(2 * _BYTES, lambda: cupy.copyto(there, here)),
        best(_BYTES, lambda: here.set(host)),
        best(_BYTES, lambda: here.get(out=host)),
    )
