"""`python -m benchmarks`: run the table of comparisons, print it, write JSON and the tables of the docs.

Both programs run in turn, each in processes of its own, on the same machine in the same run.
"""

from __future__ import annotations

import argparse
import json
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cases import CASES, MARGIN, Case
from benchmarks.measure import Timing, in_own_process
from benchmarks.report import write, write_summary
from shiftfield.machine import available_cores


def main() -> None:
    """Run the cases that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="timed runs of ours (default 5)")
    parser.add_argument(
        "--peer-runs", type=int, default=2, help="timed runs of the peer (default 2)"
    )
    parser.add_argument("--only", type=int, nargs="*", help="numbers of cases, from 0")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results.json"))
    parser.add_argument("--report", type=Path, default=Path("docs/benchmarks.md"))
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    options = parser.parse_args()
    chosen = range(len(CASES)) if options.only is None else options.only
    rows = []
    for number in chosen:
        case = CASES[number]
        halves = [
            in_own_process(number, "ours", case.side, options.runs),
            in_own_process(number, "peer", case.peer_side, options.peer_runs),
            in_own_process(number, "ours", case.side, options.runs),
        ]
        rows.append(_row(case, halves))
        print(_line(rows[-1]), flush=True)
    results = {"machine": _machine(), "rows": rows}
    options.json.write_text(json.dumps(results, indent=2) + "\n")
    if options.only is None:
        write(results, options.report)
        write_summary(results, options.readme)


def _row(case: Case, halves: list[Timing]) -> dict[str, Any]:
    before, peer, after = halves
    ours = median(before.later + after.later) / case.pixels(case.side)
    theirs = median(peer.later) / case.pixels(case.peer_side)
    return {
        "name": case.name,
        "frames": case.frames,
        "side": case.side,
        "peer_side": case.peer_side,
        "window": case.window,
        "margin": MARGIN,
        "ours_us_per_px": ours * 1e6,
        "peer_us_per_px": theirs * 1e6,
        "ratio": theirs / ours,
        "ours_wall_s": median(before.later + after.later),
        "first_call_s": median([before.first, after.first]),
        "memory_mb": max(before.memory, after.memory) / 1e6,
        "peer_memory_mb": peer.memory / 1e6,
    }


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['name']:42s} ours {row['ours_us_per_px']:7.3f} us/px  algotom {row['peer_us_per_px']:8.1f} us/px"
        f"  ratio {row['ratio']:7.0f}  first call {row['first_call_s']:5.1f} s  memory {row['memory_mb']:5.0f} MB"
    )


def _machine() -> dict[str, Any]:
    return {
        "date": date.today().isoformat(),
        "processor": _processor(),
        "cores": available_cores(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "numba", "algotom")},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
