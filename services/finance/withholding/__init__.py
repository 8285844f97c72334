"""Approved work that is held back from billing, or written down."""
