"""Image files: one, or one for each frame; read row by row where the file's layout allows it.

What is compressed has no rows to read alone: it is decoded once, into memory or, when it is large, into a
temporary file that goes with the array.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield import machine
from shiftfield.sources.flat import FlatImages, Part, folder, free_space, spooled
from shiftfield.sources.kinds import IMAGES, TIFF, check_fits, check_size
from shiftfield.strangers import words_of

_SHARE = 8  # of the free memory, the part that decoded images may take
_PACKED = 1 << 16  # bytes that no byte of a file unpacks to: twice what Zstandard makes of zeros
_GRANTED = 1 << 24  # bytes
_FORMATS = ("PNG", "JPEG", "BMP", "PPM", "GIF")  # of Pillow's, none that runs another program


class ImageFiles:
    """One frame for each file, of one shape and dtype."""

    def __init__(self, images: Sequence[Any]) -> None:
        self._images = images
        self.shape = len(images), *images[0].shape
        self.dtype = images[0].dtype

    def __getitem__(self, key: Any) -> NDArray[Any]:
        frames, *rest = key if isinstance(key, tuple) else (key,)
        if isinstance(frames, slice):
            parts = [image[tuple(rest)] for image in self._images[frames]]
            return np.stack(parts) if parts else np.empty((0, *self.shape[1:]), self.dtype)
        found: NDArray[Any] = self._images[frames][tuple(rest)]
        return found


def open_series(place: Path) -> Any:
    """Return the images of a file, of a folder, or of all files that a pattern names."""
    paths = files_of(place)
    if len(paths) == 1 and place == paths[0]:
        return _one(place)
    images = [_frame(path) for path in paths]
    for path, image in zip(paths, images, strict=True):
        if image.shape != images[0].shape or image.dtype != images[0].dtype:
            raise ValueError(
                f"{path} has shape {tuple(image.shape)} and dtype {image.dtype}, {paths[0].name} "
                f"{tuple(images[0].shape)} and {images[0].dtype}; all frames must be alike."
            )
    return ImageFiles(images)


def files_of(place: Path) -> list[Path]:
    """Return the image files that are meant, in the order of the numbers in their names."""
    if place.is_file():
        return [place]
    if place.is_dir():
        found = [path for path in place.iterdir() if path.suffix.lower() in IMAGES]
        if not found:
            raise ValueError(f"{place} holds no image file ({', '.join(IMAGES)}).")
    elif any(sign in place.name for sign in "*?["):
        try:
            found = [path for path in place.parent.glob(place.name) if path.is_file()]
        except ValueError as error:
            raise ValueError(f"{place} is no pattern of names: {words_of(error)}.") from error
        if not found:
            raise FileNotFoundError(f"No file is named like {place}.")
    else:
        raise FileNotFoundError(f"{place} does not exist.")
    return sorted(found, key=lambda path: _by_number(path.name))


def _by_number(name: str) -> list[tuple[int, str]]:
    """Return what sorts frame_2 before frame_10."""
    parts = re.split(r"([0-9]+)", name)  # \d has digits that are no numbers
    return [(int(part), "") if n % 2 else (-1, part) for n, part in enumerate(parts)]


def _frame(path: Path) -> Any:
    image = _one(path)
    if len(image.shape) == 3 and image.shape[0] == 1:
        image = image[0]
    if len(image.shape) != 2:
        raise ValueError(
            f"{path} has shape {tuple(image.shape)}; a file of a series must hold one image (rows, columns)."
        )
    return image


def _one(path: Path) -> Any:
    """Return what one file holds."""
    kind = path.suffix.lower()
    try:
        if kind == ".npy":
            return _npy(path)
        if kind in TIFF:
            return _tiff(path)
        if kind in IMAGES:
            return _picture(path)
    except Exception as error:  # of a decoder, about a broken file
        if isinstance(error, ValueError | OSError) and str(error).startswith(str(path)):
            raise
        raise ValueError(f"{path} cannot be read: {words_of(error)}.") from error
    raise ValueError(
        f"{path} is of no kind that is known: HDF5, .zarr, {', '.join(IMAGES)}, or a folder of such images."
    )


def _npy(path: Path) -> Any:
    try:
        found: Any = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is no .npy file of plain numbers, or is cut short.") from error
    if found.flags.c_contiguous and found.ndim >= 2:
        return FlatImages(path, found.dtype, found.offset, found.shape)
    return found


def _tiff(path: Path) -> Any:
    try:
        tifffile = import_module("tifffile")
    except ImportError as error:
        raise ValueError(
            f'{path} is a TIFF file; to read it, pip install "shiftfield[files]".'
        ) from error
    with tifffile.TiffFile(path) as file:
        if not file.series:
            raise ValueError(f"{path} holds no image.")
        images = file.series[0]
        shape = tuple(n for n in images.shape if n != 1 or images.ndim <= 2)
        if images.dataoffset is not None and images.dtype is not None:
            kind = images.dtype.newbyteorder(file.byteorder)
            return FlatImages(path, kind, images.dataoffset, shape)
        size = prod(shape) * images.dtype.itemsize
        check_size(path, shape, images.dtype.itemsize)
        if size > _GRANTED + _PACKED * path.stat().st_size:
            raise ValueError(f"{path} says that its shape is {shape}, and is too short for that.")
        if size <= machine.free_memory() // _SHARE:
            return images.asarray().reshape(shape)
        check_fits(f"A page of {path}", prod(images.pages[0].shape) * images.dtype.itemsize)
        if size > free_space():
            raise ValueError(
                f"{path} takes {size / 1e9:,.1f} GB in {folder()}, and {free_space() / 1e9:,.1f} GB are free."
            )
        return spooled(shape, images.dtype, _pages(images, shape))


def _picture(path: Path) -> NDArray[Any]:
    with import_module("PIL.Image").open(path, formats=_FORMATS) as image:
        if getattr(image, "n_frames", 1) > 1 or len(image.getbands()) > 1:
            raise ValueError(
                f"{path} is coloured or moves; it must be one image in shades of grey."
            )
        return np.asarray(image)


def _pages(images: Any, shape: tuple[int, ...]) -> Iterator[Part]:
    """Yield the pages of a TIFF series in their order, decoded one by one."""
    frame = 0
    for page in images.pages:
        planes = page.asarray().reshape(-1, *shape[-2:])
        yield Part(frame, 0, planes)
        frame += len(planes)
