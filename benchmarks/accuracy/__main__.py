"""`python -m benchmarks.accuracy [--sinusoid FOLDER]`: measure, and write docs/accuracy.md and its pictures.

DIC Challenge sample 14 is not shipped; its folder is given where it is there.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.accuracy import figures, motion, report, trials
from benchmarks.accuracy.entrants import Entrant, entrants
from benchmarks.machine import machine

_TOP = Path(__file__).parents[2]


def main() -> None:
    """Measure everybody, one after another, and write it down."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy")
    parser.add_argument("--sinusoid", type=Path, help="folder of DIC Challenge sample 14")
    parser.add_argument(
        "--again", action="store_true", help="only write the page, from the last results"
    )
    given = parser.parse_args()
    kept = _TOP / "benchmarks" / "accuracy.json"
    if not given.again:
        kept.write_text(json.dumps(_measured(given.sinusoid), indent=1) + "\n", encoding="utf-8")
    results = json.loads(kept.read_text(encoding="utf-8"))
    report.write(results, _TOP / "docs" / "accuracy.md")
    figures.draw(results, _TOP / "docs" / "pictures")


def _measured(sinusoid: Path | None) -> dict[str, Any]:
    began = time.perf_counter()
    rows = [_of(entrant, sinusoid) for entrant in entrants()]
    settings: dict[str, dict[str, Any]] = {
        "shiftfield, icgn": {"refine": "icgn"},
        "shiftfield, UMPA and icgn": {"refine": "icgn", "method": "umpa"},
    }
    whole = {}
    if sinusoid:
        whole = {name: trials.whole_sinusoid(sinusoid, **more) for name, more in settings.items()}
    print("motion and reliability", flush=True)
    measured = {
        "entrants": rows,
        "whole": whole,
        "speed": trials.speed(),
        "motion": motion.trials(),
        "reliability": trials.reliability(),
    }
    return {"run": machine(time.perf_counter() - began), **measured}


def _of(entrant: Entrant, sinusoid: Path | None) -> dict[str, Any]:
    print(entrant.name, flush=True)
    bias = trials.bias(entrant)
    return {
        "name": entrant.name, "bias": bias["curves"], "us_per_px": bias["us_per_px"],
        "scatter": trials.scatter(entrant),
        "sinusoid": trials.sinusoid(entrant, sinusoid) if sinusoid else None,
    }  # fmt: skip


if __name__ == "__main__":
    main()
