"""Approved time and expenses, and what they cost."""
