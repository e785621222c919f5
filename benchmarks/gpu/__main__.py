"""`python -m benchmarks.gpu`: hold the GPU engine to the CPU's answers and to its goals, on the first device.

Prints a line for each figure, writes JSON with `--json`, and exits with 0 when all agree and all goals are
reached, 1 when not, 2 where there is no GPU. Under five minutes; `--quick` is for a look.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import shiftfield
from benchmarks.gpu import algotom, ceilings, checks, timing
from benchmarks.gpu.cases import AGREED, ALGOTOM, CHECKED, COPIES, SHARE, TIMED
from benchmarks.gpu.clock import DeviceClock
from shiftfield.engine.gpu import devices

Say = Callable[[str], None]
_CROP = 1024  # px; algotom takes some seconds for it, ours must not be all overhead


def main() -> int:
    """Run all on the first device."""
    options = _options()
    found, reason = devices.devices()
    if not found:
        print(f"There is no GPU to measure: {reason}.")
        return 2
    device, cupy = found[0], import_module("cupy")
    started = time.perf_counter()
    side, rounds = (512, 3) if options.quick else (2048, 11)
    with device.here():
        clock = DeviceClock(cupy)
        results = _machine(device.name)
        results["checks"] = checked(side // 4, print)
        top = ceilings.measure(cupy, clock, device.multiprocessors)
        results["ceilings"] = asdict(top)
        print(f"ceilings: {top}")
        timings = [timing.measure(device, clock, case, side, rounds) for case in TIMED]
        results["timings"] = timed(timings, side == 2048, top, print)
        results["algotom"] = [against_algotom(frames, print) for frames in (1, 20)]
    results["seconds"] = time.perf_counter() - started
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"{results['seconds']:.0f} s in all")
    rows = [*results["checks"], *results["timings"], *results["algotom"]]
    return 0 if all(row["reached"] for row in rows) else 1


def checked(side: int, say: Say) -> list[dict[str, Any]]:
    """Compare every case on the GPU, and on GPU and CPU together, with the CPU."""
    rows = []
    for case in CHECKED:
        for found in checks.check(case, side):
            rows.append({**asdict(found), "reached": found.reached})
            say(
                f"{found.name:32s} {found.device:7s} {100 * found.share:8.4f} % within {AGREED:g} "
                f"(goal {100 * SHARE:g} %), the same unknown: {_words(found.same_unknown)}, "
                f"{found.seconds:.3f} s: {_verdict(found.reached)}"
            )
    return rows


def timed(
    timings: list[timing.Timing], full: bool, top: ceilings.Ceilings | None, say: Say
) -> list[dict[str, Any]]:
    """Hold the times to their goals; without the full size there is only the goal for the whole call."""
    rows = []
    for case, found in zip(TIMED, timings, strict=True):
        reached = found.times_the_larger <= COPIES and (found.kernels <= case.goal or not full)
        rate = found.counts.multiply_adds / found.kernels / 1e6
        rows.append({
            **asdict(found), "goal": case.goal, "times_the_larger": found.times_the_larger,
            "multiply_adds_a_second": 1e9 * rate, "reached": reached,
        })  # fmt: skip
        share = f", {100 * rate / top.multiply_adds:.0f} % of the ceiling" if top else ""
        say(
            f"{case.name:40s} {found.side} px: kernels {found.kernels:.2f} ms (goal {case.goal:g}), copies "
            f"{found.copies:.2f} ms, whole call {found.whole:.2f} ms = {found.times_the_larger:.1f}x the larger "
            f"(goal {COPIES:g}); {rate:.0f}e9 multiply-adds/s{share}, {found.counts.instructions:.3g} "
            f"instructions, {found.counts.cache_bytes / found.kernels / 1e6:.0f} GB/s from the caches: "
            f"{_verdict(reached)}"
        )
    return rows


def against_algotom(frames: int, say: Say) -> dict[str, Any]:
    """Compare with algotom's own GPU path."""
    seconds = algotom.compare(frames, _CROP)
    name = f"algotom gpu=True, {frames} frame(s), {_CROP} px"
    if seconds is None:
        say(f"{name:40s} not compared: pip install algotom")
        return {"name": name, "reached": False, "missing": True}
    ratio = seconds[1] / seconds[0]
    say(f"{name:40s} {ratio:.0f}x (goal {ALGOTOM:g}x): {_verdict(ratio >= ALGOTOM)}")
    return {
        "name": name,
        "ours": seconds[0],
        "theirs": seconds[1],
        "ratio": ratio,
        "reached": ratio >= ALGOTOM,
    }


def _machine(device: str) -> dict[str, Any]:
    return {
        "device": device, "date": date.today().isoformat(), "python": platform.python_version(),
        "system": platform.platform(), "shiftfield": shiftfield.__version__,
        "cupy": import_module("cupy").__version__,
    }  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small images: does it run?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    return parser.parse_args()


def _verdict(reached: bool) -> str:
    return "reached" if reached else "NOT REACHED"


def _words(true: bool) -> str:
    return "yes" if true else "NO"


if __name__ == "__main__":
    sys.exit(main())
