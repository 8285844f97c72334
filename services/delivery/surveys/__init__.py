"""Surveys of the customer's satisfaction."""
