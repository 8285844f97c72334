"""People of the company and of customers, published as reference data."""
