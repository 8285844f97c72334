"""People of the company, published as reference data."""
