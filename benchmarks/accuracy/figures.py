"""The pictures of docs/accuracy.md: bias and noise curves, and how far one sigma can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.trials import NOISES, SHIFTS

_COLOURS = (
    "#0b6e99",
    "#083d54",
    "#2fa8d5",
    "#5b8c5a",
    "#c4501b",
    "#e8955f",
    "#8a6fb0",
    "#9a9a9a",
    "#b8a038",
)


def draw(results: dict[str, Any], folder: Path) -> None:
    """Write `accuracy-bias.png`, `accuracy-noise.png` and `accuracy-sigma.png` into a folder."""
    _bias(results["entrants"], folder / "accuracy-bias.png")
    _noise(results["entrants"], folder / "accuracy-noise.png")
    _sigma(results["reliability"], folder / "accuracy-sigma.png")


def _sheet(columns: int) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * columns + 2.4, 4.2), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, columns, sharey=True))
    for one in axes:
        one.grid(color="#dddddd", linewidth=0.8)
        one.set_axisbelow(True)
        for side in ("top", "right"):
            one.spines[side].set_visible(False)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _bias(entrants: list[dict[str, Any]], path: Path) -> None:
    figure, axes = _sheet(2)
    for one, sigma in zip(axes, ("1.0", "1.5"), strict=True):
        for entrant, colour in zip(entrants, _COLOURS, strict=False):
            curve = entrant["bias"][sigma]
            if max(map(abs, curve)) < 0.2:  # whole pixels and tenths would hide the others
                one.plot(SHIFTS, curve, color=colour, label=entrant["name"], linewidth=1.6)
        one.set_title(f"speckle sigma {sigma} px", fontsize=10)
        one.set_xlabel("true shift, px")
    axes[0].set_ylabel("median error, px")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    _save(figure, path)


def _noise(entrants: list[dict[str, Any]], path: Path) -> None:
    figure, (axes,) = _sheet(1)
    for entrant, colour in zip(entrants, _COLOURS, strict=False):
        axes.plot(
            [100 * noise for noise in NOISES], entrant["scatter"], "o-", color=colour, label=entrant["name"],
            markersize=4, linewidth=1.6,
        )  # fmt: skip
    axes.axhline(1, color="black", linewidth=1, linestyle="--", label="bound of Cramér and Rao")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([100 * noise for noise in NOISES], [f"{100 * noise:g}" for noise in NOISES])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("noise, % of the mean (contrast 15 %)")
    axes.set_ylabel("rms error over the bound")
    figure.legend(loc="outside right center", frameon=False)
    _save(figure, path)


def _sigma(rows: list[dict[str, Any]], path: Path) -> None:
    figure, (axes,) = _sheet(1)
    for n, (method, refine) in enumerate(dict.fromkeys((r["method"], r["refine"]) for r in rows)):
        mine = [row for row in rows if (row["method"], row["refine"]) == (method, refine)]
        axes.plot(
            [row["sigma"] for row in mine], [row["rms"] for row in mine], "os^v<>"[n],
            color=_COLOURS[n], label=f"{method}, {refine}", markersize=5,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    ends = min(row["sigma"] for row in rows) * 0.7, max(row["sigma"] for row in rows) * 1.4
    axes.set_xlim(ends)
    axes.set_ylim(ends)
    line = np.geomspace(*ends, 50)
    axes.plot(line, line, color="black", linewidth=1, linestyle="--", label="as stated")
    axes.set_xlabel("one sigma as stated, px (rms)")
    axes.set_ylabel("true error, px (rms)")
    figure.legend(loc="outside right center", frameon=False)
    _save(figure, path)
