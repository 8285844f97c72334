"""Approved time and expenses, from the events of Delivery."""
