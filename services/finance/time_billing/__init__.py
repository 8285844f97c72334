"""Billing of approved time and expenses."""
