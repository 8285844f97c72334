"""Payments of customers: from the statement of a bank to invoices, or back."""
