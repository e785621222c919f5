"""Correlation maps made where they are asked for: on the host, or on a GPU with CuPy's FFT and filters."""

from __future__ import annotations

import warnings
from typing import Any

from shiftfield.device_arrays import is_on_device, number_of, to_host
from shiftfield.engine import no_gpu
from shiftfield.engine.gpu import devices
from shiftfield.engine.gpu.device import Device
from shiftfield.pearson_maps import Float, Library, pearson_maps


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

    def maps(self, reference: Any, sample: Any, stacklevel: int = 3) -> Float:
        """Return the maps of `pearson_maps`, in the place where the images lie."""
        if self.device is None:
            return pearson_maps(reference, sample)
        try:
            with self.device.here():
                return self._maps(self.device, reference, sample)
        except Exception as error:  # whatever a driver says
            if self.resident:
                raise
            reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            warnings.warn(
                f"{self.device.name} failed ({reason}); the CPU is used.",
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
