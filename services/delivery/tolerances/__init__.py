"""Tolerances of companies: differences between departments that are no disconnect yet."""
