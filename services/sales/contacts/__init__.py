"""Contacts: the people of accounts, published as reference data."""
