"""Rate cards: reference data."""
