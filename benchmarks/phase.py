"""`python -m benchmarks.phase`: errors of the phase, of every method and of algotom's two.

Slopes come from formulas, so that only the integration errs. Prints a table in Markdown; `--write` puts it into
docs/physics.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import shiftfield
from shiftfield.synthetic import PhaseObject, gaussian, lens, sphere

Float = NDArray[np.float64]

_SETUP: dict[str, Any] = {"pixel_size": 1e-6, "distance": 0.5, "energy": 20.0}
_DELTA = 5e-7
_SHAPES = [(200, 200), (150, 270), (271, 150), (256, 512)]
_OBJECTS: dict[str, Callable[[tuple[int, int]], PhaseObject]] = {
    "lens": lambda shape: lens(shape, **_SETUP, delta=_DELTA, radius=1e-4),
    "sphere": lambda shape: sphere(shape, **_SETUP, delta=_DELTA, radius=6e-5),
    "bump": lambda shape: gaussian(shape, **_SETUP, delta=_DELTA, width=2e-5, height=-2e-5),
}
_METHODS = ("scs", "fc", "dct", "least_squares")
_BEGIN, _END = "<!-- phase: written by python -m benchmarks.phase --write -->", "<!-- /phase -->"


def main() -> None:
    """Print the table, and write it into the page when asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.phase")
    parser.add_argument("--write", action="store_true", help="put the table into docs/physics.md")
    written = table()
    print(written)
    if parser.parse_args().write:
        page = Path(__file__).parents[1] / "docs" / "physics.md"
        text = page.read_text(encoding="utf-8")
        before, _, rest = text.partition(_BEGIN)
        page.write_text(
            f"{before}{_BEGIN}\n{written}\n{_END}{rest.partition(_END)[2]}", encoding="utf-8"
        )


def table() -> str:
    """Return the table: a row for each object and shape, rms errors in percent of the rms phase."""
    heads = [f'`"{method}"`' for method in _METHODS] + ["algotom, SCS", "algotom, FC"]
    lines = [f"| object | image, px | {' | '.join(heads)} |", "|---|---|" + "---|" * len(heads)]
    for name, make in _OBJECTS.items():
        for shape in _SHAPES:
            errors = " | ".join(_shown(error) for error in errors_of(make(shape)))
            lines.append(f"| {name} | {shape[0]} x {shape[1]} | {errors} |")
    return "\n".join(lines)


def errors_of(truth: PhaseObject) -> list[float]:
    """Return rms errors, the mean aside, in percent of the rms phase, of our methods and of algotom's."""
    field = shiftfield.ShiftField(
        x=truth.x.astype(np.float32), y=truth.y.astype(np.float32), score=np.ones_like(truth.x, np.float32),
        valid=np.ones(truth.x.shape, dtype=bool), image_shape=(truth.x.shape[0], truth.x.shape[1]),
    )  # fmt: skip
    ours = {method: shiftfield.phase(field, **_SETUP, method=method) for method in _METHODS}
    found = [_error(one.phase, truth.phase) for one in ours.values()]
    slopes = ours["scs"].differential_x, ours["scs"].differential_y
    peer = import_module("algotom.prep.phase")
    for name in ("SCS", "FC"):
        solve = getattr(peer, f"reconstruct_surface_from_gradient_{name}_method")
        surface = solve(*slopes, correct_negative=False)
        # It does not say which sign a surface has; the better one counts.
        found.append(min(_error(surface, truth.phase), _error(-surface, truth.phase)))
    return found


def _error(found: Float, truth: Float) -> float:
    return float(100 * np.std(found - truth) / np.std(truth))


def _shown(error: float) -> str:
    return "< 0.001 %" if error < 0.001 else f"{error:.2g} %"


if __name__ == "__main__":
    main()
