"""Approved expenses, each in a stream of its own, and their reversal."""
