"""Disconnects of the engagement, as the gateway published them."""
