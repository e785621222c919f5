"""Correlation maps made where they are asked for: on the host, or on a GPU with CuPy's FFT and filters."""

from __future__ import annotations

import warnings
from math import prod
from typing import Any

import numpy as np

from shiftfield.arrays.on_device import is_on_device, number_of, to_host
from shiftfield.engine import no_gpu
from shiftfield.engine.device import first_line
from shiftfield.engine.gpu import devices
from shiftfield.engine.gpu.device import Device
from shiftfield.inputs.frames import Frames
from shiftfield.maps.pearson import Float, Library, pearson_maps
from shiftfield.maps.stacks import stack_map

_LARGE = 8_000_000  # pixels of a stack that are held as float64 together


class MapMaker:
    """The host, or one GPU.

    An image that lies on a GPU is worked on there, whatever `gpu` says. "hybrid" is the GPU too: a map has
    no parts to share. Warns when there is no GPU, or when it fails, and goes on with the host.
    """

    def __init__(self, gpu: Any, image: Any) -> None:
        self.device: Device | None = None
        self.resident = is_on_device(image)
        if self.resident:
            self.device = devices.of(number_of(image))
        elif gpu:
            found, reason = devices.devices()
            self.device = found[0] if found else None
            if not found:
                warnings.warn(no_gpu(reason), UserWarning, stacklevel=3)

    def map(self, reference: Frames, sample: Frames, inside: tuple[slice, slice]) -> Float:
        """Return the map of a part of the sample `(rows, columns)` in the reference.

        Of large stacks on the host one frame at a time is held; each is read once.
        """
        if self.device is None and reference.shape[0] > 1 and prod(reference.shape) > _LARGE:
            return stack_map(
                (reference.frame(n), sample.frame(n)[inside]) for n in range(reference.shape[0])
            )
        ref, sam = (
            frames.rows(0, frames.shape[1]).astype(np.float64) for frames in (reference, sample)
        )
        found: Float = self.maps(ref[None], sam[None, :, *inside])[0]
        return found

    def maps(self, reference: Any, sample: Any, stacklevel: int = 3) -> Float:
        """Return the maps of `pearson`, in the place where the images lie."""
        if self.device is None:
            return pearson_maps(reference, sample)
        try:
            with self.device.here():
                return self._maps(self.device, reference, sample)
        except Exception as error:  # whatever a driver says
            if self.resident:
                raise
            warnings.warn(
                f"{self.device.name} failed ({first_line(error)}); the CPU is used.",
                UserWarning,
                stacklevel=stacklevel,
            )
            self.device = None
            return pearson_maps(reference, sample)

    def _maps(self, device: Device, reference: Any, sample: Any) -> Float:
        library = Library(*device.scipy())
        if self.resident:
            return pearson_maps(reference, sample, library)
        return to_host(pearson_maps(device.array(reference), device.array(sample), library))
