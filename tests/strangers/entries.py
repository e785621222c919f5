"""What opens a file: each way by which one comes into the package.

A case names its own of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import shiftfield
from shiftfield._napari.files.reader import get_reader
from shiftfield.field.hdf5 import is_field, load_placement
from shiftfield.scans.result import is_scan
from shiftfield.settings import Settings, Thresholds, parameters
from shiftfield.settings_file import read
from strangers.case import CHOSEN, REF, SAM


def _images(address: str) -> None:
    shiftfield.find_shift_field(address, address, **CHOSEN)


def _map(address: str) -> None:
    shiftfield.generate_correlation_map(address, address)


def _mask(address: str) -> None:
    shiftfield.find_shift_field(REF, SAM, **CHOSEN, sample_weights=address)


def _field(path: str) -> None:
    is_field(path), is_scan(path), get_reader(path)
    field = shiftfield.ShiftField.load(path)
    load_placement(path)
    field.summary(), repr(field), field.to_layers(), field.picture()


def _scan(path: str) -> None:
    is_field(path), is_scan(path), get_reader(path)
    scan = shiftfield.Scan(path)
    repr(scan), len(scan), scan.done, scan.quantities()
    scan[0].summary()
    scan[len(scan) - 1].summary()


def _out(path: str, *, overwrite: bool = False) -> None:
    shiftfield.find_shift_fields(REF, SAM[None], out=path, overwrite=overwrite, **CHOSEN)


def _settings(path: str) -> None:
    known = [*parameters(Settings), *parameters(Thresholds)]
    found = read(Path(path), known)
    Settings(**{name: value for name, value in found.items() if name in parameters(Settings)})


ENTRIES: dict[str, Callable[[str], None]] = {
    "images": _images,
    "map": _map,
    "mask": _mask,
    "field": _field,
    "scan": _scan,
    "out": _out,
    "overwrite": partial(_out, overwrite=True),
    "settings": _settings,
}
