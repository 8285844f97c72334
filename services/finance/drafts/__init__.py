"""Drafts of invoices that people edit before they are approved."""
