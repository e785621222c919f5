"""Times one call in a process of its own: first call (with compiling), later calls, peak memory.

What is called comes from `cases`; a fresh process keeps one program's memory and pools from the other's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases import CASES, images


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of the first call and of each later one, and peak memory beyond input and output, bytes."""

    first: float
    later: list[float]
    memory: int


def in_own_process(case: int, who: str, side: int, runs: int) -> Timing:
    """Run one side of a case in a fresh process with an empty Numba cache."""
    import os

    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.measure", str(case), who, str(side), str(runs)],
            env={**os.environ, "NUMBA_CACHE_DIR": cache},
            stdout=subprocess.PIPE,
            check=True,
        )
    return Timing(**json.loads(done.stdout.splitlines()[-1]))


def _measure(case: int, who: str, side: int, runs: int) -> Timing:
    row = CASES[case]
    call = row.ours if who == "ours" else row.peer
    reference, sample = images(row.frames, side)
    warnings.simplefilter("ignore")
    small = 4 * (row.window + 40)
    call(reference[:, :small, :small], sample[:, :small, :small])  # imports, outside any timing
    before = _reset_peak()
    times = [_timed(call, reference, sample) for _ in range(runs)]
    return Timing(0.0, times, _status("VmHWM") - before)


def _reset_peak() -> int:
    """Let the peak of resident memory start again from now (Linux); return what is resident, bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> int:
    """Return an entry of this process's status, bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    value = next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(value) * 1024


def _first(case: int, who: str) -> float:
    row = CASES[case]
    small = 4 * (row.window + 40)
    reference, sample = images(row.frames, small)
    warnings.simplefilter("ignore")
    return _timed(row.ours if who == "ours" else row.peer, reference, sample)


def _timed(call: object, *inputs: object) -> float:
    started = time.perf_counter()
    call(*inputs)  # type: ignore[operator]
    return time.perf_counter() - started


if __name__ == "__main__":
    number, name, size, count = sys.argv[1:]
    first = _first(int(number), name)
    timing = _measure(int(number), name, int(size), int(count))
    print(json.dumps({"first": first, "later": timing.later, "memory": timing.memory}))
