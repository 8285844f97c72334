"""Agreements with the customer: non-disclosure (NDA) and master services (MSA)."""
