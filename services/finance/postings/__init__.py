"""Postings: what Finance recorded of an engagement as balanced lines for the general ledger."""
