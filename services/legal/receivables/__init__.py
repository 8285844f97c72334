"""Receivables: what the customer owes, as Finance published it."""
