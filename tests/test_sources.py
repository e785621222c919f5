"""Images by their address: every kind of file gives what NumPy gives, and what is wrong is said in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image
from scenes import moved, same_bits

import shiftfield
from shiftfield import machine
from shiftfield.sources import open_images

REF, SAM = (np.round(1000 + 100 * image).astype(np.uint16) for image in moved((60, 50), frames=3))


def _h5(path: Path, images: Any, **kwargs: Any) -> str:
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        file["text"] = "a name"
        file["line"] = np.arange(3)
        file.create_dataset("entry/data", data=images, **kwargs)
    return f"{path.with_suffix('.h5')}::/entry/data"


def _bitshuffle(path: Path, images: Any) -> str:
    chunks = (1, 20, images.shape[-1])
    return _h5(path, images, chunks=chunks, **hdf5plugin.Bitshuffle(cname="lz4"))


def _zarr(path: Path, images: Any) -> str:
    group = zarr.open_group(str(path.with_suffix(".zarr")), mode="w")
    group.create_array("deep/data", data=images, chunks=(1, 20, 20))
    return f"{path.with_suffix('.zarr')}::deep/data"


def _zarr_array(path: Path, images: Any) -> str:
    zarr.create_array(str(path.with_suffix(".zarr")), data=images)
    return str(path.with_suffix(".zarr"))


def _tiff(path: Path, images: Any, **kwargs: Any) -> str:
    tifffile.imwrite(path.with_suffix(".tif"), images, photometric="minisblack", **kwargs)
    return str(path.with_suffix(".tif"))


def _npy(path: Path, images: Any) -> str:
    np.save(path.with_suffix(".npy"), images)
    return str(path.with_suffix(".npy"))


def _folder(path: Path, images: Any, write: Callable[[Path, Any], Any], end: str) -> str:
    path.mkdir()
    (path / "notes.txt").write_text("not an image")
    for n, image in enumerate(images, 8):  # 8, 9, 10: by number, not by name
        write(path / f"frame_{n}{end}", image)
    return str(path)


WRITERS: dict[str, Callable[[Path, Any], str]] = {
    "HDF5": _h5,
    "HDF5, gzip": lambda path, images: _h5(path, images, chunks=(1, 16, 16), compression="gzip"),
    "HDF5, bitshuffle": _bitshuffle,
    "HDF5, the only": lambda path, images: _h5(path, images).partition("::")[0],
    "Zarr group": _zarr,
    "Zarr group, the only": lambda path, images: _zarr(path, images).partition("::")[0],
    "Zarr array": _zarr_array,
    "TIFF": _tiff,
    "TIFF, big-endian": lambda path, images: _tiff(path, images, byteorder=">"),
    "TIFF, compressed": lambda path, images: _tiff(path, images, compression="zlib"),
    "npy": _npy,
    "folder of TIFF": lambda path, images: _folder(path, images, tifffile.imwrite, ".tif"),
    "folder of PNG": lambda path, images: _folder(
        path, images, lambda p, image: Image.fromarray(image).save(p), ".png"
    ),
    "pattern": lambda path, images: _folder(path, images, np.save, ".npy") + "/frame_*.npy",
}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_of_file(tmp_path: Path, kind: str) -> None:
    there = [WRITERS[kind](tmp_path / name, images) for name, images in (("r", REF), ("s", SAM))]
    found = open_images(there[0])
    assert tuple(found.shape) == REF.shape
    assert np.dtype(found.dtype).newbyteorder("=") == REF.dtype
    np.testing.assert_array_equal(found[:, 10:20], REF[:, 10:20])
    np.testing.assert_array_equal(found[1:, 10:20, 3:5], REF[1:, 10:20, 3:5])
    expected = shiftfield.find_shift_field(REF, SAM, margin=3)
    same_bits(shiftfield.find_shift_field(*there, margin=3), expected)
    same_bits(
        shiftfield.find_shift_field(Path(there[0]), there[1], margin=3, memory="2 MB"), expected
    )


def test_the_seven_functions_take_addresses(tmp_path: Path) -> None:
    ref, sam = (_npy(tmp_path / name, images[0]) for name, images in (("r", REF), ("s", SAM)))
    same_bits(
        shiftfield.find_local_shifts(ref, sam, margin=3),
        shiftfield.find_local_shifts(REF[0], SAM[0], margin=3),
    )
    points: dict[str, Any] = {"win_size": 15, "margin": 3, "norm": True}
    function = shiftfield.find_global_shift_based_local_shifts
    assert function(ref, sam, **points) == function(REF[0], SAM[0], **points)
    np.testing.assert_array_equal(
        shiftfield.generate_correlation_map(ref, sam),
        shiftfield.generate_correlation_map(REF[0], SAM[0]),
    )
    np.testing.assert_array_equal(
        shiftfield.normalize_image(ref), shiftfield.normalize_image(REF[0])
    )
    for address in (ref, Path(ref)):
        assert shiftfield.locate_peak(address) == shiftfield.locate_peak(REF[0])


def test_large_compressed_images_lie_in_a_file(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(machine, "free_memory", lambda: 1000)
    found = open_images(_tiff(tmp_path / "r", REF, compression="zlib"))
    assert not isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found[:], REF)
    np.testing.assert_array_equal(found[1:, 5:20:3, 7], REF[1:, 5:20:3, 7])


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    h5 = _h5(tmp_path / "one", REF).partition("::")[0]
    with h5py.File(h5, "a") as file:
        file["other"] = SAM
    broken = tmp_path / "broken.h5"
    broken.write_bytes(b"no such thing")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("words")
    for end in (".tif", ".png", ".npy"):
        (tmp_path / f"cut{end}").write_bytes(b"II*\0no image")
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "colour.png")
    uneven = tmp_path / "uneven"
    uneven.mkdir()
    np.save(uneven / "1.npy", REF[0])
    np.save(uneven / "2.npy", REF[0, 1:])
    np.save(tmp_path / "things.npy", np.array([{}]), allow_pickle=True)
    for address, kind, words in (
        (tmp_path / "none.h5", FileNotFoundError, "does not exist"),
        (tmp_path / "none.tif", FileNotFoundError, "does not exist"),
        (tmp_path / "none_*.tif", FileNotFoundError, "No file is named like"),
        (h5, ValueError, "has /entry/data, /other; say which by"),
        (h5 + "::/nothing", ValueError, "has no images at '/nothing'; it has /entry/data, /other"),
        (broken, ValueError, "is no HDF5 file that can be read"),
        (tmp_path / "empty", ValueError, "holds no image file"),
        (tmp_path / "notes.txt", ValueError, "is of no kind that is known"),
        (tmp_path / "cut.tif", ValueError, "cut.tif"),
        (tmp_path / "cut.png", ValueError, "cannot be read"),
        (
            tmp_path / "cut.npy",
            ValueError,
            "is no .npy file of plain numbers",
        ),
        (tmp_path / "things.npy", ValueError, "is no .npy file of plain numbers"),
        (tmp_path / "colour.png", ValueError, "shades of grey"),
        (uneven, ValueError, "all frames must be alike"),
        (f"{tmp_path}/cut.tif::x", ValueError, "names something inside a file"),
    ):
        with pytest.raises(kind, match=words):
            shiftfield.find_shift_field(address, REF)


@pytest.mark.parametrize(
    "function",
    [
        shiftfield.normalize_image,
        shiftfield.locate_peak,
        lambda data: shiftfield.generate_correlation_map(data, data),
        lambda data: shiftfield.find_shift_field(data, data),
    ],
)
def test_what_is_closed_or_no_array_is_said(tmp_path: Path, function: Any) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("data", data=REF[0])
        for data in (file, file.create_group("more"), {"data": REF[0]}, zarr.group()):
            with pytest.raises(ValueError, match="which holds arrays by their names; it must be"):
                function(data)
    with pytest.raises(ValueError, match="lies in an HDF5 file that is closed"):
        function(dataset)


def test_a_file_that_vanishes_is_told(tmp_path: Path) -> None:
    address = _h5(tmp_path / "r", REF)
    found = open_images(address)
    (tmp_path / "r.h5").unlink()
    with pytest.raises(OSError, match=r"r\.h5::/entry/data cannot be read"):
        found[:, :3]


def test_free_memory_is_some() -> None:
    assert 10**6 < machine.free_memory() < 2**50


@pytest.mark.parametrize(
    "address", ["", "::data", "a\0b", "~nobody-here/a.npy", "n" * 300 + ".npy"]
)
def test_what_names_no_file_is_no_address(address: str) -> None:
    """The empty one is not the current folder."""
    with pytest.raises(ValueError, match=r"^address is .*[.]$"):
        shiftfield.normalize_image(address)


def test_what_lacks_is_said_in_our_words(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.zeros((3, 3))
    zarr.open_group(str(tmp_path / "other.zarr"), mode="w")
    for make, name in (
        (shiftfield.ShiftField.load, "h5"),
        (shiftfield.Scan, "h5"),
        (shiftfield.Scan, "zarr"),
    ):
        with pytest.raises(ValueError, match=r"(holds|is) no .*: it lacks format\.$"):
            make(tmp_path / f"other.{name}")
    with h5py.File(tmp_path / "other.h5", "a") as file:
        file.attrs["format"] = "strange/1"
    with pytest.raises(ValueError, match=r"its format is 'strange/1', not 'shiftfield/1'\.$"):
        shiftfield.ShiftField.load(tmp_path / "other.h5")
    with pytest.raises(ValueError, match=r"its format is 'strange/1'\.$"):
        shiftfield.Scan(tmp_path / "other.h5")
