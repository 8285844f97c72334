"""Expenses of the engagement: submitted, approved, rejected and reversed."""
