"""Proposal and won deal, as Sales published them."""
