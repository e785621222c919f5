"""Changes that h5py makes to a whole file: attributes, settings, arrays, links, and what lies beside it.

Fields, scans and images in HDF5 are broken by them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from strangers.case import Make
from strangers.whole import field, ready


def edited(make: Make, edit: Callable[[Any], None], folder: Path) -> str:
    """An HDF5 file that was changed by h5py."""
    address = ready(make, folder)
    with h5py.File(address.partition("::")[0], "r+") as file:
        edit(file)
    return address


def attribute(name: str, value: Any) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        if value is None:
            del file.attrs[name]
        else:
            file.attrs[name] = value

    return edit


def setting(name: str, value: Any) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        file.attrs["settings"] = json.dumps(json.loads(file.attrs["settings"]) | {name: value})

    return edit


def array(name: str, data: Any = None, **more: Any) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        del file[name]
        if data is not None or more:
            file.create_dataset(name, data=data, **more)

    return edit


def linked(name: str, link: Any) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        del file[name]
        file[name] = link

    return edit


def long_attribute(name: str, size: int) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        file.attrs.create(name, "[" * size)

    return edit


def virtual(name: str, shape: tuple[int, ...], *sources: tuple[str, str]) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        if name in file:
            del file[name]
        layout = h5py.VirtualLayout(shape, "f4")
        for path, there in sources:
            layout[...] = h5py.VirtualSource(path, there, shape)
        file.create_virtual_dataset(name, layout)

    return edit


def bad_text(name: str) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        del file.attrs[name]
        kind = h5py.h5t.C_S1.copy()
        kind.set_size(4)
        kind.set_cset(h5py.h5t.CSET_UTF8)
        space = h5py.h5s.create(h5py.h5s.SCALAR)
        made = h5py.h5a.create(file.id, name.encode(), kind, space)
        made.write(np.array(b"\xff\xfe\xfd", "S4"), kind)

    return edit


def nothing(_: Any) -> None:
    """Make nothing."""


def _ready_field(folder: Path) -> Path:
    path = folder.parent / "field.h5"
    if not path.exists():
        field().save(path)
    return path


def beside(make: Make, folder: Path) -> str:
    """With another field, and a pipe, in the same folder."""
    shutil.copy(_ready_field(folder), folder / "other.h5")
    os.mkfifo(folder / "pipe")
    return make(folder)
