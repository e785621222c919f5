"""find_local_shifts_umpa: shift, transmission and dark field of every pixel of a speckle scan."""

import numpy as np

import shiftfield
from shiftfield.synthetic import speckle_scan

scan = speckle_scan((160, 200), frames=5, displacement=1.5, transmission=0.7, dark_field=0.5)

x, y, transmission, dark = shiftfield.find_local_shifts_umpa(
    scan.reference, scan.sample, win_size=9, margin=4, gpu=False, dark_signal=True
)

edge = 9 // 2 + 4
inside = (slice(edge, -edge), slice(edge, -edge))
for name, found, true in (
    ("x shift, px", x, scan.x),
    ("y shift, px", y, scan.y),
    ("transmission", transmission, scan.transmission),
    ("dark field", dark, scan.dark_field),
):
    error = np.abs(found - true)[inside]
    print(
        f"{name:13} from {found[inside].min():+.2f} to {found[inside].max():+.2f}, "
        f"median error {np.median(error):.3f}"
    )
