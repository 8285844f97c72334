"""Exchange rates: reference data, and what is missing of it."""
