"""Zarr arrays and groups whose description, chunks or names are wrong.

Some have pickles for chunks, which must not be run.
"""

from __future__ import annotations

import json
import os
import pickle
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import zarr

from strangers.case import HUGE, SAM, Case, Make
from strangers.edits import nothing
from strangers.pickles import Runs
from strangers.whole import ready, whole_zarr


def _zarr(edit: Callable[[dict[str, Any]], Any], folder: Path) -> str:
    """An array of Zarr 3 whose description was changed."""
    return described(partial(whole_zarr), "broken.zarr/zarr.json", edit, folder)


def _zarr2(edit: Callable[[dict[str, Any]], Any], folder: Path) -> str:
    return described(partial(whole_zarr, zarr_format=2), "broken.zarr/.zarray", edit, folder)


def described(make: Make, file: str, edit: Callable[[dict[str, Any]], Any], folder: Path) -> str:
    address = ready(make, folder)
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
        at.write_bytes(pickle.dumps(Runs()))
    return address


def _group(make: Callable[[Any], Any], inside: str, folder: Path) -> str:
    make(zarr.open_group(str(folder / "broken.zarr"), mode="w"))
    return str(folder / "broken.zarr") + inside


def _linked_chunk(folder: Path) -> str:
    address = whole_zarr(folder)
    (folder / "broken.zarr/c/0/0/0").unlink()
    os.mkfifo(folder / "broken.zarr/c/0/0/0")
    return address


def put(**values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda about: about.update(values)


def grid(*chunks: Any) -> Any:
    return {"name": "regular", "configuration": {"chunk_shape": list(chunks)}}


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
    edit = put(
        compressor={"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0}
    )
    address = _zarr2(edit, folder)
    for at in (folder / "broken.zarr").glob("*.*.*"):
        at.write_bytes(content)
    return address


def broken_zarr() -> list[Case]:
    third: dict[str, Callable[[dict[str, Any]], Any]] = {
        "huge": put(shape=[HUGE, HUGE]),
        "huge, frames": put(shape=[1 << 60, 3, 3]),
        "more than any": put(shape=[10**30, 24, 24]),
        "huge, one chunk": put(shape=[1, 1 << 30, 1 << 30], chunk_grid=grid(1, 1 << 30, 1 << 30)),
        "large, one chunk": put(shape=[1, 100_000, 100_000], chunk_grid=grid(1, 100_000, 100_000)),
        "small, in a huge chunk": put(chunk_grid=grid(1, 1 << 30, 1 << 30)),
        "negative": put(shape=[2, -24, 24]),
        "of no size": put(shape=[2, 0, 24]),
        "a fraction": put(shape=[2, 24.5, 24]),
        "texts for sizes": put(shape=["2", "24", "24"]),
        "no axes": put(shape=[]),
        "shape is a number": put(shape=24),
        "chunks of nothing": put(chunk_grid=grid(1, 0, 8)),
        "negative chunks": put(chunk_grid=grid(1, -8, 8)),
        "chunks of other axes": put(chunk_grid=grid(8, 8)),
        "no such grid": put(chunk_grid={"name": "no such"}),
        "tiny chunks of much": put(shape=[1, 1 << 20, 1 << 20], chunk_grid=grid(1, 1, 1)),
        "no such type": put(data_type="uint17"),
        "texts": put(data_type="string", fill_value=""),
        "complex": put(data_type="complex64", fill_value=[0, 0]),
        "bytes": put(data_type="variable_length_bytes", fill_value=""),
        "type is a number": put(data_type=7),
        "no such fill": put(fill_value="many"),
        "huge fill": put(fill_value=10**30),
        "no such codec": put(codecs=[{"name": "no such"}]),
        "a codec of Python": put(codecs=[{"name": "numcodecs.pickle", "configuration": {}}]),
        "no codecs": put(codecs=[]),
        "codecs in disorder": lambda about: about["codecs"].reverse(),
        "codecs are a text": put(codecs="bytes"),
        "shards in shards": lambda about: about.update(codecs=_shards(about["codecs"], 60)),
        "a huge shard": lambda about: about.update(
            codecs=_shards(about["codecs"], 1), chunk_grid=grid(1, 1 << 20, 1 << 20)
        ),
        "transposed to nowhere": lambda about: about["codecs"].insert(
            0, {"name": "transpose", "configuration": {"order": [7, 8, 9]}}
        ),
        "no such format": put(zarr_format=9),
        "format is a text": put(zarr_format="3"),
        "no such node": put(node_type="thing"),
        "attributes nested deep": lambda about: (
            json.dumps(about)[:-1] + ', "attributes": {"a": ' + "[" * 50_000 + "]" * 50_000 + "}}"
        ),
        "nested deep": lambda _: "[" * 100_000,
        "a list": lambda _: "[1, 2]",
        "null": lambda _: "null",
        "a number": lambda _: "9" * 9000,
        "names of axes": put(dimension_names=["a"]),
        "no such key encoding": put(chunk_key_encoding={"name": "no such"}),
        "keys that lead out": put(
            chunk_key_encoding={"name": "default", "configuration": {"separator": "/../"}}
        ),
        "must understand": put(extension={"must_understand": True}),
        "storage transformers": put(storage_transformers=[{"name": "x"}]),
    }
    second: dict[str, Callable[[dict[str, Any]], Any]] = {
        "huge": put(shape=[HUGE, HUGE, 24]),
        "small, in a huge chunk": put(chunks=[1, 1 << 30, 1 << 30]),
        "negative": put(shape=[2, -24, 24]),
        "chunks of nothing": put(chunks=[0, 8, 8]),
        "objects": put(dtype="|O", filters=[{"id": "pickle"}]),
        "objects, JSON": put(dtype="|O", filters=[{"id": "json2"}]),
        "no such type": put(dtype="<q9"),
        "texts": put(dtype="<U8"),
        "compound": put(dtype=[["a", "<u2"], ["b", "<u2"]]),
        "no such order": put(order="Z"),
        "no such compressor": put(compressor={"id": "no such"}),
        "compressor is a text": put(compressor="zlib"),
        "filters are a text": put(filters="delta"),
        "a filter of Python": put(filters=[{"id": "pickle"}]),
        "a filter to another type": put(
            filters=[{"id": "astype", "encode_dtype": "|O", "decode_dtype": "|O"}]
        ),
        "no such separator": put(dimension_separator="/../../"),
        "no such fill": put(fill_value="many"),
        "times": put(dtype="<M8[s]"),
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
    if tuple(int(n) for n in zarr.__version__.split(".")[:2]) >= (3, 4):
        fine.add("chunks of nothing")  # read as chunks of one, with a warning that says so
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
        "nothing": (nothing, ""),
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
