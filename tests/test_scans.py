"""Series of projections: each field is the one found alone; stopped, killed or failed, a scan goes on."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import h5py
import numpy as np
import pytest
import zarr
from numpy.typing import NDArray
from scenes import same_bits

import shiftfield
from shiftfield import Cancelled, Scan, ScanError, find_shift_field, find_shift_fields
from shiftfield.scans import hdf5_store
from shiftfield.scans.lock import alone
from shiftfield.sources import open_images
from shiftfield.synthetic import speckle

N, K, SIZE = 4, 3, (60, 50)
REF = speckle(SIZE, frames=K, seed=1)
SAM = np.stack([speckle(SIZE, frames=K, seed=1, shift=(0.3 * n, -0.2 * n)) for n in range(N)])
KINDS = (".h5", ".zarr")
CHOSEN: dict[str, Any] = {"margin": 3, "window": 5}


def by_itself(number: int, reference: Any = REF, samples: Any = SAM, **more: Any) -> Any:
    return find_shift_field(reference, samples[number], **{**CHOSEN, **more})


def check(scan: Scan, **more: Any) -> None:
    assert scan.done.all()
    for number, found in enumerate(scan):
        same_bits(found, by_itself(number, **more))


@pytest.fixture(params=KINDS)
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"fields{request.param}"


@pytest.mark.parametrize("method", ["pearson", "umpa_dark"])
def test_every_projection_is_the_field_found_alone(out: Path, method: str) -> None:
    told: list[tuple[int, int]] = []
    scan = find_shift_fields(
        REF, SAM, out=out, method=method, progress=lambda *n: told.append(n), **CHOSEN
    )
    check(scan, method=method)
    assert len(scan) == N
    assert told[-1][0] == told[-1][1]
    assert scan.settings.method == method
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize(
    "axes", ["projection frame y x", "frame projection y x", "y x frame projection"]
)
def test_axes_are_known_by_name(tmp_path: Path, axes: str) -> None:
    names = ["projection", "frame", "y", "x"]
    turned = SAM.transpose([names.index(axis) for axis in axes.split()])
    reference_axes = axes.replace("projection ", "").replace(" projection", "")
    reference = REF.transpose([names[1:].index(axis) for axis in reference_axes.split()])
    check(find_shift_fields(reference, turned, out=tmp_path / "f.h5", axes=axes, **CHOSEN))


def test_one_image_a_projection_and_references_for_each(tmp_path: Path) -> None:
    references = np.stack([REF[0] * (n + 1) for n in range(N)])
    scan = find_shift_fields(
        references, SAM[:, 0], out=tmp_path / "f.h5", axes=("projection", "y", "x"), **CHOSEN
    )
    for number, found in enumerate(scan):
        same_bits(found, find_shift_field(references[number], SAM[number, 0], **CHOSEN))


def test_files_of_projections_or_of_frames(tmp_path: Path) -> None:
    for n in range(N):
        np.save(tmp_path / f"projection{n}.npy", SAM[n])
    with h5py.File(tmp_path / "frames.h5", "w") as file:
        for k in range(K):
            file[f"frame{k}"] = SAM[:, k]
        file["references"] = REF
    reference = f"{tmp_path}/frames.h5::references"
    projections = [str(tmp_path / f"projection{n}.npy") for n in range(N)]
    check(find_shift_fields(reference, projections, out=tmp_path / "a.h5", **CHOSEN))
    frames = [f"{tmp_path}/frames.h5::frame{k}" for k in range(K)]
    check(
        find_shift_fields(
            reference, frames, out=tmp_path / "b.h5", axes="frame projection y x",
            reference_axes="frame y x", **CHOSEN,
        )
    )  # fmt: skip


def test_dark_flat_and_crop(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    light, dark = 0.5 + generator.random(SIZE), 10 * generator.random((2, *SIZE))
    level = dark.mean(axis=0)
    raw = [(stack * light + level).astype(np.float64) for stack in (REF, SAM)]
    crop = (4, 56, 2, 48)
    scan = find_shift_fields(
        *raw, out=tmp_path / "f.h5", dark=dark, flat=light + level, crop=crop, **CHOSEN
    )
    inside = (..., slice(*crop[:2]), slice(*crop[2:]))
    for number, found in enumerate(scan):
        expected = by_itself(number, REF[inside], SAM[inside])
        np.testing.assert_array_equal(found.valid, expected.valid)
        np.testing.assert_allclose(found.x[found.valid], expected.x[found.valid], atol=2e-3)
    assert scan.image_shape == (52, 46)


def test_drift_between_frames_is_taken_out(tmp_path: Path) -> None:
    """Each frame of the sample drifted on its own; the fields are those of the common shift."""
    size, drift = (120, 110), [(0.0, 0.0), (2.5, -1.5), (-1.4, 2.2)]
    true = (0.4, -0.3)
    reference = speckle(size, frames=K, seed=3, sigma=2.0)
    sample = np.stack([
        speckle(size, frames=K, seed=3, sigma=2.0, shift=(true[0] + x, true[1] + y))[k]
        for k, (x, y) in enumerate(drift)
    ])  # fmt: skip
    settings: dict[str, Any] = {"margin": 4, "window": 9}
    scan = find_shift_fields(reference, sample[None], out=tmp_path / "f.h5", align=True, **settings)
    found = scan[0]
    middle = np.median(drift, axis=0) + true
    inside = (slice(20, -20), slice(20, -20))
    apart = np.hypot(found.x[inside] - middle[0], found.y[inside] - middle[1])
    assert np.nanpercentile(apart, 95) < 0.1
    worse = find_shift_field(reference, sample, **settings)
    assert np.nanmedian(worse.score) < np.nanmedian(found.score) - 0.2


def test_a_finished_scan_is_not_computed_again(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_shift_fields(REF, SAM, out=out, **CHOSEN)
    monkeypatch.setattr("shiftfield.scans.run.field_of", None)
    check(find_shift_fields(REF, SAM, out=out, **CHOSEN))
    monkeypatch.undo()
    check(find_shift_fields(REF, SAM, out=out, overwrite=True, **CHOSEN))


def test_another_scan_is_not_overwritten(out: Path) -> None:
    find_shift_fields(REF, SAM, out=out, **CHOSEN)
    with pytest.raises(
        ValueError, match="with other settings: window; choose another name, or overwrite it"
    ):
        find_shift_fields(REF, SAM, out=out, margin=3, window=7)
    with pytest.raises(ValueError, match="with other inputs: samples"):
        find_shift_fields(REF, SAM + 1, out=out, **CHOSEN)
    check(find_shift_fields(REF, SAM, out=out, device="cpu", ncore=1, memory="50 MB", **CHOSEN))


def test_changed_inputs_are_another_scan(tmp_path: Path) -> None:
    """Wherever they changed: other axes of the same sizes, one pixel, a file of a folder, a chunk of a store."""
    refused = pytest.raises(ValueError, match="with other inputs: samples")
    square = SAM[:3, :, :50]
    find_shift_fields(REF[:, :50], square, out=tmp_path / "a.h5", **CHOSEN)
    with refused:
        find_shift_fields(
            REF[:, :50], square, out=tmp_path / "a.h5", axes="frame projection y x", **CHOSEN
        )
    one = square.copy()
    one[2, 1, 31, 17] += 1
    with refused:
        find_shift_fields(REF[:, :50], one, out=tmp_path / "a.h5", **CHOSEN)
    folder = tmp_path / "frames"
    folder.mkdir()
    for k in range(K):
        np.save(folder / f"{k}.npy", SAM[0, k])
    store = zarr.create_array(str(tmp_path / "samples.zarr"), data=SAM[0], chunks=(1, *SIZE))
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["data"] = SAM[0]
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout(SAM[0].shape, SAM.dtype)
        layout[:] = h5py.VirtualSource("data.h5", "data", SAM[0].shape)
        file.create_virtual_dataset("data", layout)

    def change() -> None:
        np.save(folder / "1.npy", SAM[1, 1])
        store[1] = SAM[1, 1]
        with h5py.File(tmp_path / "data.h5", "r+") as file:
            file["data"][1] = SAM[1, 1]

    given = [folder, folder / "*.npy", tmp_path / "samples.zarr", tmp_path / "virtual.h5"]
    for number, samples in enumerate(given):
        out = tmp_path / f"{number}.h5"
        find_shift_fields(REF, samples, out=out, axes="frame y x", **CHOSEN)
        find_shift_fields(REF, samples, out=out, axes="frame y x", **CHOSEN)
    change()
    for number, samples in enumerate(given):
        with refused:
            find_shift_fields(
                REF, samples, out=tmp_path / f"{number}.h5", axes="frame y x", **CHOSEN
            )


def test_a_file_that_comes_later_is_tried_again(out: Path) -> None:
    names = [str(out.parent / f"{n}.npy") for n in range(N)]
    for n in (0, 2, 3):
        np.save(names[n], SAM[n])
    with pytest.raises(ScanError, match=r"1 of 4 .*1\.npy does not exist"):
        find_shift_fields(REF, names, out=out, **CHOSEN)
    np.save(names[1], SAM[1])
    for _ in range(2):
        check(find_shift_fields(REF, names, out=out, **CHOSEN))
    np.save(names[1], SAM[2])
    with pytest.raises(ValueError, match="with other inputs: samples"):
        find_shift_fields(REF, names, out=out, **CHOSEN)


def test_inputs_and_other_files_are_never_overwritten(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["data"] = SAM
    zarr.create_array(str(tmp_path / "in.zarr"), data=SAM)
    for kind in KINDS:
        one = tmp_path / f"in{kind}"
        for data in ((REF, one), (one, SAM)):
            with pytest.raises(ValueError, match="which an input lies in"):
                find_shift_fields(*data, out=one, overwrite=True, **CHOSEN)
        with pytest.raises(ValueError, match="is no scan of shiftfield, and is not overwritten"):
            find_shift_fields(REF, SAM, out=one, overwrite=True, **CHOSEN)
        assert np.array_equal(open_images(one)[:], SAM)


def test_two_do_not_write_one_file(out: Path) -> None:
    with alone(out), pytest.raises(OSError, match="is being written by another process"):
        find_shift_fields(REF, SAM, out=out, **CHOSEN)
    check(find_shift_fields(REF, SAM, out=out, **CHOSEN))
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.filterwarnings("ignore:.*pixels have no answer")
def test_masked_pixels_are_unknown(tmp_path: Path) -> None:
    masked = np.ma.masked_array(SAM.copy(), np.zeros(SAM.shape, bool))
    masked[:, :, 20:30, 20:30] = 1e6
    masked[:, :, 20:30, 20:30] = np.ma.masked
    for number, samples in enumerate((masked, da.from_array(masked, (1, K, *SIZE)))):
        scan = find_shift_fields(REF, samples, out=tmp_path / f"{number}.h5", **CHOSEN)
        expected = find_shift_field(REF, masked[1], **CHOSEN)
        assert not expected.valid[25, 25]
        np.testing.assert_array_equal(scan[1].valid, expected.valid)


def test_a_cancelled_scan_goes_on(out: Path) -> None:
    calls = 0

    def cancel() -> bool:
        nonlocal calls
        calls += 1
        return out.exists() and Scan(out).done.sum() >= 2

    with pytest.raises(Cancelled):
        find_shift_fields(REF, np.concatenate([SAM] * 6), out=out, cancel=cancel, ncore=1, **CHOSEN)
    before = Scan(out)
    assert 2 <= before.done.sum() < 6 * N
    finished = int(np.flatnonzero(before.done)[0])
    same_bits(before[finished], by_itself(finished % N))
    assert np.isnan(before.quantities()["x"][int(np.flatnonzero(~before.done)[-1])]).all()
    scan = find_shift_fields(REF, np.concatenate([SAM] * 6), out=out, **CHOSEN)
    for number in range(6 * N):
        same_bits(scan[number], by_itself(number % N))


def nan_frame(_folder: Path) -> Any:
    samples = SAM.copy()
    samples[2, 1] = np.nan
    return samples


def wrong_shape(folder: Path) -> Any:
    for n in range(N):
        np.save(folder / f"{n}.npy", SAM[n, :, : -1 if n == 2 else None])
    return [str(folder / f"{n}.npy") for n in range(N)]


def vanished(folder: Path) -> Any:
    there = wrong_shape(folder)
    (folder / "2.npy").unlink()
    return there


def cut_short(folder: Path) -> Any:
    there = wrong_shape(folder)
    np.save(folder / "2.npy", SAM[2])
    with (folder / "2.npy").open("r+b") as file:
        file.truncate(10_000)
    return there


@pytest.mark.parametrize(("spoil", "words"), [
    (nan_frame, "no pixel has an answer; is a frame empty, or all NaN?"),
    (wrong_shape, "has shape .3, 59, 50., .*0.npy has .3, 60, 50.; all must be alike"),
    (vanished, "does not exist"),
    (cut_short, "is cut short"),
])  # fmt: skip
def test_one_bad_projection_loses_no_other(
    tmp_path: Path, out: Path, spoil: Callable[[Path], Any], words: str
) -> None:
    samples = spoil(tmp_path)
    with pytest.raises(
        ScanError, match=f"^1 of 4 projections have no field .*: projection 2: .*{words}"
    ):
        find_shift_fields(REF, samples, out=out, **CHOSEN)
    scan = Scan(out)
    assert scan.done.tolist() == [True, True, False, True]
    for number in (0, 1, 3):
        same_bits(scan[number], by_itself(number))


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_keeps_what_is_finished(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / f"f{kind}"
    calls: list[Path] = []

    def failing(path: Path) -> None:
        calls.append(path)
        # In HDF5 two are the scan's own, and two of each projection, of which two are in work at once.
        if len(calls) > 6:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hdf5_store, "synced", failing)
    monkeypatch.setattr("shiftfield.scans.zarr_store.synced", failing)
    words = "cannot be written: No space left on device; what was finished before is kept"
    with pytest.raises(OSError, match=words):
        find_shift_fields(REF, SAM, out=out, **CHOSEN)
    monkeypatch.undo()
    kept = Scan(out).done
    assert not kept.all()
    check(find_shift_fields(REF, SAM, out=out, **CHOSEN))


FULL = """
import resource, sys
from shiftfield import find_shift_field, find_shift_fields, synthetic
stack, moved = (synthetic.speckle((60, 50), frames=2, shift=(n, n)) for n in (0, 0.3))
settings = dict(window=5, margin=2, device="reference")
field = find_shift_field(stack, moved, **settings)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
for write in (field.save, lambda out: find_shift_fields(stack, moved[None], out=out, **settings)):
    try:
        write(sys.argv[1])
    except OSError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size there")
