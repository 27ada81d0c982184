"""Benchmarks: ratios to other programs, measured in the same run."""
