"""`python -m benchmarks.scans`: memory, bytes read and time of data that is larger than memory, and of scans.

Each figure is of a process of its own. The stacks are written to a temporary folder, those of 1 GB and more of a
scan are generated while they are read. Prints a table in Markdown, writes JSON with `--json`, and with
`--write` the table into docs/scans.md.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

import shiftfield
from benchmarks.gpu.rows import HEAD, Row, Table
from benchmarks.machine import machine
from shiftfield.synthetic import speckle

_MB = 1e6
_MARK = "<!-- written by python -m benchmarks.scans --write -->"
_TILE = 320  # px; larger images repeat one
_CALLS: dict[str, Callable[..., Any]] = {
    "Pearson": lambda r, s, **k: shiftfield.find_local_shifts(r, s, 2, **k),
    "Pearson, 1-D, norm": lambda r, s, **k: shiftfield.find_local_shifts(r, s, 1, **k),
    "Pearson, 1-D, norm_global": lambda r, s, **k: shiftfield.find_local_shifts(
        r, s, 1, norm_global=True, **k
    ),
    "UMPA": lambda r, s, **k: shiftfield.find_local_shifts_umpa(r, s, gpu=False, **k),
    "UMPA with dark field": lambda r, s, **k: shiftfield.find_local_shifts_umpa(
        r, s, gpu=False, dark_signal=True, **k
    ),
}  # fmt: skip


def main() -> int:
    """Run all."""
    options = _options()
    if options.child:
        print(json.dumps(_CHILDREN[options.child[0]](*map(json.loads, options.child[1:]))))
        return 0
    began = time.perf_counter()
    about = machine(0)
    table = Table(about, options.json)
    print("\n".join(f"{key}: {value}" for key, value in about.items()), HEAD, sep="\n\n")
    with tempfile.TemporaryDirectory() as folder:
        with table.part("memory and reads"):
            table.add(_memory(Path(folder), quick=options.quick))
        with table.part("throughput"):
            table.add(_throughput(Path(folder), rounds=1 if options.quick else 3))
        with table.part("growth"):
            table.add(_growth(Path(folder), (0.2, 0.4) if options.quick else (1, 2, 4, 10)))
    table.add([Row("the run itself", time.perf_counter() - began, "s")])
    if options.write:
        _write(table)
    return 0 if table.reached else 1


def _memory(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Peak memory beyond the answer and bytes read, under a budget, of three sizes; all calls at the largest."""
    budget = 600 * _MB
    for side in (640,) if quick else (2880, 4096, 5760):
        paths = [
            _stack(folder / f"{name}.h5", 20, side, shift)
            for name, shift in (("r", 0.0), ("s", 0.6))
        ]
        size = sum(path.stat().st_size for path in paths)
        for name in _CALLS if side == 5760 or quick else ("UMPA",):
            told = _child("one", name, [str(path) for path in paths], int(budget))
            what = f"{name}, {size / 1e9:.2g} GB of HDF5 under 600 MB"
            taken = f"{told['seconds']:.3g} s"
            yield Row(f"{what}: peak beyond the answer", told["peak"] / _MB, "MB", 600, note=taken)
            copied = told["again"] / size
            note = f"besides {copied:.2g} times from a temporary file" if copied else ""
            yield Row(f"{what}: read", told["read"] / size, "times", 1.3, note=note)
            if name == "UMPA":
                foreseen = told["foreseen"] / told["seconds"]
                yield Row(
                    f"{what}: --dry-run's time / the real one",
                    foreseen,
                    "x",
                    2,
                    note="and at least 0.5",
                )
                yield Row(f"{what}: the same", foreseen, "x", 0.5, at_least=True)
        for path in paths:
            path.unlink()


def _throughput(folder: Path, rounds: int) -> Iterator[Row]:
    """A scan from a file into a file against the same searches of arrays in memory."""
    path = _scan(folder / "scan.h5", 8, 20, 1024)
    for end in (".h5", ".zarr"):
        told = [_child("scan", str(path), str(folder / f"out{end}")) for _ in range(rounds)]
        ratio = median(one["alone"] / one["scan"] for one in told)
        note = f"{median(one['scan'] for one in told):.3g} s against {median(one['alone'] for one in told):.3g} s"
        yield Row(
            f"8 projections of 20 x 1024 x 1024, UMPA, into {end}: speed / that of arrays in memory",
            ratio, "x", 0.85, at_least=True, note=note,
        )  # fmt: skip
        foreseen = median(one["foreseen"] / one["scan"] for one in told)
        yield Row(f"the same, into {end}: --dry-run's time / the real one", foreseen, "x", 2)
    path.unlink()


