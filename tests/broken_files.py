"""Files from strangers: broken on purpose, by NumPy's, h5py's, tifffile's and zarr's own writers and a seed.

Run as a program it opens some of them one after another and tells what came of each, a line of JSON at a
time; who reads those lines knows where a crash or a hang was. What must come of them is the business of
`test_files_from_strangers`.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
import sys
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tifffile
import zarr
from PIL import Image

import shiftfield
from shiftfield._napari.files.reader import get_reader
from shiftfield.field.hdf5 import is_field, load_placement
from shiftfield.scans.result import is_scan
from shiftfield.settings import Settings, Thresholds, parameters
from shiftfield.settings_file import read
from shiftfield.synthetic import speckle

MEMORY = 5 << 30  # bytes of addresses that the program may take
REF = np.round(1000 + 100 * speckle((24, 24), frames=2, seed=1)).astype(np.uint16)
SAM = np.round(1000 + 100 * speckle((24, 24), frames=2, seed=1, shift=(0.3, 0.2))).astype(np.uint16)
CHOSEN: dict[str, Any] = {"window": 3, "margin": 1, "ncore": 1}
HUGE = 1 << 40
MARK = "SHIFTFIELD_RAN"  # set in the environment by a pickle that was run


@dataclass(frozen=True)
class Case:
    """One broken file: what opens it, what makes it in an empty folder, and whether it may turn out whole."""

    name: str
    entry: str
    make: Callable[[Path], str]
    may_open: bool = False


# ---------------------------------------------------------------- what opens a file


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


# ---------------------------------------------------------------- whole files, and ways to break any


@cache
def field() -> shiftfield.ShiftField:
    return shiftfield.find_shift_field(REF, SAM, **CHOSEN, quality=True)


def whole_field(folder: Path) -> str:
    field().save(folder / "broken.h5")
    return str(folder / "broken.h5")


def whole_scan(folder: Path, end: str) -> str:
    out = folder / f"broken{end}"
    shiftfield.find_shift_fields(REF, SAM[None], out=out, **CHOSEN)
    return str(out)


def begun_scan(folder: Path, end: str) -> str:
    """A scan of two projections of which the second has no field."""
    flat = np.stack([SAM, np.full_like(SAM, 7)])
    out = folder / f"broken{end}"
    try:
        shiftfield.find_shift_fields(REF, flat, out=out, **CHOSEN)
    except shiftfield.ScanError:
        return str(out)
    raise AssertionError("a scan of nothing was finished")


def whole_hdf5(folder: Path, **packing: Any) -> str:
    with h5py.File(folder / "broken.h5", "w") as file:
        file.create_dataset("entry/data", data=SAM, **packing)
    return f"{folder / 'broken.h5'}::/entry/data"


def whole_tiff(folder: Path, **packing: Any) -> str:
    tifffile.imwrite(folder / "broken.tif", SAM, photometric="minisblack", **packing)
    return str(folder / "broken.tif")


def whole_npy(folder: Path) -> str:
    np.save(folder / "broken.npy", SAM)
    return str(folder / "broken.npy")


def whole_picture(folder: Path, end: str) -> str:
    image = SAM[0] if end == ".png" else (SAM[0] >> 3).astype(np.uint8)
    Image.fromarray(image).save(folder / f"broken{end}")
    return str(folder / f"broken{end}")


def whole_zarr(folder: Path, zarr_format: int = 3) -> str:
    path = str(folder / "broken.zarr")
    zarr.create_array(path, data=SAM, chunks=(1, 8, 8), zarr_format=zarr_format)  # type: ignore[arg-type]
    return path


def whole_settings(folder: Path) -> str:
    path = folder / "broken.toml"
    path.write_text('window = 9\nmargin = 5\nmethod = "umpa"\nstart = "none"\nquality = true\n')
    return str(path)


Make = Callable[[Path], str]
WHOLE: dict[
    str, tuple[Make, str, tuple[str, ...]]
] = {  # who opens it, and which files of it are broken
    "field": (whole_field, "field", ("broken.h5",)),
    "scan": (partial(whole_scan, end=".h5"), "scan", ("broken.h5",)),
    "scan to go on with": (partial(begun_scan, end=".h5"), "out", ("broken.h5",)),
    "part of a scan": (partial(begun_scan, end=".h5"), "scan", ("broken.h5.parts/000000.h5",)),
    "scan, Zarr": (
        partial(whole_scan, end=".zarr"),
        "scan",
        ("broken.zarr/zarr.json", "broken.zarr/x/zarr.json", "broken.zarr/x/c/0/0/0"),
    ),
    "HDF5": (whole_hdf5, "images", ("broken.h5",)),
    "HDF5, gzip": (
        partial(whole_hdf5, chunks=(1, 8, 8), compression="gzip", shuffle=True, fletcher32=True),
        "images",
        ("broken.h5",),
    ),
    "HDF5, LZF": (partial(whole_hdf5, chunks=(1, 8, 8), compression="lzf"), "map", ("broken.h5",)),
    "TIFF": (whole_tiff, "images", ("broken.tif",)),
    "TIFF, deflated": (partial(whole_tiff, compression="zlib"), "images", ("broken.tif",)),
    "TIFF, tiles": (partial(whole_tiff, tile=(16, 16), bigtiff=True), "mask", ("broken.tif",)),
    "NPY": (whole_npy, "images", ("broken.npy",)),
    "PNG": (partial(whole_picture, end=".png"), "images", ("broken.png",)),
    "BMP": (partial(whole_picture, end=".bmp"), "images", ("broken.bmp",)),
    "GIF": (partial(whole_picture, end=".gif"), "images", ("broken.gif",)),
    "JPEG": (partial(whole_picture, end=".jpg"), "images", ("broken.jpg",)),
    "Zarr": (whole_zarr, "images", ("broken.zarr/zarr.json", "broken.zarr/c/0/0/0")),
    "Zarr 2": (
        partial(whole_zarr, zarr_format=2),
        "images",
        ("broken.zarr/.zarray", "broken.zarr/0.0.0"),
    ),
    "TOML": (whole_settings, "settings", ("broken.toml",)),
}


def _ready(make: Make, folder: Path) -> str:
    """What `make` makes, made once and copied from then on."""
    key = repr(make)
    if key not in _MADE:
        place = Path(tempfile.mkdtemp(dir=folder.parent))
        _MADE[key] = place, make(place)
    place, address = _MADE[key]
    shutil.copytree(place, folder, dirs_exist_ok=True)
    return address.replace(str(place), str(folder))


_MADE: dict[str, tuple[Path, str]] = {}


def _cut(make: Make, file: str, part: float, folder: Path) -> str:
    """A file that ends too soon."""
    address = _ready(make, folder)
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: int(part * len(content))])
    return address


def _flipped(make: Make, file: str, seed: int, folder: Path) -> str:
    """A file with a few wrong bytes, every other time near its beginning."""
    rng = np.random.default_rng(seed)
    address = _ready(make, folder)
    content = bytearray((folder / file).read_bytes())
    reach = min(len(content), 600) if seed % 2 else len(content)
    for at in rng.integers(0, reach, rng.integers(1, 9)):
        content[at] = (
            content[at] ^ (1 << rng.integers(0, 8)) if seed % 3 else rng.choice([0, 127, 255])
        )
    (folder / file).write_bytes(content)
    return address


def _strange(make: Make, file: str, content: bytes, folder: Path) -> str:
    address = _ready(make, folder)
    (folder / file).write_bytes(content)
    return address


def _directory(make: Make, file: str, folder: Path) -> str:
    address = _ready(make, folder)
    (folder / file).unlink()
    (folder / file).mkdir()
    return address


def _pipe(make: Make, file: str, folder: Path) -> str:
    address = _ready(make, folder)
    (folder / file).unlink()
    os.mkfifo(folder / file)
    return address


def _unreadable(make: Make, file: str, folder: Path) -> str:
    address = _ready(make, folder)
    (folder / file).chmod(0)
    return address


def broken_anyhow(cuts: int, flips: int, seed: int) -> list[Case]:
    """Every kind of file broken without knowing what it is."""
    found: list[Case] = []
    for kind, (make, entry, files) in WHOLE.items():
        for file in files:
            end = f"{kind}, {Path(file).name}" if len(files) > 1 else kind
            for n in range(cuts):
                part = n / cuts
                found.append(
                    Case(f"{end}, cut at {part:.2f}", entry, partial(_cut, make, file, part), True)
                )
            found += [
                Case(f"{end}, wrong bytes {n}", entry, partial(_flipped, make, file, n), True)
                for n in range(seed, seed + flips)
            ]
            for name, content in {
                "zeros": bytes(3000),
                "ones": b"\xff" * 3000,
                "words": b"no such thing\n" * 9,
            }.items():
                found.append(
                    Case(f"{end}, {name}", entry, partial(_strange, make, file, content), True)
                )
            found += [
                Case(f"{end}, a folder", entry, partial(_directory, make, file), True),
                Case(f"{end}, a pipe", entry, partial(_pipe, make, file), True),
                Case(f"{end}, not to be read", entry, partial(_unreadable, make, file), True),
            ]
    return found


# ---------------------------------------------------------------- fields


def _edited(make: Make, edit: Callable[[Any], None], folder: Path) -> str:
    """An HDF5 file that was changed by h5py."""
    address = _ready(make, folder)
    with h5py.File(address.partition("::")[0], "r+") as file:
        edit(file)
    return address


def _attribute(name: str, value: Any) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        if value is None:
            del file.attrs[name]
        else:
            file.attrs[name] = value

    return edit


def _setting(name: str, value: Any) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        file.attrs["settings"] = json.dumps(json.loads(file.attrs["settings"]) | {name: value})

    return edit


def _array(name: str, data: Any = None, **more: Any) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        del file[name]
        if data is not None or more:
            file.create_dataset(name, data=data, **more)

    return edit


def _link(name: str, link: Any) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        del file[name]
        file[name] = link

    return edit


def _long_attribute(name: str, size: int) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        file.attrs.create(name, "[" * size)

    return edit


def _virtual(name: str, shape: tuple[int, ...], *sources: tuple[str, str]) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        if name in file:
            del file[name]
        layout = h5py.VirtualLayout(shape, "f4")
        for path, there in sources:
            layout[...] = h5py.VirtualSource(path, there, shape)
        file.create_virtual_dataset(name, layout)

    return edit


def _both(*edits: Callable[[Any], None]) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        for one in edits:
            one(file)

    return edit


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


def _bad_text(name: str) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        del file.attrs[name]
        kind = h5py.h5t.C_S1.copy()
        kind.set_size(4)
        kind.set_cset(h5py.h5t.CSET_UTF8)
        space = h5py.h5s.create(h5py.h5s.SCALAR)
        made = h5py.h5a.create(file.id, name.encode(), kind, space)
        made.write(np.array(b"\xff\xfe\xfd", "S4"), kind)

    return edit


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


SHAPE = (24, 24)
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
        edits |= {f"{name} is {what}": _attribute(name, value) for what, value in NUMBERS.items()}
    edits |= {
        f"image_shape is {value}": _attribute("image_shape", value)
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
            f"{name} is {value}": _setting(name, value)
            for value in (-1, float("nan"), float("inf"), "3", [3], {"a": 1}, "9" * 9999, -1e308)
        }
    edits |= {
        f"{name} is {value!r}": _setting(name, value)
        for name in ("method", "search", "device", "start", "weight", "memory", "uncertainty")
        for value in ("nothing", -7, [], {"a": {}})
    }
    for name in ("format", "version", "settings", "image_shape", "frames", "seconds"):
        edits |= {
            f"no {name}": _attribute(name, None),
            f"{name} not in UTF-8": _bad_text(name),
            f"{name} is empty": _attribute(name, h5py.Empty("f4")),
            f"{name} is an array of texts": _attribute(name, ["a", "b"]),
            f"{name} is a long text": _long_attribute(name, 60_000),
        }
    edits |= {
        "settings nested deep": _attribute("settings", "[" * 30_000 + "]" * 30_000),
        "settings nested deep, an object": _attribute(
            "settings", '{"a":' * 6000 + "1" + "}" * 6000
        ),
        "settings are a list": _attribute("settings", "[1, 2]"),
        "settings are a number": _attribute("settings", "7"),
        "settings are null": _attribute("settings", "null"),
        "settings are cut": _attribute("settings", '{"window": 7'),
        "settings of another program": _attribute(
            "settings", '{"wind": 7, "__class__": "os.system"}'
        ),
        "settings with a long number": _attribute("settings", '{"window": ' + "9" * 9000 + "}"),
        "format of another version": _attribute("format", "shiftfield/2"),
        "format of a scan": _attribute("format", "shiftfield-scan/1"),
        "format with control characters": _attribute("format", "\x1b[2J\n\nshiftfield"),
        "version is a number": _attribute("version", 7),
        "version has lines": _attribute("version", "1\n2\n\x1b[2J"),
        "placement nested deep": _attribute("placement", "[" * 60_000),
        "placement is a number": _attribute("placement", 7),
        "placement is cut": _attribute("placement", '{"scale": '),
    }
    strange: dict[str, Any] = {
        "compound": _array("x", compound),
        "complex": _array("x", f4.astype("c8")),
        "an enum": _enum,
        "opaque": _opaque,
        "a type": _named_type,
        "itself": _circle,
        "texts": _array("x", np.full(SHAPE, b"1.5")),
        "long texts": _array("x", np.full(SHAPE, "1.5", object), dtype=h5py.string_dtype()),
        "references": _array("x", shape=SHAPE, dtype=h5py.ref_dtype),
        "region references": _array("x", shape=SHAPE, dtype=h5py.regionref_dtype),
        "uneven rows": _array("x", shape=SHAPE, dtype=h5py.vlen_dtype("f4")),
        "arrays": _array("x", shape=SHAPE, dtype=np.dtype("(3,)f4")),
        "a group": lambda f: (_array("x")(f), f.create_group("x")),
        "a number": _array("x", 7.0),
        "empty": _array("x", h5py.Empty("f4")),
        "a line": _array("x", f4[0]),
        "a stack": _array("x", np.stack([f4, f4])),
        "of no size": _array("x", f4[:0]),
        "of another size": _array("x", f4[:20]),
        "gone": _array("x"),
        "nowhere": _link("x", h5py.SoftLink("/nothing")),
        "a circle of links": _link("x", h5py.SoftLink("/x")),
        "in another file": _link("x", h5py.ExternalLink("other.h5", "x")),
        "in a file that is gone": _link("x", h5py.ExternalLink("/nowhere/other.h5", "x")),
        "in a pipe": _link("x", h5py.ExternalLink("pipe", "x")),
        "in itself from outside": _link("x", h5py.ExternalLink("broken.h5", "x")),
        "virtual": _virtual("x", SHAPE, ("other.h5", "x")),
        "virtual, in a pipe": _virtual("x", SHAPE, ("pipe", "x")),
        "virtual, itself": _virtual("x", SHAPE, (".", "x")),
        "virtual, huge": _virtual("x", (HUGE, HUGE // 4)),
        "raw elsewhere": _array("x", shape=SHAPE, dtype="f4", external=[("/etc/passwd", 0, 2304)]),
        "raw in a pipe": _array("x", shape=SHAPE, dtype="f4", external=[("pipe", 0, 2304)]),
        "huge": _array("x", shape=(HUGE, HUGE // 4), dtype="f4", chunks=(1024, 1024)),
        "huge, one row": _array("x", shape=(1, 1 << 50), dtype="f4", chunks=(1, 1024)),
        "in a huge chunk": _array(
            "x", shape=(1 << 20, 1 << 20), dtype="f4", chunks=(1 << 15, 1 << 14)
        ),
        "growing": _array("x", shape=SHAPE, dtype="f4", chunks=(4, 4), maxshape=(None, None)),
        "times": _array("x", np.zeros(SHAPE, "i8")),
        "quadruple": _array("x", f4.astype(np.longdouble)),
    }
    edits |= {f"x is {name}": edit for name, edit in strange.items()}
    edits |= {
        "all huge": _all_arrays((1 << 20, 1 << 20), chunks=(1024, 1024)),
        "all huge, packed": _all_arrays(
            (1 << 17, 1 << 17), chunks=(4096, 4096), compression="gzip"
        ),
        "valid is gone": _array("valid"),
        "score is gone": _array("score"),
        "valid is a text": _array("valid", np.full(SHAPE, b"yes")),
        "quality is a fraction": _array("quality", np.full(SHAPE, 0.5)),
        "quality is negative": _array("quality", np.full(SHAPE, -5)),
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
            partial(_beside, partial(_edited, whole_field, edit)),
            name in fine,
        )
        for name, edit in edits.items()
    ]


def _ready_field(folder: Path) -> Path:
    path = folder.parent / "field.h5"
    if not path.exists():
        field().save(path)
    return path


def _beside(make: Make, folder: Path) -> str:
    """With another field, and a pipe, in the same folder."""
    shutil.copy(_ready_field(folder), folder / "other.h5")
    os.mkfifo(folder / "pipe")
    return make(folder)


# ---------------------------------------------------------------- images


def _hdf5(edit: Callable[[Any], None], inside: str, folder: Path) -> str:
    with h5py.File(folder / "broken.h5", "w") as file:
        edit(file)
    return f"{folder / 'broken.h5'}{inside}"


def _nothing(_: Any) -> None:
    """Make nothing."""


def _dataset(*args: Any, **kwargs: Any) -> Callable[[Any], None]:
    return lambda file: file.create_dataset("data", *args, **kwargs)


def _deep_groups(file: Any) -> None:
    place = file
    for _ in range(300):
        place = place.create_group("g")
    place["data"] = SAM


def _tangled_groups(file: Any) -> None:
    """Groups that hold each other: without a memory of where it was, a walk never ends."""
    groups = [file.create_group(f"g{n}") for n in range(30)]
    for one in groups:
        for n, other in enumerate(groups):
            one[f"to{n}"] = other


def _many_datasets(file: Any) -> None:
    for n in range(300):
        file.create_dataset(f"a/{'long' * 20}{n}", data=SAM)


def _two_circles(file: Any) -> None:
    _virtual("a", (24, 24), (".", "b"))(file)
    _virtual("b", (24, 24), (".", "a"))(file)


def _circle_of_files(file: Any) -> None:
    with h5py.File(Path(file.filename).with_name("second.h5"), "w") as other:
        _virtual("data", (24, 24), ("broken.h5", "data"))(other)
    _virtual("data", (24, 24), ("second.h5", "data"))(file)


def _no_such_filter(file: Any) -> None:
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_chunk((8, 8))
    made.set_filter(32999, h5py.h5z.FLAG_OPTIONAL, ())
    space = h5py.h5s.create_simple((24, 24))
    kind = h5py.h5t.NATIVE_UINT16
    made = h5py.h5d.create(file.id, b"data", kind, space, made)
    made.write_direct_chunk((0, 0), b"abc")


def _bomb(file: Any) -> None:
    """A chunk of 128 bytes that unpacks to 200 MB."""
    data = file.create_dataset("data", (24, 24), "u2", chunks=(8, 8), compression="gzip")
    data.id.write_direct_chunk((0, 0), zlib.compress(bytes(200_000_000), 9))


def _wrong_chunk(content: bytes) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        data = file.create_dataset("data", (24, 24), "u2", chunks=(8, 8), compression="lzf")
        data.id.write_direct_chunk((0, 0), content)

    return edit


def broken_hdf5() -> list[Case]:
    external = h5py.ExternalLink
    made: dict[str, tuple[Callable[[Any], None], str]] = {
        "no dataset": (_nothing, ""),
        "nothing of that name": (_dataset(data=SAM), "::/nothing"),
        "a strange name": (_dataset(data=SAM), "::/../../data\n\x1b[2J"),
        "a name with a zero": (_dataset(data=SAM), "::da\0ta"),
        "a long name": (_dataset(data=SAM), "::" + "data/" * 20_000),
        "a group": (lambda file: file.create_group("data"), "::data"),
        "the root": (_dataset(data=SAM), "::/"),
        "texts": (_dataset(data=np.full((24, 24), b"ab")), "::data"),
        "complex": (_dataset(data=SAM.astype("c16")), "::data"),
        "compound": (_dataset((24, 24), np.dtype([("a", "f4"), ("b", "S4")])), "::data"),
        "references": (_dataset((24, 24), h5py.ref_dtype), "::data"),
        "uneven rows": (_dataset((24, 24), h5py.vlen_dtype("f4")), "::data"),
        "arrays": (_dataset((24, 24), np.dtype("(3,)f4")), "::data"),
        "an enum": (_dataset((24, 24), h5py.enum_dtype({"A": 0}, "i4")), "::data"),
        "a number": (_dataset(data=7), "::data"),
        "empty": (_dataset(data=h5py.Empty("f4")), "::data"),
        "of no size": (_dataset((0, 24), "u2"), "::data"),
        "five axes": (_dataset((2, 2, 2, 24, 24), "u2"), "::data"),
        "thirty axes": (_dataset((1,) * 30, "u2"), "::data"),
        "huge": (_dataset((HUGE, HUGE // 4), "u2", chunks=(64, 64)), "::data"),
        "huge, frames": (_dataset((1 << 60, 3, 3), "u2", chunks=(1, 3, 3)), "::data"),
        "huge, one row": (_dataset((3, 1 << 58), "u2", chunks=(1, 1 << 10)), "::data"),
        "huge, packed": (
            _dataset((1 << 20, 1 << 20), "u2", chunks=(1024, 1024), compression="gzip"),
            "::data",
        ),
        "in a huge chunk": (
            _dataset((1 << 16, 1 << 16), "u2", chunks=(1 << 15, 1 << 15), compression="gzip"),
            "::data",
        ),
        "huge, virtual": (_virtual("data", (HUGE, HUGE // 4)), "::data"),
        "huge, nothing written": (_dataset((1 << 20, 1 << 20), "u1"), "::data"),
        "a pipe by a link": (
            lambda file: file.__setitem__("data", external("pipe", "x")),
            "::data",
        ),
        "a pipe by two links": (
            lambda file: (
                file.__setitem__("data", external("pipe", "x")),
                file.__setitem__("a", h5py.SoftLink("/data")),
            ),
            "::a",
        ),
        "a pipe in the middle of the way": (
            lambda file: file.__setitem__("entry", external("pipe", "x")),
            "::entry/data",
        ),
        "a link to nothing": (
            lambda file: file.__setitem__("data", external("gone.h5", "x")),
            "::data",
        ),
        "a link to itself": (
            lambda file: file.__setitem__("data", external("broken.h5", "data")),
            "::data",
        ),
        "a link to a folder": (
            lambda file: file.__setitem__("data", external("/etc", "data")),
            "::data",
        ),
        "a link to a device": (
            lambda file: file.__setitem__("data", external("/dev/zero", "data")),
            "::data",
        ),
        "a circle of links": (
            lambda file: file.__setitem__("data", h5py.SoftLink("/data")),
            "::data",
        ),
        "virtual, in a pipe": (_virtual("data", SHAPE, ("pipe", "x")), "::data"),
        "virtual, in a device": (_virtual("data", SHAPE, ("/dev/zero", "x")), "::data"),
        "virtual, itself": (_virtual("data", SHAPE, (".", "data")), "::data"),
        "virtual, two circles": (_two_circles, "::a"),
        "virtual, a circle of files": (_circle_of_files, "::data"),
        "raw in a pipe": (_dataset(SHAPE, "u2", external=[("pipe", 0, 1152)]), "::data"),
        "raw in a device": (_dataset(SHAPE, "u2", external=[("/dev/zero", 0, 1152)]), "::data"),
        "raw elsewhere": (_dataset(SHAPE, "u2", external=[("/etc/passwd", 0, 1152)]), "::data"),
        "raw in a file that is gone": (
            _dataset(SHAPE, "u2", external=[("gone", 0, 1152)]),
            "::data",
        ),
        "no such filter": (_no_such_filter, "::data"),
        "a bomb": (_bomb, "::data"),
        "a chunk of a byte": (_wrong_chunk(b"a"), "::data"),
        "a chunk of something": (_wrong_chunk(b"\xff" * 50), "::data"),
        "a chunk of zeros": (_wrong_chunk(bytes(5000)), "::data"),
        "groups in groups": (_deep_groups, ""),
        "groups that hold each other": (_tangled_groups, ""),
        "many datasets": (_many_datasets, ""),
    }
    fine = {
        "an enum",
        "groups in groups",
        "a bomb",
        "virtual, itself",
        "virtual, two circles",
        "virtual, a circle of files",
        "a chunk of zeros",
    }
    return [
        Case(
            f"HDF5 images, {name}",
            ("images", "map")[n % 2],
            partial(_beside, partial(_hdf5, *one)),
            name in fine,
        )
        for n, (name, one) in enumerate(made.items())
    ]


def _npy_of(header: str, content: bytes, version: int, folder: Path) -> str:
    text = header.encode("latin1" if version < 3 else "utf-8")
    length = struct.pack(
        "<H" if version == 1 else "<I", len(text) % (1 << 16 if version == 1 else 1 << 32)
    )
    (folder / "broken.npy").write_bytes(
        b"\x93NUMPY" + bytes([version, 0]) + length + text + content
    )
    return str(folder / "broken.npy")


class _Runs:
    """What a pickle does when it is opened."""

    def __reduce__(self) -> Any:
        return exec, (f"import os; os.environ[{MARK!r}] = 'yes'",)


def _npy_content(content: bytes, folder: Path) -> str:
    (folder / "broken.npy").write_bytes(content)
    return str(folder / "broken.npy")


def broken_npy() -> list[Case]:
    full = bytes(24 * 24 * 2)
    plain = "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}\n"
    headers: dict[str, tuple[str, bytes]] = {
        "huge": (plain.format("'<u2'", False, (HUGE, HUGE)), full),
        "huge, in columns": (plain.format("'<u2'", True, (HUGE, HUGE)), full),
        "huge, overflowing to nothing": (plain.format("'<u2'", False, (1 << 32, 1 << 32)), full),
        "huge, 5 GB in columns": (plain.format("'<u2'", True, (50_000, 50_000)), full),
        "of negative size": (plain.format("'<u2'", False, (-24, 24)), full),
        "of twice negative size": (plain.format("'<u2'", False, (-24, -24)), full),
        "of no size": (plain.format("'<u2'", False, (0, 24)), full),
        "no axes": (plain.format("'<u2'", False, ()), full),
        "a line": (plain.format("'<u2'", False, (576,)), full),
        "a long line": (plain.format("'<u2'", False, (HUGE,)), full),
        "forty axes": (plain.format("'<u2'", False, (1,) * 40), full),
        "seventy axes": (plain.format("'<u2'", False, (1,) * 70), full),
        "a fraction for a size": (plain.format("'<u2'", False, (24.5, 24)), full),
        "a switch for a size": (plain.format("'<u2'", False, (True, 576)), full),
        "objects": (
            plain.format("'|O'", False, (24, 24)),
            pickle.dumps(np.array([_Runs()], object)),
        ),
        "texts": (plain.format("'<U2'", False, (12, 24)), full * 4),
        "bytes": (plain.format("'|S2'", False, (24, 24)), full),
        "times": (plain.format("'<M8[s]'", False, (12, 12)), full),
        "complex": (plain.format("'<c8'", False, (12, 12)), full),
        "compound": (plain.format("[('a', '<u2'), ('b', '<u2')]", False, (12, 24)), full),
        "arrays": (plain.format("('<u2', (2,))", False, (12, 24)), full),
        "no size of a pixel": (plain.format("'|V0'", False, (24, 24)), full),
        "texts of no size": (plain.format("'<U0'", False, (24, 24)), full),
        "no such type": (plain.format("'<q9'", False, (24, 24)), full),
        "a type that is a number": (plain.format("7", False, (24, 24)), full),
        "a call": (
            "{'descr': __import__('os').system('x'), 'fortran_order': False, 'shape': (24, 24)}\n",
            full,
        ),
        "nested deep": ("(" * 5000 + ")" * 5000 + "\n", full),
        "nested deep, signs": ("-" * 9000 + "1\n", full),
        "no dict": ("[1, 2, 3]\n", full),
        "nothing": ("\n", full),
        "keys missing": ("{'descr': '<u2'}\n", full),
        "a long header": (
            plain.format("'<u2'", False, (24, 24)).strip() + " " * 60_000 + "\n",
            full,
        ),
        "cut short": (plain.format("'<u2'", False, (24, 24)), full[:-1]),
    }
    cases = [
        Case(
            f"NPY, {name}",
            "images",
            partial(_npy_of, header, content, 1 + n % 3),
            name == "a switch for a size",
        )
        for n, (name, (header, content)) in enumerate(headers.items())
    ]
    contents = {
        "a pickle": pickle.dumps(_Runs()),
        "a pickle of an array": pickle.dumps(SAM),
        "version 9": b"\x93NUMPY\x09\x00\x01\x00",
        "an archive": b"PK\x03\x04" + bytes(100),
        "an empty archive": b"PK\x05\x06" + bytes(18),
        "a header of 4 GB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}",
        "a header of nothing": b"\x93NUMPY\x01\x00\x00\x00",
    }
    return cases + [
        Case(f"NPY, {name}", "images", partial(_npy_content, content))
        for name, content in contents.items()
    ]


def _png(
    width: int, height: int, depth: int, colour: int, pixels: bytes, folder: Path, more: bytes = b""
) -> str:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    (folder / "broken.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + more
        + chunk(b"IDAT", zlib.compress(pixels))
        + chunk(b"IEND", b"")
    )
    return str(folder / "broken.png")


def _colours(mode: str, end: str, folder: Path) -> str:
    Image.fromarray((SAM[0] >> 3).astype(np.uint8)).convert(mode).save(folder / f"broken{end}")
    return str(folder / f"broken{end}")


def _film(folder: Path) -> str:
    frames = [Image.fromarray((one >> 3).astype(np.uint8)) for one in (REF[0], SAM[0])]
    frames[0].save(folder / "broken.gif", save_all=True, append_images=frames[1:])
    return str(folder / "broken.gif")


def _pgm(header: bytes, folder: Path) -> str:
    (folder / "broken.pgm").write_bytes(header + bytes(600))
    return str(folder / "broken.pgm")


def _named(name: str, content: bytes, folder: Path) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def broken_pictures() -> list[Case]:
    made: dict[str, Make] = {
        "PNG, huge": partial(_png, 2**31 - 1, 2**31 - 1, 16, 0, bytes(99)),
        "PNG, large": partial(_png, 100_000, 100_000, 8, 0, bytes(99)),
        "PNG, large enough for a warning": partial(_png, 11_000, 11_000, 8, 0, bytes(99)),
        "PNG, of no size": partial(_png, 0, 24, 8, 0, b""),
        "PNG, no such depth": partial(_png, 24, 24, 7, 0, bytes(600)),
        "PNG, no such colours": partial(_png, 24, 24, 8, 5, bytes(600)),
        "PNG, cut short": partial(_png, 24, 24, 8, 0, bytes(99)),
        "PNG, a bomb of text": partial(
            _png,
            24,
            24,
            8,
            0,
            bytes(600),
            more=_text_chunk(zlib.compress(bytes(200_000_000), 9)),
        ),
        "PNG, coloured": partial(_colours, "RGB", ".png"),
        "PNG, with a palette": partial(_colours, "P", ".png"),
        "PNG, with transparency": partial(_colours, "LA", ".png"),
        "JPEG, coloured": partial(_colours, "RGB", ".jpg"),
        "GIF, a film": _film,
        "PGM, huge": partial(_pgm, b"P5 99999999999 99999999999 255\n"),
        "PGM, large": partial(_pgm, b"P5 100000 100000 255\n"),
        "PGM, negative": partial(_pgm, b"P5 -24 24 255\n"),
        "PGM, of no size": partial(_pgm, b"P5 0 0 255\n"),
        "PGM, no such white": partial(_pgm, b"P5 24 24 99999\n"),
        "PGM, no numbers": partial(_pgm, b"P5 a b c\n"),
        "PGM, a long number": partial(_pgm, b"P5 " + b"9" * 9000 + b" 3 255\n"),
        "PGM, no end of a comment": partial(_pgm, b"P5 #" + b"a" * 9000),
        "a postscript program named PNG": partial(
            _named, "broken.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
        ),
        "a TIFF named PNG": partial(_named, "broken.png", b"II*\0\x08\0\0\0\0\0"),
        "no kind": partial(_named, "broken.xyz", b"abc"),
        "no end": partial(_named, "broken", b"abc"),
        "a long number in a name": partial(_folder_of, "9" * 200 + ".npy"),
        "a digit that is no number": partial(_folder_of, "frame_\u00b2.npy"),
    }
    fine = {
        "PNG, with a palette",
        "PNG, a bomb of text",
        "a TIFF named PNG",
        "PNG, large enough for a warning",
        "a long number in a name",
        "a digit that is no number",
    }
    return [Case(name, "images", make, name in fine) for name, make in made.items()]


def _text_chunk(packed: bytes) -> bytes:
    content = b"a\0\0" + packed
    return (
        struct.pack(">I", len(content))
        + b"zTXt"
        + content
        + struct.pack(">I", zlib.crc32(b"zTXt" + content))
    )


def _folder_of(name: str, folder: Path) -> str:
    np.save(folder / name, SAM[0])
    np.save(folder / "frame_1.npy", SAM[0])
    return str(folder)


def _tiff(
    tags: dict[int, tuple[int, int, Any]], data: bytes, folder: Path, following: int = 0
) -> str:
    """A TIFF page of (kind, number, value or bytes) for each tag, pixels at its end."""
    base: dict[int, tuple[int, int, Any]] = {
        256: (4, 1, 24),
        257: (4, 1, 24),
        258: (3, 1, 16),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 1000),
        277: (3, 1, 1),
        278: (4, 1, 24),
        279: (4, 1, 1152),
        339: (3, 1, 1),
    }
    base |= tags
    entries = b""
    for tag, (kind, number, value) in sorted(base.items()):
        packed = value if isinstance(value, bytes) else struct.pack("<I", value)
        entries += struct.pack("<HHI", tag, kind, number) + packed
    page = struct.pack("<H", len(base)) + entries + struct.pack("<I", following)
    (folder / "broken.tif").write_bytes((b"II*\0\x08\0\0\0" + page).ljust(1000, b"\0") + data)
    return str(folder / "broken.tif")


def _ome(width: int, more: str) -> bytes:
    sizes = f'SizeX="{width}" SizeY="24" SizeZ="2" SizeC="1" SizeT="1"'
    pixels = f'<Pixels {sizes} DimensionOrder="XYZCT" Type="uint16">{more}</Pixels>'
    return f'<?xml version="1.0"?><OME><Image>{pixels}</Image></OME>'.encode()


def broken_tiff() -> list[Case]:
    full = bytes(1152)
    big = 2**31 - 1
    deflated = zlib.compress(full)
    packed = {259: (3, 1, 8), 279: (4, 1, len(deflated))}
    tags: dict[str, dict[int, tuple[int, int, Any]]] = {
        "huge": {256: (4, 1, big), 257: (4, 1, big)},
        "huge, packed": {256: (4, 1, big), 257: (4, 1, big), 278: (4, 1, big), **packed},
        "large, packed": {
            256: (4, 1, 200_000),
            257: (4, 1, 200_000),
            278: (4, 1, 200_000),
            **packed,
        },
        "long rows, packed": {256: (4, 1, big), **packed},
        "of no size": {256: (4, 1, 0)},
        "of no size, packed": {257: (4, 1, 0), **packed},
        "no bits": {258: (3, 1, 0)},
        "thirteen bits": {258: (3, 1, 13)},
        "many bits": {258: (3, 1, 60_000)},
        "no such compression": {259: (3, 1, 31337)},
        "JPEG without tables": {259: (3, 1, 7)},
        "LZW of nothing": {259: (3, 1, 5)},
        "packed bits of nothing": {259: (3, 1, 32773)},
        "no such photometry": {262: (3, 1, 9999)},
        "pixels after the end": {273: (4, 1, 2**32 - 9)},
        "pixels in the header": {273: (4, 1, 0)},
        "pixels after the end, packed": {273: (4, 1, 2**32 - 9), **packed},
        "colours": {277: (3, 1, 3)},
        "many samples": {277: (3, 1, 65535)},
        "no samples": {277: (3, 1, 0)},
        "no rows in a strip": {278: (4, 1, 0)},
        "many bytes in a strip": {279: (4, 1, 2**32 - 1), 259: (3, 1, 8)},
        "no bytes in a strip": {279: (4, 1, 0), 259: (3, 1, 8)},
        "no such numbers": {339: (3, 1, 99)},
        "complex": {339: (3, 1, 6), 258: (3, 1, 64)},
        "untyped": {339: (3, 1, 4)},
        "many strips": {273: (4, 2**30, 8), 279: (4, 2**30, 8)},
        "tiles of nothing": {322: (4, 1, 0), 323: (4, 1, 0), 324: (4, 1, 1000), 325: (4, 1, 1152)},
        "huge tiles": {
            322: (4, 1, 2**30),
            323: (4, 1, 2**30),
            324: (4, 1, 1000),
            325: (4, 1, len(deflated)),
            259: (3, 1, 8),
        },
        "a predictor": {317: (3, 1, 7), **packed},
        "texts for sizes": {256: (2, 4, b"abcd")},
        "a size that is a fraction": {256: (5, 1, 8)},
        "a long description": {270: (2, 2**31, 8)},
        "volume": {32997: (4, 1, big), **packed},
        "a description of shapes": {270: (2, 3000, 1000)},
    }
    words: dict[str, bytes] = {
        "shape": b'{"shape": [1099511627776, 1099511627776]}',
        "negative shape": b'{"shape": [-1, -24, 24]}',
        "shape of texts": b'{"shape": ["a"]}',
        "nested": b"{" * 5000,
        "ImageJ": b"ImageJ=1.0\nimages=1000000000\nslices=1000000000\n",
        "ImageJ, negative": b"ImageJ=1.0\nimages=-5\nframes=-1\n",
        "OME": _ome(99_999_999, ""),
        "OME, a bomb": b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(
            f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9)
        )
        + b"]><OME>&j;</OME>",
        "OME, a file": _ome(
            24,
            '<TiffData IFD="0"><UUID FileName="../../../etc/passwd">urn:uuid:1</UUID></TiffData>',
        ),
    }
    fine = {
        "no bytes in a strip",
        "huge tiles",
        "many bytes in a strip",
        "no such photometry",
        "colours",
        "pixels in the header",
        "a long description",
        "a description of shapes",
        "volume",
        "untyped",
        "no rows in a strip",
        "no samples",
        "thirteen bits",
        "no such numbers",
        "a predictor",
    }
    cases = [
        Case(
            f"TIFF, {name}",
            "images",
            partial(_tiff, one, deflated if 259 in one else full),
            name in fine,
        )
        for name, one in tags.items()
    ]
    cases += [
        Case(
            f"TIFF, described by {name}",
            "images",
            partial(_tiff, {270: (2, len(text) + 1, 1000 + 1152)}, full + text + b"\0"),
            True,
        )
        for name, text in words.items()
    ]
    contents = {
        "only a header": b"II*\0",
        "no page": b"II*\0\0\0\0\0",
        "a page that follows itself": b"",
        "a page of many tags": b"II*\0\x08\0\0\0\xff\xff" + bytes(100),
        "BigTIFF, no page": b"II+\0\x08\0\0\0" + bytes(8),
        "BigTIFF, many tags": b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" + b"\xff" * 8,
        "a Zeiss file": b"II*\0\x08\0\0\0\0\0" + bytes(50),
    }
    for name, content in contents.items():
        make = partial(_named, "broken.tif", content)
        if not content:
            make = partial(_tiff, {}, full, following=8)
        cases.append(Case(f"TIFF, {name}", "images", make, not content))
    return cases


# ---------------------------------------------------------------- Zarr


def _zarr(edit: Callable[[dict[str, Any]], Any], folder: Path) -> str:
    """An array of Zarr 3 whose description was changed."""
    return _described(partial(whole_zarr), "broken.zarr/zarr.json", edit, folder)


def _zarr2(edit: Callable[[dict[str, Any]], Any], folder: Path) -> str:
    return _described(partial(whole_zarr, zarr_format=2), "broken.zarr/.zarray", edit, folder)


def _described(make: Make, file: str, edit: Callable[[dict[str, Any]], Any], folder: Path) -> str:
    address = _ready(make, folder)
    about = json.loads((folder / file).read_text())
    changed = edit(about)
    text = changed if isinstance(changed, str) else json.dumps(about)
    (folder / file).write_text(text)
    return address


def _chunk(content: bytes, file: str, zarr_format: int, folder: Path) -> str:
    address = whole_zarr(folder, zarr_format)
    (folder / "broken.zarr" / file).write_bytes(content)
    return address


def _pickled(codec: str, folder: Path) -> str:
    """A chunk that runs what it likes when it is unpickled."""
    address = _zarr2(
        lambda about: about.update({"filters": None, "compressor": {"id": codec}}), folder
    )
    for at in (folder / "broken.zarr").glob("*.*.*"):
        at.write_bytes(pickle.dumps(_Runs()))
    return address


def _group(make: Callable[[Any], Any], inside: str, folder: Path) -> str:
    make(zarr.open_group(str(folder / "broken.zarr"), mode="w"))
    return str(folder / "broken.zarr") + inside


def _linked_chunk(folder: Path) -> str:
    address = whole_zarr(folder)
    (folder / "broken.zarr/c/0/0/0").unlink()
    os.mkfifo(folder / "broken.zarr/c/0/0/0")
    return address


def _set(**values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda about: about.update(values)


def _grid(*chunks: Any) -> Any:
    return {"name": "regular", "configuration": {"chunk_shape": list(chunks)}}


def broken_zarr() -> list[Case]:
    third: dict[str, Callable[[dict[str, Any]], Any]] = {
        "huge": _set(shape=[HUGE, HUGE]),
        "huge, frames": _set(shape=[1 << 60, 3, 3]),
        "more than any": _set(shape=[10**30, 24, 24]),
        "huge, one chunk": _set(shape=[1, 1 << 30, 1 << 30], chunk_grid=_grid(1, 1 << 30, 1 << 30)),
        "large, one chunk": _set(
            shape=[1, 100_000, 100_000], chunk_grid=_grid(1, 100_000, 100_000)
        ),
        "small, in a huge chunk": _set(chunk_grid=_grid(1, 1 << 30, 1 << 30)),
        "negative": _set(shape=[2, -24, 24]),
        "of no size": _set(shape=[2, 0, 24]),
        "a fraction": _set(shape=[2, 24.5, 24]),
        "texts for sizes": _set(shape=["2", "24", "24"]),
        "no axes": _set(shape=[]),
        "shape is a number": _set(shape=24),
        "chunks of nothing": _set(chunk_grid=_grid(1, 0, 8)),
        "negative chunks": _set(chunk_grid=_grid(1, -8, 8)),
        "chunks of other axes": _set(chunk_grid=_grid(8, 8)),
        "no such grid": _set(chunk_grid={"name": "no such"}),
        "tiny chunks of much": _set(shape=[1, 1 << 20, 1 << 20], chunk_grid=_grid(1, 1, 1)),
        "no such type": _set(data_type="uint17"),
        "texts": _set(data_type="string", fill_value=""),
        "complex": _set(data_type="complex64", fill_value=[0, 0]),
        "bytes": _set(data_type="variable_length_bytes", fill_value=""),
        "type is a number": _set(data_type=7),
        "no such fill": _set(fill_value="many"),
        "huge fill": _set(fill_value=10**30),
        "no such codec": _set(codecs=[{"name": "no such"}]),
        "a codec of Python": _set(codecs=[{"name": "numcodecs.pickle", "configuration": {}}]),
        "no codecs": _set(codecs=[]),
        "codecs in disorder": lambda about: about["codecs"].reverse(),
        "codecs are a text": _set(codecs="bytes"),
        "shards in shards": lambda about: about.update(codecs=_shards(about["codecs"], 60)),
        "a huge shard": lambda about: about.update(
            codecs=_shards(about["codecs"], 1), chunk_grid=_grid(1, 1 << 20, 1 << 20)
        ),
        "transposed to nowhere": lambda about: about["codecs"].insert(
            0, {"name": "transpose", "configuration": {"order": [7, 8, 9]}}
        ),
        "no such format": _set(zarr_format=9),
        "format is a text": _set(zarr_format="3"),
        "no such node": _set(node_type="thing"),
        "attributes nested deep": lambda about: (
            json.dumps(about)[:-1] + ', "attributes": {"a": ' + "[" * 50_000 + "]" * 50_000 + "}}"
        ),
        "nested deep": lambda _: "[" * 100_000,
        "a list": lambda _: "[1, 2]",
        "null": lambda _: "null",
        "a number": lambda _: "9" * 9000,
        "names of axes": _set(dimension_names=["a"]),
        "no such key encoding": _set(chunk_key_encoding={"name": "no such"}),
        "keys that lead out": _set(
            chunk_key_encoding={"name": "default", "configuration": {"separator": "/../"}}
        ),
        "must understand": _set(extension={"must_understand": True}),
        "storage transformers": _set(storage_transformers=[{"name": "x"}]),
    }
    second: dict[str, Callable[[dict[str, Any]], Any]] = {
        "huge": _set(shape=[HUGE, HUGE, 24]),
        "small, in a huge chunk": _set(chunks=[1, 1 << 30, 1 << 30]),
        "negative": _set(shape=[2, -24, 24]),
        "chunks of nothing": _set(chunks=[0, 8, 8]),
        "objects": _set(dtype="|O", filters=[{"id": "pickle"}]),
        "objects, JSON": _set(dtype="|O", filters=[{"id": "json2"}]),
        "no such type": _set(dtype="<q9"),
        "texts": _set(dtype="<U8"),
        "compound": _set(dtype=[["a", "<u2"], ["b", "<u2"]]),
        "no such order": _set(order="Z"),
        "no such compressor": _set(compressor={"id": "no such"}),
        "compressor is a text": _set(compressor="zlib"),
        "filters are a text": _set(filters="delta"),
        "a filter of Python": _set(filters=[{"id": "pickle"}]),
        "a filter to another type": _set(
            filters=[{"id": "astype", "encode_dtype": "|O", "decode_dtype": "|O"}]
        ),
        "no such separator": _set(dimension_separator="/../../"),
        "no such fill": _set(fill_value="many"),
        "times": _set(dtype="<M8[s]"),
    }
    fine = {
        "keys that lead out",
        "names of axes",
        "attributes nested deep",
        "must understand",
        "storage transformers",
        "texts for sizes",
        "huge fill",
        "no such order",
        "format is a text",
        "no such separator",
        "codecs are a text",
        "a fraction",
        "no such key encoding",
        "no codecs",
        "shards in shards",
    }
    cases = [
        Case(f"Zarr 3, {name}", "images", partial(_zarr, edit), name in fine)
        for name, edit in third.items()
    ]
    cases += [
        Case(f"Zarr 2, {name}", "images", partial(_zarr2, edit), name in fine)
        for name, edit in second.items()
    ]
    blosc = b"\x02\x01\x33\x02" + struct.pack("<III", 2**31 - 1, 2**31 - 1, 16)
    zstd = b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 1 << 50)
    chunks = {
        "empty": b"",
        "one byte": b"\0",
        "noise": bytes(range(256)),
        "a size of 1 PB": zstd,
        "a bomb": zlib.compress(bytes(100_000_000)),
        "a wrong size": b"\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00\x07",
    }
    cases += [
        Case(
            f"Zarr {n}, a chunk: {name}",
            "images",
            partial(_chunk, content, "0.0.0" if n == 2 else "c/0/0/0", n),
        )
        for name, content in chunks.items()
        for n in (2, 3)
    ]
    cases.append(Case("Zarr 2, a chunk: Blosc's of 2 GB", "images", partial(_blosc, blosc)))
    cases += [
        Case("Zarr 2, pickles", "images", partial(_pickled, "pickle")),
        Case("Zarr 2, JSON for pixels", "images", partial(_pickled, "json2")),
        Case("Zarr, a pipe for a chunk", "images", _linked_chunk),
    ]
    groups: dict[str, tuple[Callable[[Any], Any], str]] = {
        "nothing": (_nothing, ""),
        "nothing of that name": (lambda group: group.create_array("a", data=SAM), "::b"),
        "out of the store": (lambda group: group.create_array("a", data=SAM), "::../../../etc"),
        "an absolute name": (lambda group: group.create_array("a", data=SAM), "::/etc/passwd"),
        "a name with a zero": (lambda group: group.create_array("a", data=SAM), "::a\0b"),
        "a group": (lambda group: group.create_group("a"), "::a"),
        "several": (lambda group: [group.create_array(n, data=SAM) for n in "ab"], ""),
        "texts": (lambda group: group.create_array("a", shape=(24, 24), dtype="U4"), "::a"),
        "an empty name": (lambda group: group.create_array("a", data=SAM), "::/"),
        "a link to itself": (
            lambda group: (Path(str(group.store.root)) / "loop").symlink_to("."),
            "",
        ),
        "a broken member": (
            lambda group: (
                group.create_group("a"),
                (Path(str(group.store.root)) / "a/zarr.json").write_text("{"),
            ),
            "",
        ),
    }
    cases += [
        Case(f"Zarr group, {name}", "images", partial(_group, *one)) for name, one in groups.items()
    ]
    return cases


def _shards(codecs: Any, deep: int) -> Any:
    for _ in range(deep):
        inner = {
            "chunk_shape": [1, 8, 8],
            "codecs": codecs,
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        }
        codecs = [{"name": "sharding_indexed", "configuration": inner}]
    return codecs


def _blosc(content: bytes, folder: Path) -> str:
    edit = _set(
        compressor={"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0}
    )
    address = _zarr2(edit, folder)
    for at in (folder / "broken.zarr").glob("*.*.*"):
        at.write_bytes(content)
    return address


# ---------------------------------------------------------------- scans


def _quantities(value: Any) -> Callable[[Any], None]:
    return _attribute("quantities", value if isinstance(value, str) else json.dumps(value))


def _zarr_scan(edit: Callable[[dict[str, Any]], Any], file: str, folder: Path) -> str:
    return _described(partial(whole_scan, end=".zarr"), f"broken.zarr/{file}", edit, folder)


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
        f"{name} is {what}": _attribute(name, value)
        for name in names
        for what, value in values.items()
    }
    edits |= {f"no {name}": _attribute(name, None) for name in (*names, "complete")}
    edits |= {f"{name} not in UTF-8": _bad_text(name) for name in names}
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
        "shape is another": _attribute("shape", [20, 24]),
        "shape is huge": _attribute("shape", [HUGE, HUGE]),
        "image_shape is another": _attribute("image_shape", [99, 99]),
        "shape is (0, 0)": _attribute("shape", [0, 0]),
        "projections are more": _attribute("projections", 2),
        "window is -1": _setting("window", -1),
        "step is NaN": _setting("step", float("nan")),
        "step is 2": _setting("step", 2),
        "settings hold a list": _setting("margin", []),
        "x is gone": _array("x"),
        "x is of another size": _array("x", np.zeros((1, 9, 9), "f4")),
        "x is huge": _array("x", shape=(1, HUGE, HUGE // 4), dtype="f4", chunks=(1, 64, 64)),
        "x is texts": _array("x", np.full((1, 24, 24), b"1.5")),
        "x is complex": _array("x", np.zeros((1, 24, 24), "c8")),
        "x is compound": _array("x", np.zeros((1, 24, 24), [("a", "f4"), ("b", "f4")])),
        "x is flat": _array("x", np.zeros((24, 24), "f4")),
        "x is elsewhere": _link("x", h5py.ExternalLink("other.h5", "x")),
        "x is in a pipe": _link("x", h5py.ExternalLink("pipe", "x")),
        "x is virtual": _virtual("x", (1, 24, 24), ("other.h5", "x")),
        "x is virtual, in a pipe": _virtual("x", (1, 24, 24), ("pipe", "x")),
        "x is raw elsewhere": _array(
            "x", shape=(1, 24, 24), dtype="f4", external=[("/etc/passwd", 0, 2304)]
        ),
        "x is a group": lambda file: (_array("x")(file), file.create_group("x")),
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
        Case(f"scan, {name}", "scan", partial(_beside, partial(_edited, make, edit)), name in fine)
        for name, edit in edits.items()
    ]
    cases += [
        Case(
            f"scan to go on with, {name}",
            "out",
            partial(_beside, partial(_edited, make, edit)),
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
        "x is huge": (_set(shape=[1, HUGE, HUGE]), "x/zarr.json"),
        "done is huge": (_set(shape=[HUGE]), "done/zarr.json"),
        "done is short": (_set(shape=[0]), "done/zarr.json"),
        "done is flat": (_set(shape=[1, 1], chunk_grid=_grid(1, 1)), "done/zarr.json"),
        "x is negative": (_set(shape=[1, -24, 24]), "x/zarr.json"),
        "x is of another size": (_set(shape=[1, 9, 9]), "x/zarr.json"),
        "x is of bytes": (_set(data_type="int8", fill_value=0), "x/zarr.json"),
        "attributes are a list": (_set(attributes=[]), "zarr.json"),
        "an array": (_set(node_type="array"), "zarr.json"),
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


# ---------------------------------------------------------------- settings


def _toml(content: bytes, folder: Path) -> str:
    (folder / "broken.toml").write_bytes(content)
    return str(folder / "broken.toml")


def broken_settings() -> list[Case]:
    texts: dict[str, bytes] = {
        "an array nested deep": b"window = " + b"[" * 5000 + b"]" * 5000,
        "a table nested deep": b"window = " + b"{a=" * 5000 + b"1" + b"}" * 5000,
        "a dotted name": b"a" + b".a" * 250_000 + b" = 1\n",
        "dotted names": b"\n".join(b"a." * 300 + b"b%d = 1" % n for n in range(900)),
        "a dotted table": b"[a" + b".a" * 200_000 + b"]\n",
        "many tables": b"".join(b"[[a]]\n" for _ in range(100_000)),
        "many names": b"\n".join(b"n%d = 1" % n for n in range(60_000)),
        "a long number": b"window = " + b"9" * 9000,
        "a long fraction": b"coverage = 0." + b"9" * 9000,
        "a long text": b'method = "' + b"a" * 900_000 + b'"',
        "a long name": b"a" * 900_000 + b" = 1",
        "too long": b"# " + b"a" * 2_000_000,
        "control characters": b'method = "\\u001b[2J\\n"',
        "a name of control characters": b'"\\u001b[2J\\n" = 1',
        "a wrong escape": b'method = "\\q"',
        "half a pair": b'method = "\\ud800"',
        "not UTF-8": b'method = "\xff\xfe"',
        "UTF-16": "window = 9".encode("utf-16"),
        "a zero": b"window = 9\0",
        "a mark": b"\xef\xbb\xbfwindow = 9",
        "twice": b"window = 9\nwindow = 9",
        "no value": b"window =",
        "no name": b"= 9",
        "a date": b"window = 2020-01-01",
        "no such date": b"window = 2020-99-99",
        "a time": b"window = 25:00:00",
        "NaN": b"coverage = nan",
        "inf": b"coverage = inf",
        "inf for a whole": b"window = inf",
        "negative": b"window = -9",
        "zero": b"window = 0",
        "huge": b"window = 99999999999999999999",
        "hexadecimal": b"window = 0xffffffffff",
        "a fraction": b"window = 7.5",
        "a switch": b"window = true",
        "a switch for a text": b"method = true",
        "a number for a switch": b"quality = 1",
        "a list": b"window = [9]",
        "a table": b"[window]\na = 1",
        "tables": b"[[window]]\na = 1",
        "no such method": b'method = "eval(1)"',
        "a path": b'method = "/etc/passwd"',
        "a strange name": b"wind = 9",
        "out": b'out = "../../x.h5"',
        "settings": b'settings = "other.toml"',
        "an import": b'__import__ = "os"',
        "memory is a list": b"memory = [[1]]",
        "memory is a table": b"memory = {a = 1}",
        "memory is negative": b"memory = -5",
        "memory is words": b'memory = "much"',
        "memory is a fraction": b"memory = 0.5",
        "memory is a switch": b"memory = true",
        "1-D with UMPA": b'search = "1d"\nmethod = "umpa"',
        "text that does not end": b'method = """' + b"a\n" * 9000,
        "a comment that does not end": b"#",
        "only spaces": b" " * 100_000,
    }
    fine = {
        "a long fraction",
        "huge",
        "hexadecimal",
        "a comment that does not end",
        "only spaces",
        "memory is words",
        "memory is negative",
        "memory is a fraction",
        "memory is a switch",
    }
    return [
        Case(f"TOML, {name}", "settings", partial(_toml, text), name in fine)
        for name, text in texts.items()
    ]


