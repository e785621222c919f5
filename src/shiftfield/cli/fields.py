"""`shiftfield local` and `shiftfield umpa`: the dense shift field of two images or stacks, into a file."""

from __future__ import annotations

import argparse
import json
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
from shiftfield.cli.outputs import check_out
from shiftfield.field import ShiftField
from shiftfield.field.hdf5 import check_ours
from shiftfield.inputs.frames import pair
from shiftfield.search.one_call import find_shift_field
from shiftfield.settings import Settings
from shiftfield.whole import whole

_ADDRESSES = (
    "Files are named by address: scan.h5::/entry/data, scan.zarr::data, stack.tif, a folder of "
    "images, a pattern such as 'raw/frame_*.tif'."
)


def add(commands: Any) -> None:
    """Add both commands."""
    local = commands.add_parser("local", help="dense shifts by Pearson correlation")
    umpa = commands.add_parser(
        "umpa", help="dense shifts and transmission by UMPA, with --dark-field also the dark field"
    )
    for parser, leave_out in ((local, ("method", "weight")), (umpa, ("method", "search"))):
        _add_files(parser)
        add_settings(parser, Settings, leave_out)
        add_thresholds(parser)
    umpa.add_argument("--dark-field", action="store_true", help="fit the dark field too")
    local.set_defaults(run=run)
    umpa.set_defaults(run=run)


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.description = _ADDRESSES
    parser.add_argument("reference", help="address of the reference, (H, W) or (frames, H, W)")
    parser.add_argument("sample", help="address of the sample, of the same shape")
    for name in ("reference", "sample"):
        parser.add_argument(
            f"--{name}-mask", metavar="ADDRESS",
            help=f"address of the weights of the {name}'s pixels, (H, W) or (frames, H, W); 0 takes no part",
        )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write the field (.h5) or a picture of it (.png)"
    )
    add_reports(parser)


def run(given: argparse.Namespace) -> int:
    """Find the field, write it, print its summary."""
    if given.out is not None:
        check_out(given.out, (".h5", ".png"))
        if given.out.suffix.lower() == ".h5":
            check_ours(given.out)
    settings, limits = _settings(given), thresholds_of(given)
    reference, sample = pair(given.reference, given.sample)
    if given.dry_run:
        _print(foreseen(reference, sample, settings), given.json)
        return 0
    bar = Bar()
    try:
        field = find_shift_field(
            given.reference, given.sample, **settings.as_dict(), progress=bar,
            thresholds=limits,
            reference_weights=given.reference_mask, sample_weights=given.sample_mask,
        )  # fmt: skip
    finally:
        bar.close()
    if given.out is not None:
        _write(field, given.out)
    kept = "nothing; --out field.h5 keeps the field" if given.out is None else str(given.out)
    text = f"{field.summary()}\nwritten     {kept}"
    _print(_summary(field, given.out) if given.json else text, given.json)
    return 0


def _settings(given: argparse.Namespace) -> Settings:
    umpa = given.command == "umpa"
    given.method = "umpa_dark" if umpa and given.dark_field else None
    more: dict[str, Any] = {"method": "umpa"} if umpa else {}
    found: Settings = settings_of(given, Settings, **more)
    if (found.method == "pearson") == umpa:
        other = "local" if umpa else "umpa"
        raise ValueError(f"{given.settings} sets method {found.method!r}; use shiftfield {other}.")
    return found


def _write(field: ShiftField, path: Path) -> None:
    if path.suffix.lower() == ".png":
        with whole(path) as part:
            field.picture().save(part)
    else:
        field.save(path)


def _summary(field: ShiftField, out: Path | None) -> dict[str, Any]:
    """Return what a script wants to know."""
    host = field.on_host()
    known = int(np.count_nonzero(host.valid))
    x, y = (float(np.median(s[host.valid])) if known else None for s in (host.x, host.y))
    return {
        "out": None if out is None else str(out), "shape": list(field.shape),
        "image_shape": list(field.image_shape), "frames": field.frames, "seconds": field.seconds,
        "valid": known / max(host.valid.size, 1), "median_x": x, "median_y": y, "unit": "px",
        "settings": field.settings.as_dict(), "version": field.version,
    }  # fmt: skip


def _print(what: str | dict[str, Any], as_json: bool) -> None:
    if isinstance(what, str):
        print(what)
    elif as_json:
        print(json.dumps(what))
    else:
        print(in_words(what))
