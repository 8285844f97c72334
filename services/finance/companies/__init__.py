"""Companies that sell engagements: reference data."""
