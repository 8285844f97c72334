"""Payments, refunds and overdue invoices."""
