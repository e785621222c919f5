"""Images in HDF5 files that are none, lead elsewhere, or unpack to more than the memory.

Half of them are opened as images, the others for a map.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from strangers.case import HUGE, SAM, SHAPE, Case
from strangers.edits import beside, nothing, virtual


def _hdf5(edit: Callable[[Any], None], inside: str, folder: Path) -> str:
    with h5py.File(folder / "broken.h5", "w") as file:
        edit(file)
    return f"{folder / 'broken.h5'}{inside}"


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
    virtual("a", (24, 24), (".", "b"))(file)
    virtual("b", (24, 24), (".", "a"))(file)


def _circle_of_files(file: Any) -> None:
    with h5py.File(Path(file.filename).with_name("second.h5"), "w") as other:
        virtual("data", (24, 24), ("broken.h5", "data"))(other)
    virtual("data", (24, 24), ("second.h5", "data"))(file)


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
        "no dataset": (nothing, ""),
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
        "huge, virtual": (virtual("data", (HUGE, HUGE // 4)), "::data"),
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
        "virtual, in a pipe": (virtual("data", SHAPE, ("pipe", "x")), "::data"),
        "virtual, in a device": (virtual("data", SHAPE, ("/dev/zero", "x")), "::data"),
        "virtual, itself": (virtual("data", SHAPE, (".", "data")), "::data"),
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
            partial(beside, partial(_hdf5, *one)),
            name in fine,
        )
        for n, (name, one) in enumerate(made.items())
    ]