def _growth(folder: Path, sizes: tuple[float, ...]) -> Iterator[Row]:
    """Time and peak memory of scans that are generated while they are read; per GB, against the smallest."""
    first = 0.0
    for size in sizes:
        told = _child("generated", size, str(folder / "grown.h5"))
        each = told["seconds"] / told["bytes"] * 1e9
        first = first or each
        yield Row(
            f"a scan of {told['bytes'] / 1e9:.3g} GB: time for a GB / the smallest's", each / first, "x", 1.2,
            note=f"{told['seconds']:.3g} s",
        )  # fmt: skip
        yield Row(
            f"a scan of {told['bytes'] / 1e9:.3g} GB: peak memory", told["peak"] / _MB, "MB", 600
        )


def _one(name: str, paths: list[str], budget: int) -> dict[str, float]:
    reference, sample = (f"{path}::data" for path in paths)
    chosen: dict[str, Any] = {"margin": 3, "memory": budget}
    warnings.simplefilter("ignore")
    small = speckle((64, 64), frames=3)
    _CALLS[name](small, small, margin=3)
    foreseen = 0.0
    if name == "UMPA":
        from shiftfield.cli.forecast import estimate
        from shiftfield.inputs.frames import Frames
        from shiftfield.settings import Settings

        inputs = Frames(reference, ""), Frames(sample, "")
        foreseen = estimate(
            *inputs, Settings(method="umpa", weight="hamming", margin=3, device="cpu")
        )[0]
    tempfile.TemporaryFile = Counted.file  # type: ignore[assignment]
    base, read = _reset(), _status("io", "rchar")
    began = time.perf_counter()
    found = _CALLS[name](reference, sample, **chosen)
    seconds = time.perf_counter() - began
    answer = sum(image.nbytes for image in found)
    return {
        "peak": _status("status", "VmHWM") - base - answer, "again": Counted.again,
        "read": _status("io", "rchar") - read - Counted.again,
        "seconds": seconds, "foreseen": foreseen,
    }  # fmt: skip


class Counted(io.FileIO):
    """A temporary file that counts what is read of it, which Linux counts with the rest."""

    again = 0

    def readinto(self, buffer: Any) -> int | None:
        """Read, and count."""
        found = super().readinto(buffer)
        Counted.again += found or 0
        return found

    @staticmethod
    def file(dir: str | None = None) -> io.BufferedRandom:
        """Return what stands for tempfile.TemporaryFile."""
        number, name = tempfile.mkstemp(dir=dir)
        Path(name).unlink()
        return io.BufferedRandom(Counted(number, "r+b"))


def _timed_scan(path: str, out: str) -> dict[str, float]:
    from shiftfield.cli.forecast import foreseen
    from shiftfield.inputs.frames import Frames
    from shiftfield.settings import Settings

    chosen: dict[str, Any] = {"method": "umpa", "weight": "hamming", "device": "cpu"}
    with h5py.File(path) as file:
        reference, samples = np.asarray(file["reference"]), np.asarray(file["data"])
    shiftfield.find_shift_field(reference, samples[0], **chosen)
    began = time.perf_counter()
    for sample in samples:
        shiftfield.find_shift_field(reference, sample, **chosen)
    alone = time.perf_counter() - began
    told = foreseen(Frames(reference, ""), Frames(samples[0], ""), Settings(**chosen))
    began = time.perf_counter()
    shiftfield.find_shift_fields(
        f"{path}::reference", f"{path}::data", out=out, overwrite=True, **chosen
    )
    scan = time.perf_counter() - began
    return {
        "alone": alone, "scan": scan, "foreseen": len(samples) * (told["seconds"] + told["packing_seconds"]),
    }  # fmt: skip


