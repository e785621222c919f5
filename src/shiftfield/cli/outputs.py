"""Where commands write: a kind of file that they know, in a folder that is there, and nothing that they read."""

from __future__ import annotations

import argparse
from pathlib import Path

from shiftfield.scans.identity import check_apart

_READ = (
    "reference", "sample", "reference_mask", "sample_mask", "map", "references", "samples", "dark", "flat",
)  # fmt: skip


def check_outputs(given: argparse.Namespace) -> None:
    """Raise a ValueError before any work when a command would write over what it reads, or one file twice."""
    found = vars(given)
    out, kept = found.get("out"), found.get("save_settings")
    read = [one for name in _READ for one in _listed(found.get(name))]
    if out is not None:
        check_apart(out, [*read, *_listed(found.get("settings"))], "--out")
    if kept is not None:
        _check_place(kept, "--save-settings")
        check_apart(kept, read, "--save-settings")
        if out is not None and out.resolve() == kept.resolve():
            raise ValueError(
                f"--out and --save-settings are both {out}; choose another name for one."
            )


def check_out(path: Path, kinds: tuple[str, ...]) -> None:
    """Raise a ValueError before any work when a file of that name will not be written."""
    if path.suffix.lower() not in kinds:
        raise ValueError(f"--out is {path}; its name must end in {' or '.join(kinds)}.")
    _check_place(path, "--out")


def _check_place(path: Path, name: str) -> None:
    if path.is_dir():
        raise ValueError(f"{name} is {path}, which is a folder; it must be a file.")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"{name} is {path}; the folder {path.absolute().parent} does not exist.")


def _listed(given: object) -> list[object]:
    if isinstance(given, list):
        return given
    return [] if given is None else [given]