@pytest.mark.parametrize("limit", [2000, 20_000])
def test_hdf5_meets_a_full_disk(tmp_path: Path, limit: int) -> None:
    """HDF5 itself, which keeps chunks for later, would crash the process."""
    out = tmp_path / "f.h5"
    told = subprocess.run(
        [sys.executable, "-c", FULL, str(out), str(limit)], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (0, "")
    words = f"{out} cannot be written: File too large"
    assert told.stdout.splitlines() == [f"{words}.", f"{words}; what was finished before is kept."]
    assert not list(tmp_path.rglob(".*.part"))


def test_killed_before_there_was_a_file(tmp_path: Path) -> None:
    out, parts = tmp_path / "f.h5", tmp_path / "f.h5.parts"
    parts.mkdir()
    check(find_shift_fields(REF, SAM, out=out, **CHOSEN))
    assert not parts.exists()


def test_what_is_not_ours_is_never_removed(tmp_path: Path) -> None:
    out, parts = tmp_path / "f.h5", tmp_path / "f.h5.parts"
    parts.mkdir()
    (parts / "notes.txt").write_text("of a measurement")
    with pytest.raises(ValueError, match="is there without"):
        find_shift_fields(REF, SAM, out=out, overwrite=True, **CHOSEN)
    assert (parts / "notes.txt").exists()


def test_what_is_wrong_is_said_before_any_work(tmp_path: Path) -> None:
    out = tmp_path / "f.h5"
    (tmp_path / "other.h5").write_bytes(b"not ours")
    for arguments, more, words in (
        ((REF, SAM), {"out": tmp_path / "f.txt"}, "its name must end in"),
        ((REF, SAM), {"out": tmp_path / "no" / "f.h5"}, "does not exist"),
        ((REF, SAM), {"out": tmp_path / "other.h5"}, "is no scan of shiftfield that can be read"),
        ((REF, SAM), {"axes": "projection frame y"}, "'y' and 'x' always"),
        ((REF, SAM), {"axes": "frame y x"}, "has shape .4, 3, 60, 50., and its axes are frame, y, x"),
        ((REF[:, 1:], SAM), {}, "have shape .3, 59, 50. and its samples .3, 60, 50."),
        ((SAM[:2], SAM), {"reference_axes": "projection frame y x"}, "references for 2 projections"),
        ((REF, SAM), {"crop": (0, 70, 0, 10)}, "0 <= top < bottom <= 60"),
        ((REF, SAM), {"crop": (0, 10, 0, 10)}, "needs at least"),
        ((REF, SAM), {"dark": REF[0, 1:]}, "The dark image is 59 x 50 px, the images are 60 x 50 px"),
        ((REF, SAM), {"window": 0}, "window is 0"),
        ((REF, SAM), {"memory": "much"}, "memory is 'much'"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            find_shift_fields(*arguments, **{"out": out, "margin": 3, **more})
        assert not out.exists()
    with pytest.raises(FileNotFoundError, match="does not exist"):
        Scan(out)


def test_the_file_tells_what_it_is(out: Path) -> None:
    find_shift_fields(REF, SAM, out=out, **CHOSEN)
    if out.suffix == ".h5":
        with h5py.File(out) as file:
            attributes, x = dict(file.attrs), file["x"]
            assert x.compression == "lzf"
            assert (x.shape, x.chunks) == ((N, *SIZE), (1, *SIZE))
            assert (x.attrs["units"], list(x.attrs["axes"])) == ("px", ["projection", "y", "x"])
    else:
        group = zarr.open_group(str(out), mode="r")
        attributes, x = dict(group.attrs), group["x"]
        assert x.metadata.dimension_names == ("projection", "y", "x")
        assert x.attrs["units"] == "px"
        assert x.compressors
    assert attributes["format"] == "shiftfield-scan/1"
    assert attributes["version"] == shiftfield.__version__
    assert '"window": 5' in attributes["settings"]
    assert "digest" in attributes["inputs"]


PROGRAM = """
import os, sys
from shiftfield import find_shift_field, find_shift_fields, synthetic
folder, out = sys.argv[1:]
settings = dict(window=5, margin=3, device="cpu")
small = synthetic.speckle((40, 40), frames=2)
find_shift_field(small, small, **settings)  # imported and compiled once, for all children
for line in sys.stdin:
    child = os.fork()
    if not child:
        find_shift_fields(f"{folder}/r.npy", f"{folder}/s.npy", out=out, **settings)
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Scanner:
    """Processes that find the fields of a scan, one after another."""

    def __init__(self, *arguments: str) -> None:
        self._program = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", PROGRAM, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

    def __enter__(self) -> Scanner:
        return self

    def __exit__(self, *_: object) -> None:
        self._program.communicate()

    def start(self) -> int:
        """Begin, or go on; return the number of the process."""
        assert self._program.stdin
        assert self._program.stdout
        self._program.stdin.write("go on\n")
        return int(self._program.stdout.readline())

    def ended(self) -> int:
        """Wait for the process; return its status."""
        assert self._program.stdout
        return int(self._program.stdout.readline())


def still_good(
    out: Path, done: NDArray[np.bool_], kept: dict[int, NDArray[Any]], generator: random.Random
) -> NDArray[np.bool_]:
    """Open the file of a killed scan; what was finished before is there, some of it looked at."""
    if not out.exists():
        return done
    found = Scan(out)
    assert (found.done | ~done).all(), "a finished projection was lost"
    numbers = [int(number) for number in np.flatnonzero(found.done)]
    for number in generator.sample(numbers, min(5, len(numbers))):
        x = np.asarray(found.quantities()["x"][number])
        assert np.isfinite(x[8:-8, 8:-8]).all()
        np.testing.assert_array_equal(x, kept.setdefault(number, x))
    return found.done


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
@pytest.mark.parametrize(("kind", "kills"), [(".h5", 15), (".zarr", 10)])
def test_killed_at_any_moment_it_goes_on(tmp_path: Path, kind: str, kills: int) -> None:
    """The file opens each time, nothing finished is lost or computed again, and the bits are the same.

    Most kills come while fields are found and written, every fourth at any moment from the start on.
    """
    count, generator = 20 * kills, random.Random(1)
    reference = speckle((96, 90), frames=2, seed=1)
    samples = np.stack([np.roll(reference, n % 3, axis=2) for n in range(count)])
    np.save(tmp_path / "r.npy", reference)
    np.save(tmp_path / "s.npy", samples)
    out = tmp_path / f"killed{kind}"
    kept: dict[int, NDArray[Any]] = {}
    done = np.zeros(count, bool)
    scanner = Scanner(str(tmp_path), str(out))
    with scanner:
        for killed in range(kills):
            process = scanner.start()
            if killed % 4 == 3:
                time.sleep(generator.uniform(0, 0.1))
            else:
                began = time.monotonic()
                while not (out.exists() and Scan(out).done.sum() > done.sum()):
                    time.sleep(0.005)
                    assert time.monotonic() - began < 60
                time.sleep(generator.uniform(0, 0.05))
            os.kill(process, signal.SIGKILL)
            assert scanner.ended() == signal.SIGKILL, f"it was finished before kill {killed}"
            done = still_good(out, done, kept, generator)
        assert done.any()
        scanner.start()
        assert scanner.ended() == 0
    undisturbed = find_shift_fields(
        reference, samples, out=tmp_path / f"whole{kind}", window=5, margin=3, device="cpu"
    )
    scan = Scan(out)
    for name, data in undisturbed.quantities().items():
        np.testing.assert_array_equal(np.asarray(data[:]), np.asarray(scan.quantities()[name][:]))
    assert not [path for path in tmp_path.iterdir() if ".part" in path.name]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("end", [".h5", ".zarr"])
def test_quality_uncertainty_and_starts_are_those_of_each_search(tmp_path: Path, end: str) -> None:
    reference = speckle((60, 64), seed=1)
    samples = [speckle((60, 64), seed=1, shift=(n, 0.4)) for n in (1.5, 12.0)]
    asked: dict[str, Any] = {
        "window": 9, "margin": 4, "refine": "icgn", "uncertainty": True, "quality": True, "start": "global",
    }  # fmt: skip
    scan = find_shift_fields(
        reference, np.stack(samples), out=tmp_path / f"out{end}", axes="projection y x", **asked
    )
    for number, sample in enumerate(samples):
        alone = find_shift_field(reference, sample, **asked)
        kept = scan[number].quantities()
        assert set(kept) == set(alone.quantities())
        for name, image in alone.quantities().items():
            np.testing.assert_array_equal(kept[name], image, err_msg=name)
    with pytest.raises(ValueError, match="of a scan it is None, 'global' or 'pyramid'"):
        find_shift_fields(
            reference, np.stack(samples), out=tmp_path / "b.h5", axes="projection y x", start=(1, 2)
        )


def test_the_memory_that_is_named_is_enough(tmp_path: Path) -> None:
    """Whether references are shared in memory, shared in a file, or one set for each."""
    np.save(tmp_path / "ref.npy", REF)
    for n, references in enumerate((REF, tmp_path / "ref.npy", np.stack([REF] * N))):
        out = tmp_path / f"{n}.h5"
        with pytest.raises(
            ValueError, match=r"^memory is '0\.1 MB'; .* 2 projections at a time"
        ) as told:
            find_shift_fields(references, SAM, out=out, memory="0.1 MB", **CHOSEN)
        named = str(told.value).split("at least ")[1].split(" for")[0]
        check(find_shift_fields(references, SAM, out=out, memory=named, **CHOSEN))
    place = tmp_path / "ref.npy"
    with pytest.raises(ValueError, match=r"^memory is '0\.1 MB'; .*at least") as told:
        find_shift_field(place, place, memory="0.1 MB", **CHOSEN)
    named = str(told.value).split("at least ")[1].split(" for")[0]
    find_shift_field(place, place, memory=named, **CHOSEN)


@pytest.mark.filterwarnings("ignore:.*pixels have no answer")
def test_thresholds_are_those_of_each_search(tmp_path: Path) -> None:
    limits = shiftfield.Thresholds(score=0.99)
    out = tmp_path / "f.h5"
    scan = find_shift_fields(REF, SAM, out=out, quality=True, thresholds=limits, **CHOSEN)
    check(scan, quality=True, thresholds=limits)
    with pytest.raises(ValueError, match="with other inputs: thresholds"):
        find_shift_fields(REF, SAM, out=out, quality=True, **CHOSEN)


@pytest.mark.parametrize(("given", "kind", "words"), [
    ({"windw": 5}, TypeError, "^find_shift_fields has no 'windw'; its settings are method, window, "),
    ({"sample_weights": np.ones(SIZE)}, ValueError, "^sample_weights was given; a scan takes no weights: crop"),
    ({"start": np.array([1, 2])}, ValueError, "^start is 'given'; of a scan it is None, 'global' or"),
    ({"align": "yes"}, ValueError, "^align is 'yes'; allowed are True and False"),
    ({"overwrite": "no"}, ValueError, "^overwrite is 'no'; allowed are True and False"),
    ({"thresholds": 0.5}, ValueError, "^thresholds is 0.5; it must be"),
    ({"axes": "frame y x"}, ValueError, "^The array of the samples has shape"),
])  # fmt: skip
def test_what_a_scan_does_not_take_is_a_sentence(
    tmp_path: Path, given: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        find_shift_fields(REF, SAM, out=tmp_path / "f.h5", **given)
    assert not list(tmp_path.iterdir())


def test_projections_are_taken_one_by_one_or_by_a_slice(tmp_path: Path) -> None:
    scan = find_shift_fields(REF, SAM, out=tmp_path / "f.h5", **CHOSEN)
    for found, number in zip(scan[1:4:2], (1, 3), strict=True):
        same_bits(found, by_itself(number))
    for number in ("a", 1.5, N, -1):
        with pytest.raises(IndexError, match=r"is no projection of .*f\.h5; they are 0 to 3\."):
            scan[number]  # type: ignore[call-overload]
