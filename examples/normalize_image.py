"""normalize_image: take uneven lighting out of a picture, and bring a stack to one scale."""

import numpy as np

import shiftfield
from shiftfield import samples

# A laser sheet lights this flow from one side: columns differ a lot in brightness.
image, _ = samples.cylinder_flow()
flat = shiftfield.normalize_image(image)

before = image.mean(axis=0).std() / image.std()
after = flat.mean(axis=0).std() / flat.std()
print(f"spread of the column means: {before:.2f} of the standard deviation before,")
print(f"                            {after:.2f} after")
print(f"mean {flat.mean():.3f}, standard deviation {flat.std():.3f}, {flat.dtype}")

# A stack keeps the differences between its frames; it only gets minimum 0 and deviation 1.
stack = shiftfield.normalize_image(samples.tensile_test())
print(f"stack: minimum {stack.min():.3f}, standard deviation {stack.std():.3f}")
print("mean of each frame:", np.round(stack.mean(axis=(1, 2)), 3))
