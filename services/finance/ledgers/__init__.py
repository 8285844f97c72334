"""Ledger of a company: its months, closed one after the other."""
