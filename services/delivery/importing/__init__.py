"""Engagements that were under way before the platform was introduced."""
