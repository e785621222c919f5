"""Images in files as dask arrays: a plane is read when somebody looks at it.

Where they lie and what they are is said by their address, in `sources`; dask comes with the viewer.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import numpy as np

from shiftfield.sources import open_images


def open_on_demand(address: str | os.PathLike[str]) -> Any:
    """Return the images at an address as a dask array, as stored; errors are those of `open_images`."""
    return on_demand(open_images(address))


def on_demand(images: Any) -> Any:
    """Return a dask array of what is read when it is sliced; as many planes at once as lie in one chunk."""
    kept = getattr(images, "chunks", None) or (1,) * len(images.shape)
    chunks = (*kept[:-2], *images.shape[-2:])
    # without meta dask asks for what only NumPy's arrays have
    meta = np.empty((0,) * len(chunks), images.dtype)
    # name=False: a file that was opened before may hold more now, and napari keeps chunks by their name
    return import_module("dask.array").from_array(images, chunks, name=False, meta=meta)
