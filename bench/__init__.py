"""Benchmarks; each result is printed with the limit of this machine, measured in the same run."""
