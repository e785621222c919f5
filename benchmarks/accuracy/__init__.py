"""How good the shifts are, beside other programs on the same images: bias, noise, a known pattern, sigma, cost.

`python -m benchmarks.accuracy` measures, and writes docs/accuracy.md and its pictures. Nothing here is shipped.
"""
