"""Scans that are broken to be opened, to be gone on with, and to be overwritten.

Those that lead out of their folder must leave what lies there alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from strangers.case import HUGE, Case
from strangers.edits import array, attribute, bad_text, beside, edited, linked, setting, virtual
from strangers.whole import begun_scan, whole_field, whole_hdf5, whole_scan, whole_zarr
from strangers.zarrs import described, grid, put


def _quantities(value: Any) -> Callable[[Any], None]:
    return attribute("quantities", value if isinstance(value, str) else json.dumps(value))


def _zarr_scan(edit: Callable[[dict[str, Any]], Any], file: str, folder: Path) -> str:
    return described(partial(whole_scan, end=".zarr"), f"broken.zarr/{file}", edit, folder)


def _scan_attribute(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    def edit(about: dict[str, Any]) -> None:
        if value is None:
            del about["attributes"][name]
        else:
            about["attributes"][name] = value

    return edit


def _linked_parts(folder: Path) -> str:
    """A finished scan, beside a folder of parts that is a link to somebody's numbered files."""
    path = whole_scan(folder, ".h5")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere/000001.h5").write_bytes(b"precious")
    (folder / "broken.h5.parts").symlink_to("elsewhere")
    return path


def _linked_array(folder: Path) -> str:
    """A scan in Zarr, one of whose arrays lies elsewhere."""
    path = begun_scan(folder, ".zarr")
    (folder / "broken.zarr/x").rename(folder / "elsewhere")
    (folder / "broken.zarr/x").symlink_to(folder / "elsewhere")
    return path


def _linked_lock(folder: Path) -> str:
    path = whole_scan(folder, ".h5")
    (folder / ".broken.h5.lock").symlink_to("elsewhere.txt")
    return path


def _linked_store(folder: Path) -> str:
    path = whole_scan(folder, ".zarr")
    (folder / "broken.zarr").rename(folder / "elsewhere")
    (folder / "broken.zarr").symlink_to("elsewhere")
    return path


