"""Fields of which an attribute, a setting or an array is not what it should be.

All of them are HDF5 files that h5py opens without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import h5py
import numpy as np

from strangers.case import HUGE, SHAPE, Case
from strangers.edits import (
    array,
    attribute,
    bad_text,
    beside,
    edited,
    linked,
    long_attribute,
    setting,
    virtual,
)
from strangers.whole import whole_field


def _enum(file: Any) -> None:
    del file["x"]
    kind = h5py.enum_dtype({"A": 0, "B": 1}, "i4")
    file.create_dataset("x", data=np.zeros((24, 24), "i4"), dtype=kind)


def _opaque(file: Any) -> None:
    del file["x"]
    file.create_dataset("x", data=np.zeros((24, 24), h5py.opaque_dtype("M8[s]")))


def _named_type(file: Any) -> None:
    del file["x"]
    file["x"] = np.dtype("f4")


def _all_arrays(shape: tuple[int, int], **more: Any) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        for name in list(file):
            kind = file[name].dtype
            del file[name]
            file.create_dataset(name, shape, kind, **more)
        file.attrs["image_shape"] = shape

    return edit


def _circle(file: Any) -> None:
    """A group that holds itself in the place of an array."""
    del file["x"]
    file["x"] = file["/"]


NUMBERS: dict[str, Any] = {
    "zero": 0,
    "negative": -3,
    "a fraction": 2.5,
    "NaN": float("nan"),
    "inf": float("inf"),
    "a text": "many",
    "huge": 10**18,
    "an array": np.arange(5),
    "empty": h5py.Empty("f4"),
    "complex": 1 + 2j,
    "bytes": b"\xff\xfe",
}


def broken_fields() -> list[Case]:
    f4 = np.zeros(SHAPE, np.float32)
    compound = np.zeros(SHAPE, [("a", "f4"), ("b", "i4")])
    edits: dict[str, Callable[[Any], None]] = {}
    for name in ("frames", "seconds", "image_shape"):
        edits |= {f"{name} is {what}": attribute(name, value) for what, value in NUMBERS.items()}
    edits |= {
        f"image_shape is {value}": attribute("image_shape", value)
        for value in (
            [24, 25],
            [0, 0],
            [-24, 24],
            [24],
            [24, 24, 1],
            [2**62, 2**62],
            [24.5, 24],
            ["24", "x"],
        )
    }
    for name in ("window", "margin", "step", "coverage", "peak_size", "ncore"):
        edits |= {
            f"{name} is {value}": setting(name, value)
            for value in (-1, float("nan"), float("inf"), "3", [3], {"a": 1}, "9" * 9999, -1e308)
        }
    edits |= {
        f"{name} is {value!r}": setting(name, value)
        for name in ("method", "search", "device", "start", "weight", "memory", "uncertainty")
        for value in ("nothing", -7, [], {"a": {}})
    }
    for name in ("format", "version", "settings", "image_shape", "frames", "seconds"):
        edits |= {
            f"no {name}": attribute(name, None),
            f"{name} not in UTF-8": bad_text(name),
            f"{name} is empty": attribute(name, h5py.Empty("f4")),
            f"{name} is an array of texts": attribute(name, ["a", "b"]),
            f"{name} is a long text": long_attribute(name, 60_000),
        }
    edits |= {
        "settings nested deep": attribute("settings", "[" * 30_000 + "]" * 30_000),
        "settings nested deep, an object": attribute("settings", '{"a":' * 6000 + "1" + "}" * 6000),
        "settings are a list": attribute("settings", "[1, 2]"),
        "settings are a number": attribute("settings", "7"),
        "settings are null": attribute("settings", "null"),
        "settings are cut": attribute("settings", '{"window": 7'),
        "settings of another program": attribute(
            "settings", '{"wind": 7, "__class__": "os.system"}'
        ),
        "settings with a long number": attribute("settings", '{"window": ' + "9" * 9000 + "}"),
        "format of another version": attribute("format", "shiftfield/2"),
        "format of a scan": attribute("format", "shiftfield-scan/1"),
        "format with control characters": attribute("format", "\x1b[2J\n\nshiftfield"),
        "version is a number": attribute("version", 7),
        "version has lines": attribute("version", "1\n2\n\x1b[2J"),
        "placement nested deep": attribute("placement", "[" * 60_000),
        "placement is a number": attribute("placement", 7),
        "placement is cut": attribute("placement", '{"scale": '),
    }
    strange: dict[str, Any] = {
        "compound": array("x", compound),
        "complex": array("x", f4.astype("c8")),
        "an enum": _enum,
        "opaque": _opaque,
        "a type": _named_type,
        "itself": _circle,
        "texts": array("x", np.full(SHAPE, b"1.5")),
        "long texts": array("x", np.full(SHAPE, "1.5", object), dtype=h5py.string_dtype()),
        "references": array("x", shape=SHAPE, dtype=h5py.ref_dtype),
        "region references": array("x", shape=SHAPE, dtype=h5py.regionref_dtype),
        "uneven rows": array("x", shape=SHAPE, dtype=h5py.vlen_dtype("f4")),
        "arrays": array("x", shape=SHAPE, dtype=np.dtype("(3,)f4")),
        "a group": lambda f: (array("x")(f), f.create_group("x")),
        "a number": array("x", 7.0),
        "empty": array("x", h5py.Empty("f4")),
        "a line": array("x", f4[0]),
        "a stack": array("x", np.stack([f4, f4])),
        "of no size": array("x", f4[:0]),
        "of another size": array("x", f4[:20]),
        "gone": array("x"),
        "nowhere": linked("x", h5py.SoftLink("/nothing")),
        "a circle of links": linked("x", h5py.SoftLink("/x")),
        "in another file": linked("x", h5py.ExternalLink("other.h5", "x")),
        "in a file that is gone": linked("x", h5py.ExternalLink("/nowhere/other.h5", "x")),
        "in a pipe": linked("x", h5py.ExternalLink("pipe", "x")),
        "in itself from outside": linked("x", h5py.ExternalLink("broken.h5", "x")),
        "virtual": virtual("x", SHAPE, ("other.h5", "x")),
        "virtual, in a pipe": virtual("x", SHAPE, ("pipe", "x")),
        "virtual, itself": virtual("x", SHAPE, (".", "x")),
        "virtual, huge": virtual("x", (HUGE, HUGE // 4)),
        "raw elsewhere": array("x", shape=SHAPE, dtype="f4", external=[("/etc/passwd", 0, 2304)]),
        "raw in a pipe": array("x", shape=SHAPE, dtype="f4", external=[("pipe", 0, 2304)]),
        "huge": array("x", shape=(HUGE, HUGE // 4), dtype="f4", chunks=(1024, 1024)),
        "huge, one row": array("x", shape=(1, 1 << 50), dtype="f4", chunks=(1, 1024)),
        "in a huge chunk": array(
            "x", shape=(1 << 20, 1 << 20), dtype="f4", chunks=(1 << 15, 1 << 14)
        ),
        "growing": array("x", shape=SHAPE, dtype="f4", chunks=(4, 4), maxshape=(None, None)),
        "times": array("x", np.zeros(SHAPE, "i8")),
        "quadruple": array("x", f4.astype(np.longdouble)),
    }
    edits |= {f"x is {name}": edit for name, edit in strange.items()}
    edits |= {
        "all huge": _all_arrays((1 << 20, 1 << 20), chunks=(1024, 1024)),
        "all huge, packed": _all_arrays(
            (1 << 17, 1 << 17), chunks=(4096, 4096), compression="gzip"
        ),
        "valid is gone": array("valid"),
        "score is gone": array("score"),
        "valid is a text": array("valid", np.full(SHAPE, b"yes")),
        "quality is a fraction": array("quality", np.full(SHAPE, 0.5)),
        "quality is negative": array("quality", np.full(SHAPE, -5)),
        "units not in UTF-8": lambda f: f["x"].attrs.create("units", np.bytes_(b"\xff\xfe")),
    }
    fine = {
        "x is growing",
        "x is times",
        "quality is a fraction",
        "quality is negative",
        "units not in UTF-8",
        "placement is a number",
        "placement is cut",
        "placement nested deep",
        "frames is empty",
        "x is quadruple",
        "x is an enum",
        "version is a long text",
        "version has lines",
        "frames is huge",
        "seconds is zero",
        "seconds is a fraction",
        "seconds is huge",
        "image_shape is [0, 0]",
    }
    return [
        Case(
            f"field, {name}",
            "field",
            partial(beside, partial(edited, whole_field, edit)),
            name in fine,
        )
        for name, edit in edits.items()
    ]
