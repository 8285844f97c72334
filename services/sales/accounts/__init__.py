"""Accounts: the customer organisations, published as reference data."""
