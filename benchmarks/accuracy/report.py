"""The tables of docs/accuracy.md, from the results of one run; the words around them are the page's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.accuracy.trials import NOISES, SIGMAS

Results = dict[str, Any]


def write(results: Results, page: Path) -> None:
    """Replace what stands between the marks of each table on the page."""
    text = page.read_text(encoding="utf-8")
    for name, lines in tables(results).items():
        before, rest = text.split(f"<!-- {name} -->\n", 1)
        _, after = rest.split(f"<!-- /{name} -->", 1)
        text = f"{before}<!-- {name} -->\n" + "\n".join(lines) + f"\n<!-- /{name} -->{after}"
    page.write_text(text, encoding="utf-8")


def tables(results: Results) -> dict[str, list[str]]:
    """Return the lines of each table, by the name of its marks."""
    return {
        "run": [_run(results["run"])],
        "bias": _bias(results["entrants"]),
        "scatter": _scatter(results["entrants"]),
        "sinusoid": _sinusoid(results),
        "speed": _table(
            ["", "pixels a second"],
            [[row["name"], f"{row['pixels_a_second']:,.0f}"] for row in results["speed"]],
        ),
        "motion": _motion(results["motion"]),
        "reliability": _reliability(results["reliability"]),
    }


def _run(run: Results) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items() if number)
    return (
        f"Measured {run['date']} at {run['commit']} in {run['seconds']} s: {run['processor']}, "
        f"{run['cores']} cores, {run['system']}, Python {run['python']}; {versions}."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def _bias(entrants: list[Results]) -> list[str]:
    head = ["", *(f"sigma {sigma} px" for sigma in SIGMAS), "time of a pixel, µs"]
    rows = [
        [
            entrant["name"],
            *(f"{max(map(abs, entrant['bias'][str(sigma)])):.4f}" for sigma in SIGMAS),
            f"{entrant['us_per_px']:.3g}",
        ]
        for entrant in entrants
    ]
    return _table(head, rows)


def _scatter(entrants: list[Results]) -> list[str]:
    head = ["", *(f"noise {100 * noise:g} %" for noise in NOISES)]
    return _table(
        head, [[e["name"], *(f"{value:.2f}" for value in e["scatter"])] for e in entrants]
    )


def _sinusoid(results: Results) -> list[str]:
    if not results["whole"]:
        return ["Not measured in this run: the images are not shipped, and no folder was given."]
    rows = [
        [entrant["name"], f"{entrant['sinusoid']['gain']:.3f}", f"{entrant['sinusoid']['rms']:.4f}"]
        for entrant in results["entrants"]
    ]
    rows += [
        [f"{name}, whole image, margin 10", f"{found['gain']:.3f}", f"{found['rms']:.4f}"]
        for name, found in results["whole"].items()
    ]
    return _table(["", "gain", "rms error of a pixel, px"], rows)


def _motion(rows: list[Results]) -> list[str]:
    return _table(
        ["scene", "start", "within 0.5 px of the truth", "median error, px", "time, of a plain search"],
        [
            [
                row["scene"], row["start"], f"{100 * row['right']:.1f} %", f"{row['median']:.3f}",
                f"{row['times']:.1f}",
            ]
            for row in rows
        ],
    )  # fmt: skip


def _reliability(rows: list[Results]) -> list[str]:
    noises = sorted({row["noise"] for row in rows})
    head = ["method", "shift from", "window", *(f"noise {100 * noise:g} %" for noise in noises)]
    keys = dict.fromkeys((row["method"], row["refine"], row["window"]) for row in rows)
    within = {
        (row["method"], row["refine"], row["window"], row["noise"]): row["within"] for row in rows
    }
    return _table(
        head,
        [
            [key[0], key[1], f"{key[2]} px", *(f"{100 * within[*key, noise]:.0f} %" for noise in noises)]
            for key in keys
        ],
    )  # fmt: skip
