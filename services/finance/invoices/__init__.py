"""Invoices: approved, issued, voided and credited."""
