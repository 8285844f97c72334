"""Prices and costs of changes."""
