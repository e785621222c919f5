"""When a refinement is done, and when it is none; the same for every backend."""

STEPS = 20  # most; a good match takes 2 to 4
TOLERANCE = 1e-3  # px: steps shrink tenfold or more each time
LIMIT = 1.0  # px from the best whole-pixel shift, along each axis
STEEPEST = 0.3  # stretch or shear
CORNER = 16.0  # px that the corners of a window may move by it: the halo holds no more
MISSED = 1.1  # sigmas that a peak fit, which the last step would have moved by 1, is taken to be wrong by
