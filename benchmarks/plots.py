"""Draws how time grows, from the figures of one run; matplotlib is part of the extra "bench"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_COLOURS = {"shiftfield": ("#0b6e99", "#2fa8d5", "#083d54"), "algotom": ("#c4501b", "#e8955f")}
_MARKS = {"shiftfield": "o", "algotom": "s"}


def draw(growth: list[dict[str, Any]], folder: Path) -> list[str]:
    """Write `benchmark-<varied>.png` for every plot into a folder; return the names."""
    names = []
    for plot in growth:
        name = f"benchmark-{plot['varied']}.png"
        _draw(plot, folder / name)
        names.append(name)
    return names


def _draw(plot: dict[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.add_subplot()
    drawn = dict.fromkeys(_COLOURS, 0)
    places: set[int] = set()
    for line in plot["lines"]:
        program = line["program"]
        shades = _COLOURS[program]
        colour = shades[drawn[program] % len(shades)]
        drawn[program] += 1
        axes.plot(
            line["values"], line["us_per_px"], _MARKS[program] + "-", color=colour,
            label=line["label"], markersize=5, linewidth=1.6,
        )  # fmt: skip
        places.update(line["values"])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(_fixed(sorted(places)))
    axes.xaxis.set_minor_locator(NullLocator())
    plain = FuncFormatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(plot["words"])
    axes.set_ylabel("time of one pixel, µs")
    axes.grid(which="major", color="#d8d8d8", linewidth=0.8)
    axes.grid(which="minor", axis="y", color="#eeeeee", linewidth=0.5)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.legend(loc="outside right center", frameon=False)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _fixed(places: list[int]) -> Any:
    """Return a tick for every place that is not too close to the one before, on a log axis."""
    from matplotlib.ticker import FixedLocator

    kept: list[int] = []
    for place in places:
        if not kept or place >= 1.15 * kept[-1]:
            kept.append(place)
    return FixedLocator(kept)