def broken_everywhere() -> list[Case]:
    """What is no file at all."""
    strange = {
        "nothing": "",
        "a zero": "bro\0ken.h5",
        "a long name": "a" * 5000 + ".h5",
        "a long pattern": "*" * 3000 + ".tif",
        "half a bracket": "broken[.tif",
        "the terminal": "/dev/tty.h5",
        "nowhere": "/nowhere/at/all/broken.npy",
        "a user who is not": "~nobody-at-all/broken.npy",
        "only an inside": "::data",
        "two insides": "broken.h5::a::b",
        "a folder of nothing": ".",
        "stars": "**/**/**/**.tif",
    }
    return [
        Case(
            f"address, {name} ({entry})",
            entry,
            partial(_at, text),
            entry == "settings" and name == "x",
        )
        for name, text in strange.items()
        for entry in ("images", "field", "scan", "settings")
    ]


def _at(text: str, folder: Path) -> str:
    return (
        text if text.startswith(("/", "~")) or not text or text[:2] == "::" else str(folder / text)
    )


def all_cases(cuts: int = 6, flips: int = 9, seed: int = 0) -> list[Case]:
    """Every case, always the same ones in the same order."""
    return [
        *broken_anyhow(cuts, flips, seed),
        *broken_fields(),
        *broken_hdf5(),
        *broken_npy(),
        *broken_pictures(),
        *broken_tiff(),
        *broken_zarr(),
        *broken_scans(),
        *broken_settings(),
        *broken_everywhere(),
    ]