def _generated(size: float, out: str) -> dict[str, float]:
    data = Generated(20, 1024, size)
    small = speckle((64, 64), frames=3)
    shiftfield.find_shift_field(small, small, method="umpa", margin=3)
    base, began = _reset(), time.perf_counter()
    shiftfield.find_shift_fields(
        data[0],
        data,
        out=out,
        overwrite=True,
        method="umpa",
        margin=3,
        memory="600 MB",
        device="cpu",
    )
    return {
        "seconds": time.perf_counter() - began, "bytes": 2.0 * float(np.prod(data.shape)),
        "peak": _status("status", "VmHWM") - base,
    }  # fmt: skip


class Generated:
    """A scan of uint16 `(N, K, side, side)` whose pixels are made when they are read."""

    dtype = np.dtype(np.uint16)

    def __init__(self, frames: int, side: int, gigabytes: float) -> None:
        count = max(2, round(gigabytes * 1e9 / (2 * frames * side * side)))
        self.shape = count, frames, side, side
        self._tile = _tile(frames, 0.0)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        number, frames, rows, columns = (*key, slice(None), slice(None), slice(None))[:4] if isinstance(
            key, tuple
        ) else (key, slice(None), slice(None), slice(None))  # fmt: skip
        at = [np.arange(n)[k] % _TILE for n, k in zip(self.shape[2:], (rows, columns), strict=True)]
        at[1] = (at[1] + (number % 3 if isinstance(number, int | np.integer) else 0)) % _TILE
        found: NDArray[Any] = self._tile[frames][:, at[0]][:, :, at[1]]
        return found


_CHILDREN: dict[str, Callable[..., dict[str, float]]] = {
    "one": _one, "scan": _timed_scan, "generated": _generated,
}  # fmt: skip


def _child(*arguments: Any) -> dict[str, float]:
    """Return what a part says that runs in a process of its own."""
    kind, *rest = arguments
    command = [sys.executable, "-m", "benchmarks.scans", "--child", kind, *map(json.dumps, rest)]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(ran.stderr.strip().splitlines()[-1])
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _tile(frames: int, shift: float) -> NDArray[np.uint16]:
    return (
        1000 + 200 * speckle((_TILE, _TILE), frames=frames, seed=1, shift=(shift, -shift))
    ).astype(np.uint16)


def _stack(path: Path, frames: int, side: int, shift: float) -> Path:
    tile = _tile(frames, shift)
    row = np.tile(tile, (1, 1, -(-side // _TILE)))[:, :, :side]
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", (frames, side, side), "u2", chunks=(1, 96, side))
        for y in range(0, side, _TILE):
            data[:, y : y + _TILE] = row[:, : min(_TILE, side - y)]
    return path


def _scan(path: Path, projections: int, frames: int, side: int) -> Path:
    whole = Generated(frames, side, 1e-9)
    whole.shape = projections, *whole.shape[1:]
    with h5py.File(path, "w") as file:
        file["reference"] = whole[0]
        data = file.create_dataset("data", whole.shape, "u2", chunks=(1, 1, 128, side))
        for number in range(projections):
            data[number] = whole[number]
    return path


def _reset() -> float:
    """Forget the peak so far; return the memory that is in use, bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("status", "VmRSS")


def _status(file: str, name: str) -> float:
    """Return a figure that Linux tells of this process, bytes."""
    text = Path(f"/proc/self/{file}").read_text()
    found = re.search(rf"^{name}:\s+(\d+)( kB)?", text, re.MULTILINE)
    assert found
    return float(found[1]) * (1024 if found[2] else 1)


def _write(table: Table) -> None:
    """Put the table into the page."""
    page = Path(__file__).parents[1] / "docs" / "scans.md"
    before, rest = page.read_text(encoding="utf-8").split(_MARK)
    _, after = rest.split("<!-- end -->")
    about = table.about
    said = "One run on {date} at commit {commit}: {processor}, {cores} cores.".format(**about)
    rows = "\n".join([HEAD, *(row.line() for row in table.rows)])
    page.write_text(f"{before}{_MARK}\n{said}\n\n{rows}\n<!-- end -->{after}", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scans", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small images: does it run?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--write", action="store_true", help="write the table into docs/scans.md")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
