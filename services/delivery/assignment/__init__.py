"""The engagement manager."""
