"""The compiled loops of the CPU engine: one subject a file. Only these files import Numba."""
