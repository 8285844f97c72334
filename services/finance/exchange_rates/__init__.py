"""Exchange rates: reference data, and conversion of amounts."""
