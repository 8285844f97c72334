"""Estimates: requested by Sales, submitted, endorsed, priced by Finance."""
