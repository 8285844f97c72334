"""Templates for kinds of work, published as reference data."""
