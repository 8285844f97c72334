"""Tax rates: reference data."""
