"""Cost rates: confidential reference data."""
