"""Leave of people: reference data."""
