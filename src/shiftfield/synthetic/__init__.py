"""Images whose truth is known exactly, for tests, examples and samples: speckles, scans, objects, cameras.

An image is a formula that is evaluated at moved coordinates, never an image that is interpolated;
nothing here searches for shifts.
"""

from shiftfield.synthetic.camera import bad_pixels, camera, poisson_noise
from shiftfield.synthetic.objects import PhaseObject, gaussian, lens, sphere
from shiftfield.synthetic.scan import SpeckleScan, speckle_scan
from shiftfield.synthetic.speckles import speckle

__all__ = [
    "PhaseObject",
    "SpeckleScan",
    "bad_pixels",
    "camera",
    "gaussian",
    "lens",
    "poisson_noise",
    "speckle",
    "speckle_scan",
    "sphere",
]
