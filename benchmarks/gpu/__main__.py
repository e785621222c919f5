"""`python -m benchmarks.gpu`: hold the GPU engine to the CPU's answers and to its goals, on the first device.

Prints a table in Markdown, row by row, and writes JSON with `--json`, whatever happens on the way. Exits with 0
when all agree and all goals are reached, 1 when not, 2 where there is no GPU. Under five minutes; `--quick` is
for a look.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module
from pathlib import Path

from benchmarks.gpu import algotom, ceilings, checks, timing
from benchmarks.gpu.cases import CHECKED, TIMED
from benchmarks.gpu.clock import DeviceClock
from benchmarks.gpu.rows import HEAD, Row, Table
from benchmarks.machine import machine
from shiftfield.engine.gpu import devices

_FULL = 2048  # px; the goals are for it


def main() -> int:
    """Run all on the first device."""
    options = _options()
    found, reason = devices.devices()
    if not found:
        print(f"There is no GPU to measure: {reason}.")
        return 2
    device, cupy = found[0], import_module("cupy")
    started = time.perf_counter()
    side, rounds = (512, 3) if options.quick else (_FULL, 11)
    about = {**machine(0), "device": device.name, "cupy": cupy.__version__}
    table = Table(about, options.json)
    print("\n".join(f"{key}: {value}" for key, value in about.items()), HEAD, sep="\n\n")
    with device.here():
        clock, top = DeviceClock(cupy), None
        for case in CHECKED:
            with table.part(f"agreement, {case.name}"):
                table.add(checks.check(case, side // 4))
        with table.part("ceilings"):
            top = ceilings.measure(cupy, clock, device)
            table.add(top.rows())
        for timed in TIMED:
            with table.part(timed.name):
                times = timing.measure(device, clock, timed, side, rounds)
                table.add(timing.judged(times, timed.goal if side == _FULL else None, top))
        with table.part("hybrid"):
            table.add(timing.together(TIMED[-1], side, rounds))
        for frames in (1, 20):
            with table.part(f"algotom, {frames} frame(s)"):
                table.add(algotom.compare(frames))
        table.add([Row("the run itself", time.perf_counter() - started, "s", 300)])
    return 0 if table.reached else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small images: does it run?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
