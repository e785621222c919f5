"""`shiftfield map`, `peak`, `shift` and `global`: a correlation map, its peak, and one shift of a whole image."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from shiftfield.cli.bar import Bar
from shiftfield.cli.options import add_options, add_settings, settings_of
from shiftfield.cli.outputs import check_out
from shiftfield.global_shift import find_global_shift_based_local_shifts
from shiftfield.maps.correlation_map import (
    find_shift_based_correlation_map,
    generate_correlation_map,
)
from shiftfield.peaks.locate import locate_peak
from shiftfield.settings import GlobalSettings, PeakSettings, parameters
from shiftfield.sources import open_images
from shiftfield.whole import whole


def add(commands: Any) -> None:
    """Add the commands."""
    one = commands.add_parser("map", help="correlation map of a template in a larger image")
    one.add_argument("reference", help="address of the larger image")
    one.add_argument("sample", help="address of the template")
    one.add_argument("--out", type=Path, metavar="FILE", required=True, help="write the map (.npy)")
    one.set_defaults(run=_map)

    peak = commands.add_parser("peak", help="the sub-pixel peak of a map, px (x, y)")
    peak.add_argument("map", help="address of the map, (rows, columns)")
    add_settings(peak, PeakSettings)
    peak.set_defaults(run=_peak)

    shift = commands.add_parser("shift", help="one shift of a whole image, by one map of all of it")
    _add_pair(shift)
    add_options(shift, {"margin": parameters(GlobalSettings)["margin"]})
    shift.set_defaults(run=_shift)

    points = commands.add_parser(
        "global", help="one shift of a whole image, by local shifts at points"
    )
    _add_pair(points)
    add_settings(points, GlobalSettings, ("approach",))
    points.set_defaults(run=_points)
    for parser in (one, peak, shift, points):
        parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def _add_pair(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reference", help="address of the reference")
    parser.add_argument("sample", help="address of the sample, of the same shape")


def _map(given: argparse.Namespace) -> int:
    check_out(given.out, (".npy",))
    found = generate_correlation_map(given.reference, given.sample)
    with whole(given.out) as part:
        np.save(part, found)
    words = f"{found.shape[0]} x {found.shape[1]} scores, the highest {np.nanmax(found):.4f}"
    _tell(given, {"out": str(given.out), "shape": list(found.shape)}, words)
    return 0


def _peak(given: argparse.Namespace) -> int:
    s: PeakSettings = settings_of(given, PeakSettings)
    found = locate_peak(
        np.asarray(open_images(given.map)[:]), True, s.method, int(s.dim), s.size, s.extremum == "maximum"
    )  # fmt: skip
    return _tell_pair(given, found)


def _shift(given: argparse.Namespace) -> int:
    margin = GlobalSettings().margin if given.margin is None else given.margin
    return _tell_pair(
        given, find_shift_based_correlation_map(given.reference, given.sample, margin)
    )


def _points(given: argparse.Namespace) -> int:
    s: GlobalSettings = settings_of(given, GlobalSettings)
    bar = Bar()
    try:
        x, y = find_global_shift_based_local_shifts(
            given.reference, given.sample, s.window, s.margin, num_point=s.num_point,
            global_value=s.global_value, progress=bar,
        )  # fmt: skip
    finally:
        bar.close()
    return _tell_pair(given, (float(x), float(y)))


def _tell_pair(given: argparse.Namespace, found: tuple[float, float]) -> int:
    x, y = found
    known = bool(np.isfinite(x) and np.isfinite(y))
    data = {"x": x if known else None, "y": y if known else None, "unit": "px"}
    _tell(given, data, f"x {x:+.4f} px, y {y:+.4f} px")
    return 0 if known else 1


def _tell(given: argparse.Namespace, data: dict[str, Any], words: str) -> None:
    print(json.dumps(data) if given.json else words)
