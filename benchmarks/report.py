"""Writes docs/benchmarks.md and the README's table from the figures of one run.

No figure on either page is typed by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_HEAD = """# Benchmarks

Written by `python -m benchmarks` on {date}: {processor}, {cores} cores, Python {python},
NumPy {numpy}, Numba {numba}, against algotom {algotom} in the same run. Window {window} px, margin
{margin} px (441 shifts in 2-D), float32 input, no GPU. Time per pixel with an answer is the median
of several runs without compiling; both programs may use all cores. Ours is given images of {side} x
{side} px; algotom smaller ones (it would take many minutes), so that only times for one pixel are compared.

| work | shiftfield, us/px | algotom, us/px | ratio | whole image, s | first call, s | memory, MB |
|---|---:|---:|---:|---:|---:|---:|
"""

_BEGIN, _END = "<!-- written by python -m benchmarks -->", "<!-- end -->"
_SUMMARY = """Time for one pixel in us, window 7 px, margin 10 px, on {cores} cores ({processor}), {date}, against
algotom {algotom} on the CPU in the same run; how it was measured is said in [benchmarks](docs/benchmarks.md).

| work | shiftfield | algotom | ratio |
|---|---:|---:|---:|
"""

_TAIL = """
The first call compiles the kernels into a cache that later processes read; the column is the time of a
small request in a new process with an empty cache, imports included. Memory is the growth of the process's
peak during the timed runs, beyond the input, the answer included.
The machine is shared with others: only ratios within one run mean something.
"""


def write(results: dict[str, Any], path: Path) -> None:
    """Write the page."""
    rows = results["rows"]
    head = _HEAD.format(
        **results["machine"], **{k: rows[0][k] for k in ("window", "margin", "side")}
    )
    path.write_text(head + "".join(map(_row, rows)) + _TAIL)


def write_summary(results: dict[str, Any], path: Path) -> None:
    """Put the short table between the README's two markers."""
    before, _, rest = path.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    table = _SUMMARY.format(**results["machine"]) + "".join(
        f"| {row['name']} | {row['ours_us_per_px']:.2f} | {row['peer_us_per_px']:.0f} | {row['ratio']:.0f}x |\n"
        for row in results["rows"]
    )
    path.write_text(f"{before}{_BEGIN}\n{table}{_END}{after}")


def _row(row: dict[str, Any]) -> str:
    return (
        f"| {row['name']} | {row['ours_us_per_px']:.2f} | {row['peer_us_per_px']:.0f} | {row['ratio']:.0f}x | "
        f"{row['ours_wall_s']:.2f} | {row['first_call_s']:.1f} | {row['memory_mb']:.0f} |\n"
    )
