"""Benchmarks: how long each search takes beside its peers in the same run. Nothing here is shipped."""
