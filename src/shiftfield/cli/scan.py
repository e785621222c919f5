"""`shiftfield scan`: the shift fields of a series of projections, into a file that can be gone on with."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from shiftfield.cli.bar import Bar
from shiftfield.cli.forecast import foreseen, in_words
from shiftfield.cli.options import (
    add_reports,
    add_settings,
    add_thresholds,
    settings_of,
    thresholds_of,
)
from shiftfield.inputs.frames import Frames
from shiftfield.scans.axes import AXES
from shiftfield.scans.result import Scan
from shiftfield.scans.run import Job, ScanError, find_shift_fields, prepare
from shiftfield.scans.store import check_out
from shiftfield.settings import Settings

_ADDRESSES = (
    "One address for all, or one for each place along the first axis. Stopped at any moment, the same command "
    "goes on where it was."
)


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("scan", help="the fields of a series of projections")
    parser.description = _ADDRESSES
    need = parser.add_argument_group("inputs and output")
    for name, words in (("references", "without the object"), ("samples", "with the object")):
        need.add_argument(
            f"--{name}", nargs="+", required=True, metavar="ADDRESS", help=f"frames {words}"
        )
    need.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="write the fields (.h5, .zarr)"
    )
    need.add_argument(
        "--axes",
        default=" ".join(AXES),
        help="axes of the samples in their order (default: %(default)s)",
    )
    need.add_argument(
        "--reference-axes", metavar="AXES", help="axes of the references (default: the same, without "
        "projection where there is one set for all)",
    )  # fmt: skip
    need.add_argument("--dark", metavar="ADDRESS", help="dark images: without beam")
    need.add_argument(
        "--flat", metavar="ADDRESS", help="flat images: with beam, without diffuser and object"
    )
    need.add_argument(
        "--crop",
        nargs=4,
        type=int,
        metavar=("TOP", "BOTTOM", "LEFT", "RIGHT"),
        help="rows and columns that are used, px",
    )
    need.add_argument("--align", action="store_true", help="take out the drift of each frame first")
    need.add_argument(
        "--overwrite", action="store_true", help="replace the scan that the file holds"
    )
    add_reports(parser)
    add_settings(parser, Settings)
    add_thresholds(parser)
    parser.set_defaults(
        run=run, stopped="Stopped; what is finished is kept, and the same command goes on."
    )


def run(given: argparse.Namespace) -> int:
    """Find the fields, and print what the file holds."""
    settings: Settings = settings_of(given, Settings)
    limits = thresholds_of(given)
    out = check_out(given.out)
    inputs = {
        "axes": given.axes, "reference_axes": given.reference_axes, "dark": given.dark, "flat": given.flat,
        "crop": given.crop, "align": given.align,
    }  # fmt: skip
    references, samples = (
        one[0] if len(one) == 1 else one for one in (given.references, given.samples)
    )
    if given.dry_run:
        job = prepare(references, samples, **inputs, settings=settings)
        done = 0 if given.overwrite or not out.exists() else int(Scan(out).done.sum())
        found = _foreseen(job, done)
        print(json.dumps(found) if given.json else _words(found))
        return 0
    bar = Bar()
    try:
        scan = find_shift_fields(
            references, samples, out=out, **inputs, overwrite=given.overwrite, progress=bar,
            thresholds=limits, **settings.as_dict(),
        )  # fmt: skip
    except ScanError as error:
        print(f"shiftfield: {error}", file=sys.stderr)
        return 1
    finally:
        bar.close()
    print(json.dumps(_summary(scan)) if given.json else scan)
    return 0


def _foreseen(job: Job, done: int) -> dict[str, Any]:
    """Return what is left to do, and about how long it takes."""
    number = len(job.samples)
    sample, reference = (
        Frames(job.correction.of(series[0]), "The first projection")
        for series in (job.samples, job.references)
    )
    left = number - done
    found = foreseen(reference, sample, job.settings)
    return {
        **found, "projections": number, "finished": done,
        "read_bytes": left * sample.nbytes + (1 if job.shared else left) * reference.nbytes,
        "answer_bytes": left * found["answer_bytes"],
        "seconds": left * (found["seconds"] + found["packing_seconds"]),
    }  # fmt: skip


def _words(found: dict[str, Any]) -> str:
    return f"{found['projections']} projections, {found['finished']} finished\n{in_words(found)}"


def _summary(scan: Scan) -> dict[str, Any]:
    """Return what a script wants to know."""
    valid = scan.quantities()["valid"]
    known = [float(np.mean(np.asarray(valid[number]))) for number in range(scan.projections)]
    return {
        "out": str(scan.path), "projections": scan.projections, "shape": list(scan.shape),
        "image_shape": list(scan.image_shape), "frames": scan.frames,
        "valid": float(np.mean(known)), "settings": scan.settings.as_dict(),
    }  # fmt: skip
