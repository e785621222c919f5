"""The GPU engine: CUDA C++ in `cuda`, and the host's part around it; a `Device` runs what it is told."""
