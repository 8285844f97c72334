"""Agreements with accounts, published as reference data: non-disclosure, master services."""
