"""Benchmarks: how long each search takes beside its peer in the same run. Nothing here is shipped."""