def broken_scans() -> list[Case]:
    values: dict[str, Any] = {
        "zero": 0,
        "negative": -3,
        "a fraction": 2.5,
        "NaN": float("nan"),
        "inf": float("inf"),
        "a text": "many",
        "huge": 10**15,
        "a list": [1, 2, 3],
        "nested deep": "[" * 20_000,
        "null": "null",
        "a number in a text": "7",
        "a list in a text": "[1]",
    }
    names = (
        "projections",
        "frames",
        "image_shape",
        "shape",
        "quantities",
        "settings",
        "inputs",
        "version",
        "format",
    )
    edits = {
        f"{name} is {what}": attribute(name, value)
        for name in names
        for what, value in values.items()
    }
    edits |= {f"no {name}": attribute(name, None) for name in (*names, "complete")}
    edits |= {f"{name} not in UTF-8": bad_text(name) for name in names}
    edits |= {
        "a quantity that leads out": _quantities({"../../etc/passwd": "float32"}),
        "a quantity of objects": _quantities(
            {"x": "O", "y": "O", "valid": "uint8", "score": "float32"}
        ),
        "a quantity of no type": _quantities({"x": 7}),
        "no quantities": _quantities({}),
        "no x": _quantities({"y": "float32", "valid": "uint8", "score": "float32"}),
        "a strange quantity": _quantities(
            {"x": "float32", "y": "float32", "valid": "uint8", "score": "float32", "z": "float32"}
        ),
        "shape is another": attribute("shape", [20, 24]),
        "shape is huge": attribute("shape", [HUGE, HUGE]),
        "image_shape is another": attribute("image_shape", [99, 99]),
        "shape is (0, 0)": attribute("shape", [0, 0]),
        "projections are more": attribute("projections", 2),
        "window is -1": setting("window", -1),
        "step is NaN": setting("step", float("nan")),
        "step is 2": setting("step", 2),
        "settings hold a list": setting("margin", []),
        "x is gone": array("x"),
        "x is of another size": array("x", np.zeros((1, 9, 9), "f4")),
        "x is huge": array("x", shape=(1, HUGE, HUGE // 4), dtype="f4", chunks=(1, 64, 64)),
        "x is texts": array("x", np.full((1, 24, 24), b"1.5")),
        "x is complex": array("x", np.zeros((1, 24, 24), "c8")),
        "x is compound": array("x", np.zeros((1, 24, 24), [("a", "f4"), ("b", "f4")])),
        "x is flat": array("x", np.zeros((24, 24), "f4")),
        "x is elsewhere": linked("x", h5py.ExternalLink("other.h5", "x")),
        "x is in a pipe": linked("x", h5py.ExternalLink("pipe", "x")),
        "x is virtual": virtual("x", (1, 24, 24), ("other.h5", "x")),
        "x is virtual, in a pipe": virtual("x", (1, 24, 24), ("pipe", "x")),
        "x is raw elsewhere": array(
            "x", shape=(1, 24, 24), dtype="f4", external=[("/etc/passwd", 0, 2304)]
        ),
        "x is a group": lambda file: (array("x")(file), file.create_group("x")),
    }
    fine = {
        "version is negative",
        "frames is huge",
        "version is a list",
        "version is nested deep",
        "version not in UTF-8",
        "version is zero",
        "version is a fraction",
        "version is NaN",
        "version is inf",
        "version is a text",
        "version is huge",
        "version is null",
        "version is a number in a text",
        "version is a list in a text",
    }
    make = partial(whole_scan, end=".h5")
    cases = [
        Case(f"scan, {name}", "scan", partial(beside, partial(edited, make, edit)), name in fine)
        for name, edit in edits.items()
    ]
    cases += [
        Case(
            f"scan to go on with, {name}",
            "out",
            partial(beside, partial(edited, make, edit)),
            True,
        )
        for name, edit in edits.items()
    ]
    zarr_edits: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
        f"{name} is {what}": (_scan_attribute(name, value), "zarr.json")
        for name in ("projections", "shape", "quantities", "settings", "inputs")
        for what, value in {"huge": 10**15, "a text": "many", "null": "null", "gone": None}.items()
    }
    zarr_edits |= {
        "a quantity that leads out": (
            _scan_attribute("quantities", '{"../../x": "float32"}'),
            "zarr.json",
        ),
        "x is huge": (put(shape=[1, HUGE, HUGE]), "x/zarr.json"),
        "done is huge": (put(shape=[HUGE]), "done/zarr.json"),
        "done is short": (put(shape=[0]), "done/zarr.json"),
        "done is flat": (put(shape=[1, 1], chunk_grid=grid(1, 1)), "done/zarr.json"),
        "x is negative": (put(shape=[1, -24, 24]), "x/zarr.json"),
        "x is of another size": (put(shape=[1, 9, 9]), "x/zarr.json"),
        "x is of bytes": (put(data_type="int8", fill_value=0), "x/zarr.json"),
        "attributes are a list": (put(attributes=[]), "zarr.json"),
        "an array": (put(node_type="array"), "zarr.json"),
        "nested deep": (lambda _: "[" * 100_000, "zarr.json"),
        "done is gone": (lambda _: "", "done/zarr.json"),
        "x is gone": (lambda _: "", "x/zarr.json"),
    }
    for entry in ("scan", "out"):
        cases += [
            Case(f"Zarr {entry}, {name}", entry, partial(_zarr_scan, *one), entry == "out")
            for name, one in zarr_edits.items()
        ]
    for entry in ("out", "overwrite"):
        cases += [
            Case(f"{entry}, parts that lead out", entry, _linked_parts, True),
            Case(f"{entry}, an array that leads out", entry, _linked_array, True),
            Case(f"{entry}, a lock that leads out", entry, _linked_lock, True),
            Case(f"{entry}, a store that leads out", entry, _linked_store, True),
            Case(f"{entry}, a field", entry, whole_field),
            Case(f"{entry}, images", entry, lambda folder: whole_hdf5(folder).partition("::")[0]),
            Case(f"{entry}, images, Zarr", entry, whole_zarr),
            Case(
                f"{entry}, a folder",
                entry,
                lambda folder: ((folder / "broken.h5").mkdir(), str(folder / "broken.h5"))[1],
            ),
            Case(
                f"{entry}, a pipe",
                entry,
                lambda folder: (os.mkfifo(folder / "broken.h5"), str(folder / "broken.h5"))[1],
            ),
            Case(
                f"{entry}, a pipe, Zarr",
                entry,
                lambda folder: (os.mkfifo(folder / "broken.zarr"), str(folder / "broken.zarr"))[1],
            ),
        ]
    return cases
