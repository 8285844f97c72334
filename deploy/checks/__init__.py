"""Checks of this repository that `make lint` runs: commit subjects and prose."""
