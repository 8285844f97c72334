"""Prices and costs of Delivery's estimates."""
