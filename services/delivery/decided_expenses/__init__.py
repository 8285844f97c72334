"""Decided expenses, each in a stream of its own, and the reversal of approved ones."""
