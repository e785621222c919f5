"""The GPU engine on a real device: `python -m benchmarks.gpu` checks and times it, in under five minutes."""
