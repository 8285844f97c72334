"""Invoices to the customer, as Finance published them."""
