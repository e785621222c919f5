"""locate_peak: where the highest (or lowest) point of a map lies, between its pixels."""

import numpy as np

import shiftfield

# A smooth hill whose top is at column 12.3, row 7.8.
rows, columns = np.mgrid[:17, :25]
hill = np.exp(-((columns - 12.3) ** 2 + (rows - 7.8) ** 2) / 18)

whole = shiftfield.locate_peak(hill, sub_pixel=False)
differences = shiftfield.locate_peak(hill, method="diff")
paraboloid = shiftfield.locate_peak(hill, method="poly_fit", size=5)
valley = shiftfield.locate_peak(-hill, max_peak=False)

for name, (x, y) in {
    "whole pixel": whole,
    "finite differences": differences,
    "paraboloid over 5 x 5": paraboloid,
    "lowest point of the hill upside down": valley,
}.items():
    print(f"{name:37} x {x:.3f}, y {y:.3f}")
