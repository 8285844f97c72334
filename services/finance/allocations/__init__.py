"""Allocations of payments to the invoices of an engagement, and overdue invoices."""
