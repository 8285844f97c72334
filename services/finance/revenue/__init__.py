"""Recognised revenue."""