# ---------------------------------------------------------------- opening them


def outcome(case: Case, folder: Path) -> dict[str, Any]:
    """Make one file, open it, and say what came of it."""
    resource = import_module("resource")  # not on Windows
    folder.mkdir(parents=True)
    address = case.make(folder)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    found: dict[str, Any] = {"type": None, "text": ""}
    try:
        ENTRIES[case.entry](address)
    except BaseException as error:
        found = {
            "type": type(error).__name__,
            "text": str(error),
            "allowed": isinstance(error, OSError | ValueError | shiftfield.ScanError),
        }
    found["seconds"] = time.monotonic() - began
    found["grown"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # kB
    found["ran"] = os.environ.pop(MARK, None) is not None
    precious = folder / "elsewhere/000001.h5"
    found["lost"] = (
        (folder / "elsewhere").exists() and "parts" in case.name and not precious.exists()
    )
    found["left_out"] = (folder / "elsewhere.txt").exists()
    shutil.rmtree(folder)
    return found


def main(folder: Path, numbers: list[int], options: dict[str, int]) -> None:
    resource = import_module("resource")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    field()
    cases = all_cases(**options)
    for number in numbers:
        print(json.dumps({"number": number}), flush=True)
        print(
            json.dumps({"number": number} | outcome(cases[number], folder / str(number))),
            flush=True,
        )


if __name__ == "__main__":
    sys.setrecursionlimit(1000)
    main(Path(sys.argv[1]), json.loads(sys.stdin.readline()), json.loads(sys.argv[2]))
