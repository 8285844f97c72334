"""Repeatable measurements, each beside the ceiling that this machine sets in the same run."""
